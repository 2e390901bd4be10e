#!/usr/bin/env python3
"""From a failed upgrade in the demo's world to the receiver of a notification and back, every query of every dashboard, and the
silence about clusters once the exporter is down.

Runs the demo, Prometheus, Alertmanager and a receiver on free ports. The rules, the routes and the template are those that
ship; only their waiting times are shortened, since an hour in the demo's world is a minute (--as-shipped leaves them).
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import sys
import threading
import time
import urllib.error
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from alertmanager import Receiver, start_alertmanager  # noqa: E402
from programs import ROOT, Failed, Programs, free_port, get, wait_for  # noqa: E402

CLUSTERS = 40

# The metrics of `watch`, which are read after the first scrapes.
WATCHED = re.compile(r"\bcs_(?:node_pool|addon|precheck|maintenance|cluster_auto|cluster_versions?|plan)_[a-z_]+")

# The queries that may be empty here, and why.
RIGHTLY_EMPTY = {
    "exporter.json, Credentials expire in, query A": "the demo's key does not expire",
    "exporter.json, Accounts, query B": "the demo's key does not expire",
    "exporter.json, Firing alerts, query A": "the exporter is well",
    "exporter.json, Firing alerts, query B": "the exporter is well",
    "cluster.json, In this state for, query B": "the upgrades of these clusters have not succeeded",
    "cluster.json, Upgrade duration, query A": "the upgrade of one has ended, and nothing is known of the other",
    "cluster.json, Support ends, query A": "the version of these clusters is supported",
    "cluster.json, Support ends, query B": "and for more than a month",
    "cluster.json, Support ends, query C": "or it is not",
    "cluster.json, Next plan, query A": "no operation is planned for these clusters",
    "cluster.json, Planned operations, query A": "none was",
    "cluster.json, Planned operations, query B": "none was",
    "cluster.json, Node pools, query D": "no node pool of these clusters has been upgraded yet",
    "cluster.json, Node pools, query I": "no upgrade of a node pool of these clusters has failed",
    "cluster.json, annotation Upgrade failed, query A": "the upgrade may have failed within the first seconds of Prometheus",
    "fleet.json, annotation Upgrade failed, query A": "that may be the only failure",
    "fleet.json, annotation Upgrade ended, query A": "none may have ended within the first seconds of Prometheus",
    "cluster.json, annotation Upgrade began, query A": "the upgrade may have begun before Prometheus did",
    "cluster.json, annotation Upgrade ended, query A": "the upgrade has not succeeded",
}


class Stack(Programs):
    """The demo, Prometheus, Alertmanager and a receiver."""

    def __init__(self, arguments):
        super().__init__("alerting")
        self.receiver = Receiver()
        self.arguments = arguments

    def demo(self, *more):
        """Starts a world of some size, which only Prometheus scrapes, and returns its process."""
        world = ["--scrape-interval=0s", f"--seed={self.arguments.seed}", f"--clusters={CLUSTERS}", "--log.level=error"]
        self.metrics = super().demo(self.arguments.binary, *world, *more)["metrics"]
        self.address = urllib.parse.urlparse(self.metrics).netloc
        return self.children[-1]

    def unruly_demo(self):
        """A demo in which one cluster never responds and some requests are throttled, so that all panels have data."""
        first = self.demo()
        # A seed's world always has the same clusters.
        *_, throttled, self.silent = sorted(re.findall(r'cs_up\{cluster="([^"]+)"', get(self.metrics)))
        first.kill()
        first.wait()
        self.exporter = self.demo(f"--faults=server-error=500@DescribeClusterTasks@cluster={self.silent}, throttled=429@cluster={throttled}:10%")

    def shortened(self, text):
        if self.arguments.as_shipped:
            return text
        text = re.sub(r"(\n +for): \S+", r"\1: 1s", text)
        text = re.sub(r"(\n +keep_firing_for): \S+", r"\1: 5s", text)
        text = re.sub(r"(\n +interval): \S+", r"\1: 1s", text)
        return re.sub(r"(\n +group_(?:wait|interval)): \S+", r"\1: 1s", text)

    def prometheus(self):
        self.alertmanager_url = f"http://{start_alertmanager(self, self.receiver, self.shortened)}"
        for name in ("alerts.yml", "recording.yml"):
            (self.folder / name).write_text(self.shortened((ROOT / "deploy/prometheus" / name).read_text()))
        config = self.folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
            "rule_files: [alerts.yml, recording.yml]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{urllib.parse.urlparse(self.alertmanager_url).netloc}']}}]}}]}}\n"
            "scrape_configs:\n  - job_name: ack-upgrade-exporter\n    honor_labels: true\n"
            f"    static_configs: [{{targets: ['{self.address}']}}]\n"
        )
        port = free_port()
        self.start("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"])
        self.prometheus_url = f"http://127.0.0.1:{port}"
        wait_for("Prometheus scrapes the demo", 60, lambda: self.ready() and self.query(f"count(cs_up) == {CLUSTERS}"))

    def ready(self):
        try:
            return get(f"{self.prometheus_url}/-/ready")
        except OSError:
            return False

    def api(self, path, **parameters):
        url = f"{self.prometheus_url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            return json.loads(get(url))["data"]
        except urllib.error.HTTPError as error:
            raise Failed(f"{parameters.get('query')}: {json.loads(error.read())['error']}") from error

    def query(self, expression):
        return self.api("query", query=expression)["result"]


class World(threading.Thread):
    """Watches the demo's page for upgrades that fail and for their end, since the world does not announce them."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url = url
        self.failing = None
        self.failures = []
        self.places = {}
        self.start()

    def run(self):
        while True:
            try:
                # As long as Prometheus waits here: without it the exporter may take ten seconds, and the world goes on.
                page = get(self.url, headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
            except OSError:
                return
            now = time.time()
            failing = set(re.findall(r'cs_upgrade_status\{cluster="([^"]+)",status="fail"\} 1', page))
            other = set(re.findall(r'cs_upgrade_status\{cluster="([^"]+)",status="(?!fail)[a-z]+"\} 1', page))
            messages = dict(re.findall(r'cs_upgrade_error_info\{cluster="([^"]+)",message="((?:\\.|[^"\\])*)"', page))
            for cluster, name, region in re.findall(r'cs_cluster_info\{cluster="([^"]+)",name="([^"]*)",account="[^"]*",region="([^"]*)"', page):
                self.places[cluster] = (name, region)
            before = failing if self.failing is None else self.failing
            self.failures += [Failure(cluster, now, messages.get(cluster, "").replace('\\"', '"')) for cluster in failing - before]
            for failure in self.failures:
                if failure.cluster in other:
                    failure.ended = failure.ended or now
            # A cluster without a response for a moment keeps its failure.
            self.failing = failing | (before - other)
            time.sleep(0.2)


@dataclasses.dataclass
class Failure:
    """An upgrade that failed during the test."""

    cluster: str
    began: float
    message: str
    ended: float = 0.0

    def notified(self, stack, status, since):
        """The first notification to the pager after `since` that has it in this status, with its time."""
        for at, path, body in list(stack.receiver.notifications):
            if path == "/pager" and at >= since and body["commonLabels"].get("alertname") == "AckUpgradeFailed":
                for alert in body["alerts"]:
                    if alert["labels"]["cluster"] == self.cluster and alert["status"] == status:
                        return at, alert
        return None

    def in_chat(self, stack):
        """The notifications to the chat about it."""
        for at, path, body in list(stack.receiver.notifications):
            if path == "/chat" and at >= self.began and self.message in " ".join(strings(body)):
                return body["attachments"][0]["title"]
        return None


def strings(value):
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)


