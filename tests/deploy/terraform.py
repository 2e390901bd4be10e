"""The Terraform module: each file is HCL, each name that is used is declared and the other way round, and role and policies are those of
deploy/ram."""

import json
import pathlib
import re
import sys

import hcl2

module, ram = map(pathlib.Path, sys.argv[1:])
OPTIONS = hcl2.SerializationOptions(strip_string_quotes=True, with_comments=False, explicit_blocks=False)
mistakes = []


def expect(condition, message):
    if not condition:
        mistakes.append(message)


def parsed(file):
    try:
        return hcl2.load(file.open(), serialization_options=OPTIONS)
    except Exception as error:
        sys.exit(f"{file}: is not HCL: {error}")


def blocks(kind):
    """Name and body of every block of a kind with one label."""
    return {name: body for file in files.values() for block in file.get(kind, []) for name, body in block.items()}


files = {file: parsed(file) for file in sorted(module.glob("*.tf"))}
text = "\n".join(file.read_text() for file in files)
variables, outputs = blocks("variable"), blocks("output")
local = {name: value for file in files.values() for block in file.get("locals", []) for name, value in block.items()}
resources = {f"{kind}.{name}" for file in files.values() for block in file.get("resource", []) for kind, named in block.items() for name in named}

used = set(re.findall(r"\bvar\.(\w+)", text))
expect(used == variables.keys(), f"variables that are only used or only declared: {sorted(used ^ variables.keys())}")
used = set(re.findall(r"\blocal\.(\w+)", text))
expect(used == local.keys(), f"locals that are only used or only declared: {sorted(used ^ local.keys())}")
used = set(re.findall(r"\b(alicloud_\w+\.\w+)\.\w+", text))
expect(used <= resources, f"resources that are not declared: {sorted(used - resources)}")
for name, body in {**variables, **outputs}.items():
    expect(body.get("description"), f"{name} has no description")
expect(all("type" in body for body in variables.values()), "a variable has no type")
expect(all("value" in body for body in outputs.values()), "an output has no value")

# The policies are the files of deploy/ram, all of them, by the values that the two variables take.
policies, watched = local["policies"], local["watch_policies"]
files_used = [*policies.values(), *watched.values()]
expect({ram / file for file in files_used} == set(ram.glob("*.json")) - {ram / "trust-policy.json"}, f"hands out the policies {files_used}")
for variable, known in (("upgrade_source", policies), ("watch", watched)):
    condition = variables[variable]["validation"][0]["condition"]
    expect(set(re.findall(r'"(\w+)"', condition)) == known.keys(), f"{variable} takes {condition}, and there are {sorted(known)}")
expect(variables["upgrade_source"]["default"] in policies, "the default of upgrade_source is none of them")

# The role trusts what deploy/ram/trust-policy.json trusts, with the cluster's own values in place of the example's.
trusted = json.loads((ram / "trust-policy.json").read_text())["Statement"][0]
for key, value in trusted["Condition"]["StringEquals"].items():
    own = value if key == "oidc:aud" else None
    found = re.search(rf'"{key}"\s*= (.*)', text)
    expect(found and (own is None or found[1] == f'"{own}"'), f"the role does not check {key}")
expect(f'"{trusted["Action"]}"' in text, f"the role is not for {trusted['Action']}")

if mistakes:
    sys.exit("\n".join(mistakes))
print(f"{len(variables)} variables, {len(resources)} resources, {len(outputs)} outputs")
