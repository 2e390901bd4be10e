#!/usr/bin/env python3
"""Checks what the tiles about planned operations show: promtool evaluates their queries on plans of every kind."""

import json
import pathlib
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOUR = 3600
NOW = 30
CLUSTER = 'job="ack", instance="a:10525", cluster="%s"'

# Cluster, state, and the hour of the start.
PLANS = [
    ("shop", "scheduled", NOW - 10),
    ("shop", "scheduled", NOW + 3),
    ("begun", "scheduled", NOW - 1),
    ("later", "scheduled", NOW + 25),
    ("running", "executing", NOW - 2),
    ("untimed", "executing", None),
    ("unclear", "unknown", NOW + 5),
    ("unclear-begun", "unknown", NOW - 5),
    ("failed", "failed", NOW + 1),
]


def series(name, labels, value):
    return {"series": f"{name}{{{labels}}}", "values": f"{value}x{NOW}"}


def input_series():
    for cluster in {cluster for cluster, _, _ in PLANS}:
        yield series("cs_cluster_info", f'{CLUSTER % cluster}, account="prod", region="cn-hangzhou"', 1)
    for number, (cluster, state, start) in enumerate(PLANS):
        plan = f'{CLUSTER % cluster}, plan="P-{number}"'
        yield series("cs_plan_info", f'{plan}, state="{state}"', 1)
        if start is not None:
            yield series("cs_plan_start_timestamp_seconds", plan, start * HOUR)


def query(dashboard, title, cluster):
    panels = json.loads((ROOT / "dashboards" / dashboard).read_text())["panels"]
    target = next(panel for panel in panels if panel["title"] == title)["targets"][0]
    expression = target["expr"].replace("$cluster", cluster)
    for variable in ("job", "instance", "account", "region"):
        expression = expression.replace(f"${variable}", ".*")
    return expression


def shows(expression, value):
    return {"expr": expression, "eval_time": f"{NOW}h", "exp_samples": [{"labels": "{}", "value": value}]}


def main():
    queries = [
        shows(query("fleet.json", "Planned, 24 h", ".*"), 4),
        shows(query("cluster.json", "Next plan", "shop"), (NOW + 3) * HOUR * 1000),
    ]
    case = {"interval": "1h", "input_series": list(input_series()), "promql_expr_test": queries}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"evaluation_interval": "1h", "tests": [case]}, file)
        file.flush()
        subprocess.run(["promtool", "test", "rules", file.name], check=True, stdout=subprocess.DEVNULL)


main()
