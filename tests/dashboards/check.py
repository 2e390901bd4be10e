#!/usr/bin/env python3
"""Checks the dashboards and the rules against the catalogue of metrics and against each other."""

import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARDS = sorted((ROOT / "dashboards").glob("*.json"))
RULES = sorted((ROOT / "deploy/prometheus").glob("*.yml"))
CHINESE = ROOT / "deploy/prometheus/zh-CN/alerts.yml"
RUNBOOKS = ROOT / "deploy/prometheus/runbooks"
PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"]
PARTS_ZH = ["含义", "影响", "诊断", "处理", "上报"]

# Metrics that Prometheus itself makes.
PROMETHEUS = {"up", "scrape_duration_seconds"}
# The series that Prometheus makes of alerts. They have no instance, and one alert has no job.
ALERTS = {"ALERTS", "ALERTS_FOR_STATE"}
# Labels that a scrape adds, those that operators may give their clusters, and those of alerts.
ADDED_LABELS = {"exported_cluster", "job", "instance", "pod", "container", "node", "owner", "team", "le"} | {"alertname", "alertstate", "severity"}
# Labels that queries make for themselves.
MADE_LABELS = {"attempt", "key", "ordinal", "total", "hit", "_order"}

# One meaning, one colour, everywhere.
COLOURS = {
    "Failed": "#FA4942", "Paused on error": "#FA4942", "Paused": "#FEC123", "Unknown": "#770FEE", "Not answering": "#710200",
    "Running": "#3981E0", "Success": "#83E9A5", "Canceled": "#364464", "None": "#8A8D91", "Never upgraded": "#8A8D91",
    "Not started": "#8A8D91", "Prechecking": "#A9C8FC", "Upgrading": "#3981E0", "Answered": "#83E9A5",
}

STRING = re.compile(r'"(?:\\.|[^"\\])*"')
SELECTOR = re.compile(r"\b([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^{}]*)\}")
MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
METRIC = re.compile(r"\b(?:cs_[a-z_]+|ack_upgrade_exporter_[a-z_]+|process_[a-z_]+|probe_[a-z_]+|scrape_[a-z_]+|up)\b(?!:)")
RECORDED = re.compile(r"\b[a-z_]+:[a-z0-9_]+(?::[a-z0-9_]+)+\b")

mistakes = []


def mistake(where, what):
    mistakes.append(f"{where}: {what}")


def catalogue():
    """Name, kind and labels of every metric that the program declares."""
    text = "".join(path.read_text() for path in sorted((ROOT / "src/metrics").glob("**/*.rs")))
    found = re.findall(r'^\s*[A-Z_]+ =\s+(Gauge|Info|Counter|Histogram)\s+"([a-z_]+)"\s+\[([^\]]*)\]', text, re.M)
    assert len(found) > 30, "the catalogue is written in another way than this script knows"
    process = (ROOT / "crates/exporter-toolkit/src/process.rs").read_text()
    found += [(kind, name, "") for name, kind in re.findall(r'without_labels\(\s*"([a-z_]+)",\s*Kind::(\w+),', process)]
    metrics = {}
    for kind, name, labels in found:
        labels = set(re.findall(r'"([^"]+)"', labels))
        series = [name] if kind != "Histogram" else [name + suffix for suffix in ("_bucket", "_sum", "_count")]
        metrics.update({one: (kind, labels) for one in series})
    return metrics


def check_expression(where, expression, metrics):
    """Every metric and label of an expression is one of the catalogue's, and counters stand in rates."""
    labels_known = set().union(*(labels for _, labels in metrics.values())) | ADDED_LABELS | MADE_LABELS
    for name, matchers in SELECTOR.findall(expression):
        if name in metrics:
            for label, _ in MATCHER.findall(matchers):
                if label not in metrics[name][1] | ADDED_LABELS:
                    mistake(where, f"{name} has no label {label}")
    bare = STRING.sub('""', expression)
    for labels in GROUPING.findall(bare):
        for label in filter(None, (label.strip() for label in labels.split(","))):
            if label not in labels_known:
                mistake(where, f"no metric has the label {label}")
    for match in METRIC.finditer(re.sub(r"\{[^{}]*\}", "", RECORDED.sub("", bare))):
        if match.group(0) not in metrics and match.group(0) not in PROMETHEUS:
            mistake(where, f"{match.group(0)} is not in the catalogue")
    for name, (kind, _) in metrics.items():
        if kind in ("Gauge", "Info"):
            continue
        for match in re.finditer(rf"\b{name}\b", bare):
            if not re.search(r"\b(rate|irate|increase)\(\s*$", bare[: match.start()]):
                mistake(where, f"{name} counts, and is not in a rate")


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def mappings(value):
    """Every value mapping, wherever it stands."""
    if isinstance(value, dict):
        if value.get("type") == "value" and isinstance(value.get("options"), dict):
            yield from value["options"].values()
        if value.get("type") == "special":
            yield value["options"]["result"]
        for one in value.values():
            yield from mappings(one)
    elif isinstance(value, list):
        for one in value:
            yield from mappings(one)


