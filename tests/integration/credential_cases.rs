//! Each folder of `tests/data/credentials` is a case. All files but the last are optional:
//!
//! | file | content |
//! |---|---|
//! | `env.json` | the environment |
//! | `files/` | the file system |
//! | `config.yaml` | the value of `credentials:`; the default chain if absent |
//! | `http.json` | every request with its response, in order; any other request fails the test |
//! | `expect.json` | the expected result of each attempt; every secret in a case is a `hunter2` |

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ack_client::clock::Clock;
use ack_client::credentials::{
    Context, CredentialsError, Environment, Files, Http, HttpError, Loaded, Loader, Provider, Route,
};
use ack_client::secret::Secret;
use ack_client::sign::acs3;
use ack_upgrade_exporter::ROLE_SESSION_NAME;
use ack_upgrade_exporter::config::Config;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const NOW: &str = "2026-11-23T08:00:00Z";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    request: Wanted,
    response: ScriptedResponse,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    method: String,
    /// Without the query.
    uri: String,
    route: String,
    /// `*` is any value.
    query: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
    /// `null` must not be there.
    headers: BTreeMap<String, Option<String>>,
    signed_with: Option<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    access_key_id: String,
    access_key_secret: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScriptedResponse {
    Json(u16, serde_json::Value),
    Text(u16, String),
    Failure(String),
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Expected {
    Credential {
        provider: String,
        access_key_id: String,
        access_key_secret: String,
        security_token: Option<String>,
        expires_at: Option<String>,
        check_again: Option<String>,
    },
    Error {
        error: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Expected),
    More(Vec<Expected>),
}

/// Sends the responses of the case. Any other request fails.
#[derive(Debug)]
struct Script {
    case: String,
    exchanges: Mutex<VecDeque<Exchange>>,
}

#[tokio::test]
async fn every_case_has_the_result_of_its_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/credentials");
    let mut cases: Vec<_> = std::fs::read_dir(&folder)
        .expect("the cases")
        .map(|entry| entry.expect("a case").path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut failed = Vec::new();
    for case in cases {
        // Each case has its own task, so that a panic does not hide the others.
        let folder = case.clone();
        if tokio::spawn(async move { run(&folder).await })
            .await
            .is_err()
        {
            failed.push(case);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

async fn run(folder: &Path) {
    let case = folder
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let script = Arc::new(Script {
        case: case.clone(),
        exchanges: Mutex::new(read(folder, "http.json").unwrap_or_default()),
    });
    let context = Context {
        environment: read::<BTreeMap<String, String>>(folder, "env.json")
            .unwrap_or_default()
            .into_iter()
            .collect::<Environment>(),
        files: Files::rooted(folder.join("files")),
        http: Arc::<Script>::clone(&script),
        clock: Clock::simulated(NOW.parse().expect("a time")),
        session_name: ROLE_SESSION_NAME.into(),
    };
    let loader = Loader::new(method(folder), context);
    let expected =
        match read(folder, "expect.json").unwrap_or_else(|| panic!("{case}: no expect.json")) {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        };
    for (attempt, expected) in expected.iter().enumerate() {
        let result = loader.load().await;
        if let Err(error) = &result {
            assert!(
                !format!("{error} {error:?}").contains("hunter2"),
                "{case}: {error}"
            );
        }
        assert_eq!(outcome(result), *expected, "{case}, attempt {attempt}");
    }
    assert!(
        !format!("{loader:?}").contains("hunter2"),
        "{case}: {loader:?}"
    );
    let left = script.exchanges.lock().expect("no panic");
    assert!(left.is_empty(), "{case}: not asked for {left:?}");
}

fn method(folder: &Path) -> Provider {
    let Ok(yaml) = std::fs::read_to_string(folder.join("config.yaml")) else {
        return Provider::default();
    };
    let text = format!(
        "accounts:\n- name: a\n  clusters: [{{id: c1, region: cn-hangzhou}}]\n  credentials:\n    \
         {}\n",
        yaml.trim().replace('\n', "\n    ")
    );
    let config = Config::parse(&text, Path::new("/etc/exporter"))
        .unwrap_or_else(|problems| panic!("{}: {problems}", folder.display()));
    config
        .accounts
        .into_iter()
        .next()
        .expect("one account")
        .access()
        .credentials
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Option<T> {
    let path: PathBuf = folder.join(name);
    let text = std::fs::read_to_string(&path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn outcome(result: Result<Loaded, CredentialsError>) -> Expected {
    match result {
        Ok(Loaded {
            credential,
            provider,
            check_again,
        }) => Expected::Credential {
            provider: provider.to_string(),
            access_key_id: credential.access_key_id,
            access_key_secret: credential.access_key_secret.expose().to_owned(),
            security_token: credential
                .security_token
                .map(|token| token.expose().to_owned()),
            expires_at: credential.expires_at.map(|expiry| expiry.to_string()),
            check_again: check_again.map(exporter_toolkit::yaml::duration::format),
        },
        Err(error) => Expected::Error {
            error: error.to_string(),
        },
    }
}

// === impl Script ===

impl Http for Script {
    fn send(
        &self,
        route: Route,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        let case = &self.case;
        let next = self.exchanges.lock().expect("no panic").pop_front();
        let Exchange {
            request: wanted,
            response,
        } = next.unwrap_or_else(|| {
            panic!(
                "{case}: nobody expects {} {}",
                request.method(),
                request.uri()
            )
        });
        wanted.check(case, route, &request);
        Box::pin(async move { response.into_result() })
    }
}

impl Wanted {
    fn check(&self, case: &str, route: Route, request: &Request<Bytes>) {
        let uri = request.uri().to_string();
        let (address, query) = uri.split_once('?').unwrap_or((&uri, ""));
        let body = std::str::from_utf8(request.body()).expect("text");
        assert_eq!(request.method(), &*self.method, "{case}: {uri}");
        assert_eq!(address, self.uri, "{case}");
        assert_eq!(
            format!("{route:?}").to_lowercase(),
            self.route,
            "{case}: {uri}"
        );
        let mut query = pairs(query);
        for (name, value) in &mut query {
            if self.query.get(name).is_some_and(|wanted| wanted == "*") {
                assert!(!value.is_empty(), "{case}: {name}");
                "*".clone_into(value);
            }
        }
        assert_eq!(query, self.query, "{case}: {uri}");
        assert_eq!(pairs(body), self.form, "{case}: {uri}");
        for (name, value) in &self.headers {
            assert_eq!(
                header(request.headers(), name),
                value.as_deref(),
                "{case}: {name}"
            );
        }
        if let Some(pair) = &self.signed_with {
            assert_eq!(
                header(request.headers(), "authorization").map(str::to_owned),
                Some(pair.authorization(request, body)),
                "{case}"
            );
        }
    }
}

impl Pair {
    /// The signature that a server computes from the request.
    fn authorization(&self, request: &Request<Bytes>, body: &str) -> String {
        let mut headers: Vec<_> = request
            .headers()
            .iter()
            .filter(|(name, _)| acs3::is_signed(name.as_str()))
            .map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")))
            .collect();
        headers.sort_unstable();
        let content_sha256 = acs3::content_sha256(body.as_bytes());
        let input = acs3::Input::<&str> {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: &[],
            headers: &headers,
            content_sha256: &content_sha256,
        };
        let to_sign = acs3::string_to_sign(&acs3::canonical_request(&input));
        let signature = acs3::signature(&Secret::new(&self.access_key_secret), &to_sign);
        acs3::authorization(&self.access_key_id, &headers, &signature)
    }
}

impl ScriptedResponse {
    fn into_result(self) -> Result<Response<Bytes>, HttpError> {
        let (status, body) = match self {
            Self::Json(status, value) => (status, value.to_string()),
            Self::Text(status, text) => (status, text),
            Self::Failure(what) => {
                return Err(match what.as_str() {
                    "connect" => {
                        HttpError::Connect("cannot connect: connection refused".to_owned())
                    }
                    "timeout" => HttpError::Timeout,
                    "too_large" => HttpError::TooLarge,
                    other => panic!("{other} is no failure"),
                });
            }
        };
        Ok(Response::builder()
            .status(status)
            .body(Bytes::from(body))
            .expect("a reply"))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .map(|value| value.to_str().expect("ASCII"))
}

fn pairs(encoded: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("a pair");
        (decode(name), decode(value))
    };
    encoded
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(pair)
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let byte = if first == b'%' {
            behind
                .get(..2)
                .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok())
        } else {
            None
        };
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).expect("UTF-8")
}
