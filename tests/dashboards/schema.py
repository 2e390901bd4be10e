#!/usr/bin/env python3
"""Checks the dashboards against Grafana's own schema of the classic dashboard."""

import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = pathlib.Path(__file__).parent / "schemas/grafana-dashboard.json"
# Grafana 10 reads no later one without migrating it, and 13 still migrates this one.
SCHEMA_VERSIONS = range(36, 40)


def schema():
    """Grafana's schema. The value of an override and the options of a matcher are whatever the property takes, text and
    numbers among them; the schema's generator knows no such type and says object."""
    whole = json.loads(SCHEMA.read_text())
    for definition, field in (("DynamicConfigValue", "value"), ("MatcherConfig", "options")):
        whole["definitions"][definition]["properties"][field] = {}
    # A panel is a row or it is not: judged by its type, a mistake is named where it is.
    panel = whole["definitions"]["Dashboard"]["properties"]["panels"]
    panel["items"] = {
        "if": {"properties": {"type": {"const": "row"}}},
        "then": {"$ref": "#/definitions/RowPanel"},
        "else": {"$ref": "#/definitions/Panel"},
    }
    return whole


def main():
    validator = jsonschema.Draft7Validator(schema())
    mistakes = []
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        for error in validator.iter_errors(dashboard):
            where = "/".join(str(part) for part in error.absolute_path)
            mistakes.append(f"{path.name}: {where}: {error.message[:200]}")
        if dashboard["schemaVersion"] not in SCHEMA_VERSIONS:
            mistakes.append(f"{path.name}: schemaVersion {dashboard['schemaVersion']} is not one that Grafana 10 writes")
        if leftover := {"__inputs", "__elements", "__requires"} & dashboard.keys():
            mistakes.append(f"{path.name}: {leftover} would keep it from being provisioned")
    for one in mistakes:
        print(one, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