def follow(stack, world, seconds):
    """Waits until a failure that began during the test reaches the pager and the chat, and returns it."""
    failure, (at, alert) = wait_for(
        "a failure reaches the webhook",
        seconds,
        lambda: next(((one, found) for one in list(world.failures) if (found := one.notified(stack, "firing", one.began))), None),
    )
    name, region = world.places[failure.cluster]
    description = alert["annotations"]["description"]
    for part in (failure.message, failure.cluster, name, region):
        if not part or part not in description:
            raise Failed(f"{description!r} does not say {part!r}")
    chat = wait_for("the same in the chat", 10, lambda: failure.in_chat(stack))
    print(f"{at - failure.began:.1f} s from the failure to the webhook: {description}")
    print(f"  in the chat: {chat}")
    return failure


def see_it_resolve(stack, world, seconds):
    """Waits until one of the failures has ended and the pager has got the notification of that."""

    def resolved():
        for one in list(world.failures):
            if one.notified(stack, "firing", one.began) and (found := one.notified(stack, "resolved", one.began)):
                if not one.ended:
                    raise Failed(f"{one.cluster} is called resolved while it still fails")
                return one, found
        return None

    failure, (at, _) = wait_for("a failure that is over resolves", seconds, resolved)
    name, _ = world.places[failure.cluster]
    print(f"{name} failed for {failure.ended - failure.began:.1f} s; {at - failure.ended:.1f} s from its end to the webhook")


