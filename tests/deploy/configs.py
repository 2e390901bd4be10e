"""Takes the exporter's configuration out of rendered manifests, for --config.check."""

import pathlib
import sys

import yaml

folder = pathlib.Path(sys.argv[1])
for file in map(pathlib.Path, sys.argv[2:]):
    for document in yaml.safe_load_all(file.read_text()):
        data = (document or {}).get("data") or (document or {}).get("stringData") or {}
        if "config.yaml" in data:
            (folder / f"chart-{file.stem}.yaml").write_text(data["config.yaml"])
