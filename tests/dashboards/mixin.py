#!/usr/bin/env python3
"""Checks that the mixin obeys its settings: builds everything with others than the shipped ones and has promtool and amtool read it."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]

SETTINGS = {
    "clusterLabel": "ack_cluster",
    "selector": 'env="test"',
    "ownerLabels": ["squad"],
    "runbookUrl": "https://wiki.test/ack",
    "grafanaUrl": "https://grafana.test",
    "alerts": {
        "AckUpgradeStuck": {"for": "2h", "severity": "warning"},
        "AckUpgradeThrottled": {"threshold": 0.25},
        "AckUpgradeReloadFailed": {"enabled": False},
    },
}

METRIC = re.compile(r"\b(?:cs_[a-z_]+|ack_upgrade_exporter_build_info)\b(?!:)(\{[^{}]*\})?")
CLUSTER_AS_LABEL = re.compile(r"""[(,]\s*cluster\s*[,)]|(?<!var-)\bcluster\s*[=!]|\$labels\.cluster\b|"cluster\"""")

mistakes = []


def expect(truth, mistake):
    if not truth:
        mistakes.append(mistake)


def check_expression(name, expression):
    for match in METRIC.finditer(expression):
        expect('env="test"' in (match.group(1) or ""), f"{name}: {match.group(0)} has no selector")


def check_rules(folder):
    files = sorted(folder.glob("deploy/prometheus/**/*.yml"))
    expect(len(files) == 3, f"built {files}")
    subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", *files], check=True, stdout=subprocess.DEVNULL)
    text = "".join(file.read_text() for file in files)
    for host in ("example.com", "$labels.owner", "$labels.team"):
        expect(host not in text, f"{host} is still there")
    rules = {}
    for file in files:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                name = rule.get("alert") or rule["record"]
                rules[file.parent.name, name] = rule
                check_expression(name, rule["expr"])
                for words in (rule["expr"], *rule.get("annotations", {}).values()):
                    found = CLUSTER_AS_LABEL.search(words)
                    expect(not found, f"{name}: the label is still called cluster: {found and found.group(0)}")
    stuck, chinese = rules["prometheus", "AckUpgradeStuck"], rules["zh-CN", "AckUpgradeStuck"]
    expect(stuck["for"] == "2h" and stuck["labels"]["severity"] == "warning", "AckUpgradeStuck is not as configured")
    expect("> 0.25" in rules["prometheus", "AckUpgradeThrottled"]["expr"], "AckUpgradeThrottled has not the threshold configured")
    expect(all(name != "AckUpgradeReloadFailed" for _, name in rules), "AckUpgradeReloadFailed is there although it is off")
    expect(stuck["annotations"]["runbook_url"] == "https://wiki.test/ack/AckUpgradeStuck", "the runbook's host is not the one configured")
    expect(chinese["annotations"]["runbook_url"] == "https://wiki.test/ack/zh-CN/AckUpgradeStuck", "the Chinese alert links no Chinese runbook")
    told = ("alert", "expr", "for", "labels")
    expect([stuck[key] for key in told] == [chinese[key] for key in told], "the languages differ in more than their texts")


def check_routes(folder):
    """No route groups and no inhibition compares by a label that the alerts do not have, or all clusters would be one."""
    file = folder / "deploy/alertmanager/alertmanager.yml"
    expect(file.exists(), "the routes are not built")
    if not file.exists():
        return
    text = file.read_text()
    expect("<cluster>" not in text, "alertmanager.yml: a placeholder is left")
    config = yaml.safe_load(text)
    matchers = [one for rule in config["inhibit_rules"] for key in ("source_matchers", "target_matchers") for one in rule[key]]
    groups = [label for rule in config["inhibit_rules"] for label in rule["equal"]]
    waiting = [config["route"]]
    while waiting:
        route = waiting.pop()
        matchers += route.get("matchers", ())
        groups += route.get("group_by", ())
        waiting += route.get("routes", ())
    expect("ack_cluster" in groups and 'ack_cluster = ""' in matchers, "alertmanager.yml: does not go by the label ack_cluster")
    for words in (*groups, *matchers):
        expect(not re.search(r"\bcluster\b", words), f"alertmanager.yml: the label is still called cluster: {words}")
    subprocess.run(["amtool", "check-config", file], check=True, stdout=subprocess.DEVNULL)


def texts(value):
    """Every text of a dashboard that is not for people."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from texts(one) if key not in ("title", "description", "tooltip") else ()
            yield key
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def check_dashboards(folder):
    files = sorted(folder.glob("dashboards/*.json"))
    expect(len(files) == 3, f"built {files}")
    for file in files:
        for text in texts(json.loads(file.read_text())):
            expect("<cluster>" not in text, f"{file.name}: a placeholder is left: {text}")
            found = CLUSTER_AS_LABEL.search(text)
            expect(not found, f"{file.name}: the label is still called cluster: {text}")
            check_expression(file.name, text)
    fleet = next(file for file in files if file.name == "fleet.json").read_text()
    expect("squad" in fleet and "Squad" in fleet, "fleet.json: the owner's label is not the one configured")
    for label in ("owner", "team"):
        expect(f", {label}" not in fleet, f"fleet.json: asks for the label {label}, which is not configured")


def check_language(folder):
    """With the language Chinese, the rules of the usual path are Chinese and there once, and the dashboards link the Chinese runbooks."""
    shipped = yaml.safe_load((ROOT / "deploy/prometheus/zh-CN/alerts.yml").read_text())
    alerts = yaml.safe_load((folder / "deploy/prometheus/alerts.yml").read_text())
    expect(alerts == shipped, "alerts.yml is not in the language configured")
    for twice in ("deploy/prometheus/zh-CN", "deploy/kubernetes/components/prometheus-operator-zh-CN"):
        expect(not (folder / twice).exists(), f"{twice} has the alerts once more")
    for file in folder.glob("dashboards/*.json"):
        text = file.read_text()
        expect("/runbooks" in text and not re.search("/runbooks(?!/zh-CN)", text), f"{file.name}: does not link the Chinese runbooks")


def main():
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, ROOT / "deploy/mixin/build", f"--config={json.dumps(SETTINGS)}", f"--output={folder}"]
        subprocess.run(build, check=True)
        check_rules(pathlib.Path(folder))
        check_routes(pathlib.Path(folder))
        check_dashboards(pathlib.Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, ROOT / "deploy/mixin/build", '--config={"language": "zh"}', f"--output={folder}"], check=True)
        check_language(pathlib.Path(folder))
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
