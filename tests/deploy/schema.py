"""Checks the same files with the exporter and with the JSON Schema of its configuration, and expects the same result.

    schema.py EXPORTER SCHEMA FILE…       configurations, and rendered manifests that hold one

The files must be accepted by both, and so must one with every key. In that one each value is replaced by what may not stand there, each
key left out and an unknown one put in: what the schema refuses the exporter must refuse, and the other way round but for what JSON Schema
cannot say.
"""

import collections
import concurrent.futures
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml
from pip._vendor import certifi

KEY = {"access_key_id": "id", "access_key_secret_file": "key", "security_token": "token"}
OTHER_KEY = {"access_key_id": "id", "access_key_secret": "secret", "security_token_file": "token"}
ROLE = "acs:ram::1234567890123456:role/upgrades"
SESSION = {"role_session_name": "me", "duration": "30m", "policy": "{}", "sts_endpoint": "sts.example.com"}
# Every key there is, in an account for each type of credentials.
EVERYTHING = {
    "scrape": {"timeout": "20s", "timeout_offset": "250ms", "cache_ttl": 0, "max_age": "10m", "idle_interval": "1h30m"},
    "metrics": {"cluster_label": "ack_cluster", "error_message": False, "state_sets": "active"},
    "accounts": [
        {
            "name": "everything",
            "credentials": {"type": "access_key", **KEY},
            "source": "tasks",
            "task_types": ["cluster_upgrade"],
            "signature": "roa",
            "network": "vpc",
            "endpoint": "https://cs.{region}.example.com:8443",
            "proxy": "http://user:password@proxy.example.com:3128",
            "ca_file": certifi.where(),
            "rate_limit": {"requests_per_second": 0.5, "burst": 10},
            "max_concurrency": 4,
            "watch": {key: {"interval": "1h"} for key in ("plans", "versions", "node_pools", "addons", "prechecks", "maintenance")},
            "discovery": {
                "regions": ["cn-hangzhou", "cn-shanghai"],
                "refresh_interval": "5m",
                "match": {"name": "prod-.*", "tags": {"env": "prod"}, "cluster_type": ["ManagedKubernetes"]},
            },
            "clusters": [{"id": "c1", "region": "cn-hangzhou", "name": "shop", "labels": {"team": "payments"}}],
        },
        *(
            {"name": credentials["type"], "credentials": credentials, "clusters": [{"id": credentials["type"]}], "endpoint": "http://[::1]:80"}
            for credentials in (
                {"type": "default", "sts_endpoint": "https://sts.example.com", "metadata_endpoint": "127.0.0.1:80"},
                {"type": "ram_role_arn", "role_arn": ROLE, "external_id": "upgrades", **SESSION, **OTHER_KEY},
                {
                    "type": "oidc_role_arn",
                    "role_arn": ROLE,
                    "oidc_provider_arn": "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1",
                    "oidc_token_file": "token",
                    **SESSION,
                },
                {"type": "ecs_ram_role", "role_name": "r", "metadata_endpoint": "http://127.0.0.1", "disable_imds_v1": True},
                {"type": "credentials_uri", "uri": "http://127.0.0.1:8080/key?for=me"},
                {"type": "profile", "profile": "prod", "config_file": "cli.json"},
            )
        ),
        {
            "name": "chained",
            "credentials": {"type": "ram_role_arn", "role_arn": ROLE, "source": {"type": "ecs_ram_role"}},
            "clusters": [{"id": "c2", "region": "cn-hangzhou"}],
        },
    ],
}
# The replacements of a value.
STRANGERS = [None, 0, 7, -1, 1.5, True, "", " ", "x", "0s", "5m", "http://a/b", "http://a#b", [], [None], ["x"], {}, {"status": "x"}]
BEYOND_JSON_SCHEMA = [
    r"\.name: accounts\[\d+\] has this name already",
    r"\.id: accounts\[\d+\]\.clusters\[\d+\] is this cluster already",
    r"\.labels\.ack_cluster: \"ack_cluster\" is a label of the exporter's own",
    r"\.ca_file: ",
    r"\.duration: must be between 15m and 12h",
    r"\.refresh_interval: must be at least 1s",
    r"_file: cannot read ",
]