def check_query(where, expression, metrics):
    check_expression(where, expression, metrics)
    bare = re.sub(r"\$__(rate_interval|interval|range)\b", "5m", expression)
    for name, matchers in SELECTOR.findall(bare):
        for needed in ['job=~"$job|"'] if name in ALERTS else ['job=~"$job"', 'instance=~"$instance"']:
            if needed not in matchers:
                mistake(where, f"{name} is not limited by {needed}")
    without = re.sub(r"\{[^{}]*\}", "{}", STRING.sub('""', bare))
    for match in METRIC.finditer(without):
        if not without[match.end() :].startswith("{"):
            mistake(where, f"{match.group(0)} has no selector")
    for window in re.findall(r"\b(?:rate|irate|increase)\([^\[]*\[([^\]]*)\]", expression):
        if window not in ("$__rate_interval", "$__range"):
            mistake(where, f"a rate over {window} rather than $__rate_interval")


def check_variables(where, dashboard, metrics):
    variables = dashboard["templating"]["list"]
    by_name = {variable["name"]: variable for variable in variables}
    sources = [variable for variable in variables if variable["type"] == "datasource"]
    if [(one["name"], one.get("label"), one.get("query")) for one in sources] != [("datasource", "Data source", "prometheus")]:
        mistake(where, "needs exactly one data source variable, `datasource`, labelled `Data source`")
    if [variable["name"] for variable in variables[:3]] != ["datasource", "job", "instance"]:
        mistake(where, "begins with other variables than datasource, job and instance")
    for name, label in (("job", "Job"), ("instance", "Instance")):
        variable = by_name.get(name, {})
        wanted = {"type": "query", "label": label, "multi": True, "includeAll": True, "allValue": ".+"}
        for key, value in wanted.items():
            if variable.get(key) != value:
                mistake(where, f"variable {name}: {key} is not {value!r}")
    for variable in variables:
        if variable["type"] != "query":
            continue
        name = f"{where}, variable {variable['name']}"
        if variable.get("refresh") != 2:
            mistake(name, "is not read again when the time changes")
        if variable.get("datasource", {}).get("uid") != "${datasource}":
            mistake(name, "has a data source of its own")
        check_expression(name, re.sub(r"^(label_values|query_result)\((.*)\)$", r"\2", variable["query"]).replace("$", ""), metrics)
        expected = {"instance": ["job"]}.get(variable["name"], [] if variable["name"] == "job" else ["job", "instance"])
        for other in expected:
            if f'{other}=~"${other}"' not in variable["query"]:
                mistake(name, f"is not limited by ${other}")


def check_dashboard(path, uids, metrics):
    """Returns the numbers of panels and queries."""
    where = path.name
    dashboard = json.loads(path.read_text())
    if dashboard.get("editable") is not False:
        mistake(where, "can be edited")
    if "id" in dashboard and dashboard["id"] is not None:
        mistake(where, "has an id of one server's database")
    check_variables(where, dashboard, metrics)
    panels = list(panels_of(dashboard))
    ids = [panel["id"] for panel in panels]
    for double in {one for one in ids if ids.count(one) > 1}:
        mistake(where, f"panel id {double} is there twice")
    cells = set()
    queries = 0
    for annotation in dashboard["annotations"]["list"]:
        if not annotation.get("builtIn"):
            queries += 1
            check_query(f"{where}, annotation {annotation['name']!r}", annotation["expr"], metrics)
    for panel in panels:
        spot = panel["gridPos"]
        taken = {(x, y) for x in range(spot["x"], spot["x"] + spot["w"]) for y in range(spot["y"], spot["y"] + spot["h"])}
        if taken & cells or spot["x"] + spot["w"] > 24:
            mistake(where, f"panel {panel['id']} lies on another, or over the edge")
        cells |= taken
        if panel["type"] == "row":
            continue
        name = f"{where}, panel {panel.get('title') or panel['id']!r}"
        for key in ("title", "description"):
            if not panel.get(key):
                mistake(name, f"has no {key}")
        if panel.get("datasource", {}).get("uid") != "${datasource}":
            mistake(name, "has a data source of its own")
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] in ("timeseries", "stat", "gauge", "bargauge") and not defaults.get("unit") and not defaults.get("mappings"):
            mistake(name, "has no unit")
        if not panel.get("targets"):
            mistake(name, "has no query")
        for target in panel.get("targets", []):
            queries += 1
            check_query(f"{name}, query {target['refId']}", target["expr"], metrics)
    for option in mappings(dashboard["panels"]):
        wanted = COLOURS.get(option.get("text"))
        if wanted and option.get("color") != wanted:
            mistake(where, f"{option['text']} is {option.get('color')} and not {wanted}")
    for panel in panels:
        wanted = COLOURS.get(panel.get("title"))
        if panel["type"] == "stat" and wanted and wanted not in strings(panel["fieldConfig"]["defaults"]["thresholds"]):
            mistake(where, f"the panel {panel['title']} is not {wanted}")
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            shown = {one["id"]: one.get("value") for one in override["properties"]}
            wanted = COLOURS.get(shown.get("displayName"))
            if wanted and shown.get("color", {}).get("fixedColor") != wanted:
                mistake(where, f"the series {shown['displayName']} is not {wanted}")
    for text in strings(dashboard):
        for uid in re.findall(r"/d/([a-zA-Z0-9_-]+)", text):
            if uid not in uids:
                mistake(where, f"links to {uid}, which is not there")
    return len(panels), queries


