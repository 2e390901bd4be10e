//! The schema of the `credentials` mapping: one of the types, each with the keys of its own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::raw;
use crate::config::raw::Untyped;
use crate::config::schema::{SERVER, also, present, refine, require};

impl JsonSchema for Untyped {
    fn schema_name() -> Cow<'static, str> {
        "Credentials".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = raw::Kind::json_schema(generator);
        let kinds = kinds
            .get("oneOf")
            .and_then(Value::as_array)
            .expect("an enum is one of its values");
        json_schema!({ "oneOf": kinds.iter().map(|kind| one(kind, generator)).collect::<Vec<_>>() })
    }
}

/// The mapping whose `type` is `kind`.
fn one(kind: &Value, generator: &mut SchemaGenerator) -> Schema {
    let name = kind["const"].as_str().expect("a type has a name");
    let mut schema = match serde_json::from_value(kind["const"].clone())
        .expect("a type is what its name says")
    {
        raw::Kind::Default => raw::DefaultChain::json_schema(generator),
        raw::Kind::AccessKey => raw::KeyPair::json_schema(generator),
        raw::Kind::RamRoleArn => raw::RamRoleArn::json_schema(generator),
        raw::Kind::OidcRoleArn => raw::OidcRoleArn::json_schema(generator),
        raw::Kind::EcsRamRole => raw::EcsRamRole::json_schema(generator),
        raw::Kind::CredentialsUri => raw::CredentialsUri::json_schema(generator),
        raw::Kind::Profile => raw::Profile::json_schema(generator),
    };
    filled(&mut schema);
    let tag = if name == "default" {
        json!([name, null])
    } else {
        json!([name])
    };
    schema.insert("title".to_owned(), name.into());
    schema.insert("description".to_owned(), kind["description"].clone());
    schema
        .pointer_mut("/properties")
        .expect("a mapping has keys")["type"] = json!({ "enum": tag });
    if name != "default" {
        require(&mut schema, "type");
    }
    schema
}

/// No string may be empty; those with a pattern of their own can't be.
fn filled(schema: &mut Schema) {
    let keys = schema
        .pointer_mut("/properties")
        .and_then(Value::as_object_mut)
        .expect("a mapping has keys");
    for key in keys.values_mut().filter_map(Value::as_object_mut) {
        let string = key
            .get("type")
            .and_then(Value::as_array)
            .is_some_and(|types| types.contains(&"string".into()));
        if string || key.get("type").is_some_and(|kind| kind == "string") {
            key.entry("pattern").or_insert_with(|| r"\S".into());
        }
    }
}

pub(super) fn default_chain(schema: &mut Schema) {
    server(schema, "sts_endpoint");
    server(schema, "metadata_endpoint");
}

pub(super) fn key_pair(schema: &mut Schema) {
    require(schema, "access_key_id");
    for rule in whole_key() {
        also(schema, rule);
    }
}

pub(super) fn ram_role_arn(schema: &mut Schema) {
    require(schema, "role_arn");
    refine(schema, "role_arn", &json!({ "pattern": ROLE }));
    session(schema);
    server(schema, "sts_endpoint");
    let key = [
        "access_key_id",
        "access_key_secret",
        "access_key_secret_file",
        "security_token",
        "security_token_file",
    ];
    let mut rules = vec![
        present("access_key_id"),
        json!({ "not": present("source") }),
    ];
    rules.extend(whole_key());
    also(
        schema,
        json!({ "if": { "anyOf": key.map(present) }, "then": { "allOf": rules } }),
    );
}

pub(super) fn oidc_role_arn(schema: &mut Schema) {
    refine(schema, "role_arn", &json!({ "pattern": ROLE }));
    refine(
        schema,
        "oidc_provider_arn",
        &json!({ "pattern": "^acs:ram::(.*:)?oidc-provider/" }),
    );
    session(schema);
    server(schema, "sts_endpoint");
}

pub(super) fn ecs_ram_role(schema: &mut Schema) {
    server(schema, "metadata_endpoint");
    refine(schema, "disable_imds_v1", &json!({ "default": false }));
}

pub(super) fn credentials_uri(schema: &mut Schema) {
    require(schema, "uri");
    refine(
        schema,
        "uri",
        &json!({ "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+([/?#]\S*)?$" }),
    );
}

const ROLE: &str = "^acs:ram::(.*:)?role/";

/// The secret half in one place, and the token in no more than one.
fn whole_key() -> [Value; 2] {
    [
        json!({ "oneOf": [present("access_key_secret"), present("access_key_secret_file")] }),
        json!({ "not": { "allOf": [present("security_token"), present("security_token_file")] } }),
    ]
}

fn session(schema: &mut Schema) {
    refine(
        schema,
        "role_session_name",
        &json!({ "pattern": "^[A-Za-z0-9.@_-]{2,64}$" }),
    );
    refine(schema, "policy", &json!({ "pattern": r"^\s*\{" }));
}

/// The scheme may be left out.
fn server(schema: &mut Schema, key: &str) {
    let pattern = format!(r"{SERVER}|^[^/?#@\s]+/?$");
    refine(schema, key, &json!({ "pattern": pattern }));
}