def main():
    exporter, schema, *files = sys.argv[1:]
    schema = json.loads(pathlib.Path(schema).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    if forgotten := keys(schema) - {key for _, value in places(EVERYTHING, ()) if isinstance(value, dict) for key in value}:
        sys.exit(f"EVERYTHING lacks {forgotten}")
    both = Both(exporter, jsonschema.Draft7Validator(schema))
    seeds = {"everything": EVERYTHING} | {f"{file}: {at}": tree for file in files for at, tree in configurations(file)}
    for name, tree in seeds.items():
        said, complaints = both.ask(tree)
        if said or complaints:
            sys.exit(f"{name}: the exporter says {said}, the schema {complaints}")
    changes = dict(mutants(EVERYTHING))
    verdicts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for change, (said, complaints) in zip(changes, pool.map(both.ask, changes.values()), strict=True):
            verdicts[verdict(change, said, complaints)] += 1
    print(f"{len(seeds)} configurations, {len(changes)} changes: " + ", ".join(f"{n} {verdict}" for verdict, n in sorted(verdicts.items())))
    # There must be accepted and rejected files.
    assert min(verdicts["accepted"], verdicts["refused"]) >= 100, verdicts


def keys(schema):
    """Every key that the schema knows."""
    found = set()
    for path, value in places(schema, ()):
        if path[-1:] == ("properties",):
            found |= value.keys()
    return found


def configurations(file):
    for number, document in enumerate(yaml.safe_load_all(pathlib.Path(file).read_text())):
        if document and "kind" not in document:
            yield number, document
        elif document and document["kind"] in ("ConfigMap", "Secret"):
            text = (document.get("data") or document.get("stringData") or {}).get("config.yaml")
            if text:
                yield number, yaml.safe_load(text)


def mutants(tree):
    seen = set()
    for path, value in places(tree, ()):
        # The name of one account is enough.
        kind = tree["accounts"][path[1]]["credentials"]["type"] if "credentials" in path else None
        here = (kind, *("*" if isinstance(key, int) else key for key in path))
        if here in seen:
            continue
        seen.add(here)
        for stranger in STRANGERS:
            yield f"{path} = {stranger!r}", put(tree, path, stranger)
        if isinstance(value, dict):
            for added in ("colour", "ack_cluster"):
                yield f"{path} with {added}", put(tree, (*path, added), "blue")
            for key in value:
                yield f"{path} without {key}", put(tree, path, {other: kept for other, kept in value.items() if other != key})
        if isinstance(value, list):
            yield f"{path} with null", put(tree, path, [*value, None])
            yield f"{path} twice", put(tree, path, [*value, *value])


def places(value, path):
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def put(tree, path, value):
    if not path:
        return value
    tree = copy.deepcopy(tree)
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return tree


class Both:
    def __init__(self, exporter, validator):
        self.exporter, self.validator = exporter, validator

    def ask(self, tree):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "config.yaml"
            for secret in ("key", "token", "cli.json"):
                (file.parent / secret).write_text("secret")
            # JSON is YAML with one meaning for every parser.
            text = json.dumps(tree)
            # The files of the examples are elsewhere.
            for absent in set(re.findall(r'(?:secret|token|config)_file": "(/[^"]+)"', text)):
                text = text.replace(f'"{absent}"', '"key"')
            file.write_text(text)
            ended = subprocess.run([self.exporter, f"--config.file={file}", "--config.check"], capture_output=True, text=True, check=False)
        assert ended.returncode in (0, 2), ended
        said = ended.stderr.strip()
        assert ended.returncode == 0 or said, f"refused without a word: {json.dumps(tree)}"
        complaints = [f"{error.json_path}: {error.message}" for error in self.validator.iter_errors(tree)]
        return said if ended.returncode else "", complaints


def verdict(change, said, complaints):
    if bool(said) == bool(complaints):
        return "refused" if said else "accepted"
    problems = said.splitlines()
    if problems and all(any(re.search(known, problem) for known in BEYOND_JSON_SCHEMA) for problem in problems):
        return "refused by the exporter, which alone can know"
    sys.exit(f"{change}\nthe exporter says: {said or 'accepted'}\nthe schema says: {complaints or 'accepted'}")


main()
