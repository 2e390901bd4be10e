"""Checks the RAM policies: exactly the actions of each source and each watched query, with resources as narrow as RAM permits."""

import json
import pathlib
import sys

ANY = "*"
CLUSTERS = "acs:cs:*:*:cluster/*"
LIST = {"cs:DescribeClustersForRegion"}
EXPECTED = {
    "upgrade-status": {ANY: LIST, CLUSTERS: {"cs:GetUpgradeStatus"}},
    "tasks": {ANY: LIST | {"cs:DescribeTaskInfo"}, CLUSTERS: {"cs:DescribeClusterTasks"}},
    "auto": {
        ANY: LIST | {"cs:DescribeTaskInfo"},
        CLUSTERS: {"cs:GetUpgradeStatus", "cs:DescribeClusterTasks", "cs:DescribeClusterDetail"},
    },
    "plans": {ANY: {"cs:ListOperationPlansForRegion"}},
    "versions": {ANY: {"cs:DescribeKubernetesVersionMetadata"}},
    "node-pools": {ANY: {"cs:DescribeTaskInfo"}, CLUSTERS: {"cs:DescribeClusterNodePools", "cs:DescribeClusterTasks"}},
    "addons": {ANY: {"cs:ListAddons"}, CLUSTERS: {"cs:ListClusterAddonInstances"}},
    "prechecks": {CLUSTERS: {"cs:GetClusterCheck", "cs:ListClusterChecks"}},
    "maintenance": {CLUSTERS: {"cs:DescribeClusterDetail"}},
}

folder = pathlib.Path(sys.argv[1])
found = {file.stem for file in folder.glob("*.json")}
if found != EXPECTED.keys() | {"trust-policy"}:
    sys.exit(f"{folder} has the policies {sorted(found)}")
for name, expected in EXPECTED.items():
    policy = json.loads((folder / f"{name}.json").read_text())
    if set(policy) != {"Version", "Statement"} or policy["Version"] != "1":
        sys.exit(f"{name}: is not a policy of version 1")
    if any(set(statement) != {"Effect", "Action", "Resource"} or statement["Effect"] != "Allow" for statement in policy["Statement"]):
        sys.exit(f"{name}: has a statement of another form")
    said = {statement["Resource"]: set(statement["Action"]) for statement in policy["Statement"]}
    if said != expected or len(policy["Statement"]) != len(expected):
        sys.exit(f"{name}: allows {said}, not {expected}")
statement = json.loads((folder / "trust-policy.json").read_text())["Statement"][0]
if set(statement["Condition"]["StringEquals"]) != {"oidc:iss", "oidc:aud", "oidc:sub"}:
    sys.exit("trust-policy: does not bind issuer, audience and subject")