def check_alert(where, alert, uids, metrics):
    """Every alert has all annotations that the person on call needs."""
    name = alert["alert"]
    annotations = alert["annotations"]
    if not re.match("Ack(Upgrade|Cluster|NodePool)[A-Z]", name):
        mistake(where, "does not begin with AckUpgrade, AckCluster or AckNodePool")
    if "for" not in alert:
        mistake(where, "has no `for`")
    if alert["labels"]["severity"] not in ("critical", "warning", "info"):
        mistake(where, "has no severity of critical, warning or info")
    if not annotations["summary"].endswith((".", "。")):
        mistake(where, "its summary is not a sentence with a full stop")
    if "{{" not in annotations["description"]:
        mistake(where, "its description names nothing")
    if not re.fullmatch(rf"https://\S+/{name}", annotations["runbook_url"]):
        mistake(where, "its runbook_url does not end in its name")
    address = annotations["runbook_url"].partition("/runbooks/")[2]
    if not (RUNBOOKS / f"{address}.md").exists():
        mistake(where, f"its runbook_url leads to {address}, which is not there")
    check_runbook(where, name, metrics)
    link = re.search(r"/d/([a-z-]+)", annotations["dashboard_url"])
    if not link or link.group(1) not in uids:
        mistake(where, "its dashboard_url leads to no dashboard")
    for template in re.findall(r"printf `([^`]*)`", " ".join(annotations.values())):
        check_expression(f"{where}, template", re.sub(r"%(\[\d+\])?s", "x", template), metrics)


def check_runbook(where, name, metrics):
    """Both languages have all parts, say what is normal, have links that lead somewhere, the same commands, and metrics that there are."""
    commands = []
    for path, parts, normal in ((RUNBOOKS / f"{name}.md", PARTS, "normal"), (RUNBOOKS / f"zh-CN/{name}.md", PARTS_ZH, "正常")):
        text = path.read_text() if path.exists() else ""
        file = path.relative_to(ROOT)
        if re.findall(r"^## (.*)$", text, re.M) != parts:
            mistake(where, f"{file} is not {', '.join(parts)}")
        if normal not in text.partition(f"## {parts[1]}")[0].lower():
            mistake(where, f"{file} does not say in its first part what is normal")
        links = re.findall(r"\]\(([^)\s]+)\)", text)
        if not links:
            mistake(where, f"{file} has no link")
        for link in links:
            if not link.startswith("https://") and not (path.parent / link).exists():
                mistake(where, f"{file} links to {link}, which is not there")
        commands.append(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))
        for metric in re.findall(r"\bcs_[a-z_]+\b", text):
            if metric not in metrics:
                mistake(path.name, f"{metric} is not in the catalogue")
    if not commands[0] or commands[0] != commands[1]:
        mistake(where, "its runbooks have no commands, or different ones")


def check_rules(path, uids, metrics):
    """Returns the rules of a file."""
    rules = [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    for rule in rules:
        where = f"{path.name}, {rule.get('alert') or rule['record']}"
        check_expression(where, rule["expr"], metrics)
        if "alert" in rule:
            check_alert(where, rule, uids, metrics)
    return rules


def check_documents(alerts):
    """The statements of the documents about the alerts."""
    for readme, text in (("README.md", f"[{len(alerts)} alerts](deploy/prometheus"), ("README.zh-CN.md", f"[{len(alerts)} 条告警](deploy/prometheus")):
        if text not in (ROOT / readme).read_text():
            mistake(readme, f"does not say {text}")
    for runbook in RUNBOOKS.glob("**/*.md"):
        if runbook.stem not in {"README"} | {alert["alert"] for alert in alerts}:
            mistake(runbook.name, "is about no alert")


def main():
    metrics = catalogue()
    uids = [json.loads(path.read_text())["uid"] for path in DASHBOARDS]
    if len(set(uids)) != len(uids):
        mistake("dashboards", "a uid is there twice")
    for path in DASHBOARDS:
        panels, queries = check_dashboard(path, uids, metrics)
        print(f"{path.relative_to(ROOT)}: {panels} panels, {queries} queries")
    rules = {path: check_rules(path, uids, metrics) for path in RULES}
    for path, found in rules.items():
        print(f"{path.relative_to(ROOT)}: {len(found)} rules")
    print(f"{CHINESE.relative_to(ROOT)}: {len(check_rules(CHINESE, uids, metrics))} rules")
    check_documents([rule for found in rules.values() for rule in found if "alert" in rule])
    for one in mistakes:
        print(one, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
