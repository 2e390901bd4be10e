"""Checks that the values of the chart and their schema have the same keys."""

import json
import pathlib
import sys

import jsonschema
import yaml


def closed(schema):
    return schema.get("additionalProperties") is False


def in_schema(schema, path=""):
    for key, part in schema["properties"].items():
        # Not a value of the chart: a chart that depends on it may switch it off.
        if path + key == "enabled":
            continue
        yield path + key
        if closed(part):
            yield from in_schema(part, f"{path}{key}.")


def in_values(values, schema, path=""):
    for key, value in values.items():
        yield path + key
        part = schema["properties"].get(key, {})
        if isinstance(value, dict) and closed(part):
            yield from in_values(value, part, f"{path}{key}.")


def objects(schema, path="values"):
    """Every object that the schema describes."""
    if isinstance(schema, dict):
        if path == "values.definitions":
            # The configuration, whose schema has a test of its own.
            return
        if "properties" in schema and not path.endswith((".if", ".then")) and ".allOf" not in path:
            yield path, schema
        for key, part in schema.items():
            yield from objects(part, f"{path}.{key}")
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part, path)


def main():
    chart = pathlib.Path(sys.argv[1])
    schema = json.loads((chart / "values.schema.json").read_text())
    values = yaml.safe_load((chart / "values.yaml").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(values)
    difference = set(in_schema(schema)) ^ set(in_values(values, schema))
    if difference:
        sys.exit(f"in values.yaml or in its schema, but not in both: {', '.join(sorted(difference))}")
    # Helm itself adds to `global`.
    loose = [path for path, part in objects(schema) if not closed(part) and path != "values.properties.global"]
    if loose:
        sys.exit(f"the schema lets unknown keys pass at {', '.join(loose)}")


main()
