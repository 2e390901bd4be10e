"""Checks that the chart rendered with ci/everything-values.yaml uses its settings of alerts and its cluster label."""

import pathlib
import re
import sys

import yaml

text = pathlib.Path(sys.argv[1]).read_text()
rendered = [document for document in yaml.safe_load_all(text) if document]
rules = [rule for d in rendered if d["kind"] == "PrometheusRule" for group in d["spec"]["groups"] for rule in group["rules"]]
alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
boards = [board for d in rendered if d["kind"] == "ConfigMap" and "grafana_dashboard" in d["metadata"].get("labels", {}) for board in d["data"].values()]

stuck = alerts["AckUpgradeStuck"]
expected = {
    "an alert that is off is left out": "AckUpgradePausedTooLong" not in alerts,
    "for": stuck["for"] == "2h" and "not changed for 2h" in stuck["annotations"]["description"],
    "severity": stuck["labels"]["severity"] == "warning",
    "threshold": alerts["AckUpgradeManyFailed"]["expr"].endswith(">= 10"),
    "no placeholder is left": not any(mark in text for mark in ("<cluster>", ".for>", ".severity>", ".threshold>")),
    "the runbooks' place in the dashboards": all("https://runbooks.example.org/ack" in board for board in boards),
    "the rules go by metrics.cluster_label": "on (ack_cluster, job, instance)" in stuck["expr"] and "(cluster" not in stuck["expr"],
    "the dashboards go by metrics.cluster_label": len(boards) == 3 and not any(re.search(r"(?<!\$)[({]cluster\b", board) for board in boards),
}
if wrong := [what for what, holds in expected.items() if not holds]:
    sys.exit(f"not so in the rendered chart: {'; '.join(wrong)}")