def see_it_silenced(stack, seconds):
    """Ends the exporter, and waits until that is the only alert that fires."""
    stack.exporter.kill()
    began = time.time()

    def down():
        return next((at for at, path, body in list(stack.receiver.notifications) if path == "/pager" and body["commonLabels"].get("alertname") == "AckUpgradeExporterDown"), None)

    at = wait_for("the end of the exporter reaches the webhook", seconds, down)

    def others():
        alerts = json.loads(get(f"{stack.alertmanager_url}/api/v2/alerts?active=true&inhibited=true"))
        return [alert for alert in alerts if alert["labels"]["alertname"] != "AckUpgradeExporterDown"]

    def all_silenced():
        states = {alert["status"]["state"] for alert in others()}
        return states == {"suppressed"}

    wait_for("what is about clusters is silenced", 10, all_silenced)
    print(f"{at - began:.1f} s from the end of the exporter to the webhook, which silences {len(others())} other alerts")


def check_rules(stack):
    def evaluated():
        rules = [rule for group in stack.api("rules")["groups"] for rule in group["rules"]]
        return rules if all(rule["health"] != "unknown" for rule in rules) else None

    rules = wait_for("every rule is evaluated", 90, evaluated)
    for rule in rules:
        if rule["health"] != "ok":
            raise Failed(f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}")
    slowest = max(rules, key=lambda rule: rule["evaluationTime"])
    print(f"{len(rules)} rules evaluated without error, the slowest, {slowest['name']}, in {slowest['evaluationTime'] * 1000:.1f} ms")


def check_alertmanager(stack):
    """amtool does not see everything that Alertmanager has to say of its configuration."""
    complaints = [line for line in (stack.folder / "alertmanager.log").read_text().splitlines() if "level=warn" in line or "level=error" in line]
    if complaints:
        raise Failed("\n".join(complaints))


