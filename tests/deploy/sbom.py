"""Checks that the bill of materials is valid CycloneDX and lists what is linked, and nothing else."""

import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = pathlib.Path(sys.argv[1]).read_text()
error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
if error:
    sys.exit(str(error))
components = json.loads(text)["components"]
names = {component["name"] for component in components}
if not {"hyper", "rustls", "prometheus"} <= names:
    sys.exit("lists too little")
# For tests, for features that are off, for macros.
if strange := {"insta", "proptest", "ring", "quinn", "serde_derive", "syn"} & names:
    sys.exit(f"lists too much: {strange}")
if any("hashes" not in component for component in components):
    sys.exit("a component has no hash")
print(f"{len(components)} components")
