"""Checks that a chart with all rules and dashboards contains those of deploy/prometheus and dashboards, unchanged."""

import json
import pathlib
import sys

import yaml

rendered = [document for document in yaml.safe_load_all(pathlib.Path(sys.argv[1]).read_text()) if document]
groups = [group for d in rendered if d["kind"] == "PrometheusRule" for group in d["spec"]["groups"]]
originals = [group for file in sorted(pathlib.Path("deploy/prometheus").glob("*.yml")) for group in yaml.safe_load(file.read_text())["groups"]]
if groups != originals:
    sys.exit("the groups of the PrometheusRule are not those of deploy/prometheus/*.yml")
boards = {
    name: json.loads(text)
    for d in rendered
    if d["kind"] == "ConfigMap" and "grafana_dashboard" in d["metadata"]["labels"]
    for name, text in d["data"].items()
}
expected = {f"ack-upgrade-exporter-{file.name}": json.loads(file.read_text()) for file in pathlib.Path("dashboards").glob("*.json")}
if boards != expected:
    sys.exit(f"the chart hands over the dashboards {sorted(boards)}, not {sorted(expected)}, or others of these names")
print(f"{sum(len(group['rules']) for group in groups)} rules and {len(boards)} dashboards")