def interpolate(expression, cluster):
    values = {"$__rate_interval": "15s", "$__range": "5m", "$__interval_ms": "5000", "$__interval": "5s"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    expression = expression.replace('cluster="$cluster"', f'cluster="{cluster}"')
    return re.sub(r"\$(job|instance|account|region|cluster|status)\b", ".+", expression)


def variable_values(stack, variable, cluster):
    """The values that Grafana would offer for a variable."""
    kind, inner = re.match(r"(label_values|query_result)\((.*)\)$", variable["query"]).groups()
    if kind == "label_values":
        selector, label = inner.rsplit(", ", 1)
        return {series["metric"].get(label) for series in stack.query(interpolate(selector, cluster))}
    pattern = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
    lines = ("{" + ",".join(f'{key}="{value}"' for key, value in sorted(series["metric"].items())) + "} 1" for series in stack.query(interpolate(inner, cluster)))
    return {found.group("value") for line in lines if (found := pattern.search(line))}


class Query:
    """One query of a panel, sent as Grafana would."""

    def __init__(self, stack, target, cluster):
        expression = interpolate(target["expr"], cluster)
        began = time.monotonic()
        if target.get("instant"):
            self.series = stack.query(expression)
            self.points = len(self.series)
        else:
            now = time.time()
            self.series = stack.api("query_range", query=expression, start=now - 60, end=now, step=5)["result"]
            self.points = sum(len(one["values"]) for one in self.series)
        self.seconds = time.monotonic() - began


def check_timeline(query):
    """The rows are in the order of their ranks: what needs somebody is first."""
    ranks = [int(one["values"][-1][1]) for one in query.series]
    if ranks != sorted(ranks):
        raise Failed(f"the rows of the timeline are in the order {ranks}")
    if ranks[0] != 1:
        raise Failed("the timeline does not begin with an upgrade that failed")


def check_dashboards(stack, clusters):
    """Every variable has values and every query data, for one of these clusters at least, or is rightly empty."""
    broken = []
    count = 0
    slowest = (0, "")
    watched = {name for path in (ROOT / "dashboards").glob("*.json") for name in WATCHED.findall(path.read_text())}
    wait_for("the page has every metric of `watch`", 60, lambda: (page := get(stack.metrics)) and all(name in page for name in watched))
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        print(f"{path.name}:")
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                values = variable_values(stack, variable, clusters[0]) - {None, ""}
                print(f"  variable {variable['name']}: {len(values)} values")
                if not values:
                    broken.append(f"{path.name}, variable {variable['name']}: no values")
        annotations = [one for one in dashboard["annotations"]["list"] if not one.get("builtIn")]
        events = [{"title": f"annotation {one['name']}", "targets": [{"refId": "A", "expr": one["expr"]}]} for one in annotations]
        for panel in events + dashboard["panels"]:
            for target in panel["targets"]:
                count += 1
                where = f"{path.name}, {panel['title']}, query {target['refId']}"
                query = next((one for one in (Query(stack, target, cluster) for cluster in clusters) if one.series), None)
                if where == "fleet.json, Timeline, query A":
                    check_timeline(query)
                if query:
                    slowest = max(slowest, (query.seconds, where))
                    shown = f"{len(query.series)} series, {query.points} points"
                elif where in RIGHTLY_EMPTY:
                    shown = f"nothing, since {RIGHTLY_EMPTY[where]}"
                else:
                    shown = "NOTHING"
                    broken.append(f"{where}: no data")
                print(f"  {panel['title']} {target['refId']}: {shown}")
    if broken:
        raise Failed("\n".join(broken))
    print(f"{count} queries, the slowest in {slowest[0] * 1000:.0f} ms: {slowest[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--binary", default=os.environ.get("EXPORTER", str(ROOT / "target/release/ack-upgrade-exporter")))
    parser.add_argument("--seed", default="1")
    parser.add_argument("--timeout", type=int, default=180, help="seconds for a failure to be told, and for one to resolve")
    parser.add_argument("--as-shipped", action="store_true", help="with the waiting times of the files")
    arguments = parser.parse_args()
    with Stack(arguments) as stack:
        stack.unruly_demo()
        stack.prometheus()
        world = World(stack.metrics)
        failure = follow(stack, world, arguments.timeout)
        check_rules(stack)
        check_alertmanager(stack)
        # Some more, since a throttled query may leave one without data for a moment.
        check_dashboards(stack, [failure.cluster, stack.silent, *sorted(world.places)[:5]])
        see_it_resolve(stack, world, arguments.timeout)
        see_it_silenced(stack, arguments.timeout)


try:
    main()
except Failed as failed:
    sys.exit(f"alerting.py: {failed}")
