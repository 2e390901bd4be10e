"""Checks that every file with a version has that of Cargo.toml."""

import sys
import tomllib

import yaml

with open("Cargo.toml", "rb") as file:
    version = tomllib.load(file)["workspace"]["package"]["version"]
with open(sys.argv[1]) as file:
    chart = yaml.safe_load(file)
with open(sys.argv[2]) as file:
    image = yaml.safe_load(file)["images"][0]
said = {"the chart": chart["version"], "its appVersion": chart["appVersion"], "the kustomization's image": image["newTag"]}
wrong = [f"{who} is of version {what}" for who, what in said.items() if what != version]
if wrong:
    sys.exit(f"{', '.join(wrong)}; Cargo.toml says {version}")
