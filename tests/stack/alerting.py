#!/usr/bin/env python3
"""From a failed upgrade in the demo's world to the receiver of a notification, and every query of every dashboard.

Runs the demo, Prometheus, Alertmanager and a receiver on free ports. The rules, the routes and the template are those that
ship; only their waiting times are shortened, since an hour in the demo's world is a minute (--as-shipped leaves them).
"""

import argparse
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a healthy demo has nothing of, or nothing yet; a query over it may be empty.
ABSENT_FROM_THE_DEMO = {
    "cs_query_failure": "every cluster answers",
    "cs_exporter_credentials_expiry_timestamp_seconds": "its key does not expire",
    "cs_exporter_discovery_success": "its clusters are listed",
    "cs_exporter_discovered_clusters": "its clusters are listed",
    "cs_cluster_state": "its list is not read",
    "cs_upgrade_started_timestamp_seconds": "its source tells no time",
    "cs_upgrade_updated_timestamp_seconds": "its source tells no time",
    "scrape_timeout_seconds": "needs extra scrape metrics",
}
EMPTY_WHEN_ALL_IS_WELL = {
    "Not answering": "every cluster answers",
    "Failed requests by reason": "no request fails",
    "Version": "its list is not read",
    "Versions": "its list is not read",
    "Upgrades available": "its list is not read",
    "Target": "its source tells no version",
}


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url, timeout=30):
    with urllib.request.urlopen(url, timeout=timeout) as reply:
        return reply.read().decode()


def wait_for(what, seconds, look, pause=0.2):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(pause)


class Stack:
    """The programs; all of them end with it."""

    def __init__(self, arguments):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="alerting-"))
        self.children = []
        self.notifications = []
        self.arguments = arguments

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.kill()
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, **options):
        log = open(self.folder / f"{name}.log", "w")
        child = subprocess.Popen(command, stderr=log, **{"stdout": log, **options})
        self.children.append(child)
        return child

    def demo(self):
        command = [self.arguments.binary, "demo", "--web.listen-address=127.0.0.1:0", f"--seed={self.arguments.seed}"]
        child = self.start("demo", command, stdout=subprocess.PIPE, text=True)
        for line in child.stdout:
            if found := re.match(r"\s*metrics\s+(\S+)", line):
                self.metrics = found.group(1)
            if "Ctrl-C" in line:
                break
        threading.Thread(target=child.stdout.read, daemon=True).start()
        self.address = urllib.parse.urlparse(self.metrics).netloc

    def receiver(self):
        stack = self

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stack.notifications.append((time.time(), self.path, body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.receiver_url = f"http://127.0.0.1:{server.server_port}"

    def shortened(self, text):
        if self.arguments.as_shipped:
            return text
        text = re.sub(r"(\n +for): \S+", r"\1: 1s", text)
        text = re.sub(r"(\n +keep_firing_for): \S+", r"\1: 5s", text)
        return re.sub(r"(\n +group_(?:wait|interval)): \S+", r"\1: 1s", text)

    def alertmanager(self):
        shutil.copytree(ROOT / "deploy/alertmanager/templates", self.folder / "templates")
        slack = self.folder / "slack_url"
        slack.write_text(f"{self.receiver_url}/chat")
        text = self.shortened((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
        text = text.replace("http://pager.example.com/ack-upgrade", f"{self.receiver_url}/pager").replace("/etc/alertmanager/slack_url", str(slack))
        config = self.folder / "alertmanager.yml"
        config.write_text(text)
        port = free_port()
        program = shutil.which("prometheus-alertmanager") or "alertmanager"
        self.start("alertmanager", [program, f"--config.file={config}", f"--storage.path={self.folder / 'am'}", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="])
        return port

    def prometheus(self):
        alertmanager = self.alertmanager()
        for name in ("alerts.yml", "recording.yml"):
            (self.folder / name).write_text(self.shortened((ROOT / "deploy/prometheus" / name).read_text()))
        config = self.folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
            "rule_files: [alerts.yml, recording.yml]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}\n"
            "scrape_configs:\n  - job_name: ack-upgrade-exporter\n    honor_labels: true\n"
            f"    static_configs: [{{targets: ['{self.address}']}}]\n"
        )
        port = free_port()
        self.start("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"])
        self.prometheus_url = f"http://127.0.0.1:{port}"
        wait_for("Prometheus scrapes the demo", 60, lambda: self.ready() and self.query("count(cs_up) == 12"))

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
    """Watches the demo's page for upgrades that fail, since the world does not announce them."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url = url
        self.failing = None
        self.failures = []
        self.names = {}
        self.start()

    def run(self):
        while True:
            try:
                page = get(self.url)
            except OSError:
                return
            now = time.time()
            failing = set(re.findall(r'cs_upgrade_status\{cluster="([^"]+)",status="fail"\} 1', page))
            messages = dict(re.findall(r'cs_upgrade_error_info\{cluster="([^"]+)",message="((?:\\.|[^"\\])*)"', page))
            self.names.update(re.findall(r'cs_cluster_info\{cluster="([^"]+)",name="([^"]*)"', page))
            for cluster in failing - (failing if self.failing is None else self.failing):
                self.failures.append((now, cluster, messages.get(cluster, "").replace('\\"', '"')))
            self.failing = failing
            time.sleep(0.2)


def follow(stack, world, count, seconds):
    """Waits until `count` failures that began under our eyes have arrived, and prints how long each took."""
    told = set()

    def arrived():
        for failure in world.failures:
            since, cluster, message = failure
            if failure in told:
                continue
            for at, path, body in stack.notifications:
                if path != "/pager" or at < since or body["commonLabels"].get("alertname") != "AckUpgradeFailed":
                    continue
                alert = next((one for one in body["alerts"] if one["labels"].get("cluster") == cluster and one["status"] == "firing"), None)
                if not alert:
                    continue
                description = alert["annotations"]["description"]
                for part in (message, cluster, world.names[cluster]):
                    if part not in description:
                        raise Failed(f"{description!r} does not say {part!r}")
                chat = wait_for("the same in the chat", 10, lambda: [body for at, path, body in stack.notifications if path == "/chat" and at >= since and message in json.dumps(body, ensure_ascii=False).replace('\\"', '"')])
                told.add(failure)
                print(f"{world.names[cluster]}: {at - since:.1f} s from the failure to the webhook: {description}")
                print(f"  in the chat: {chat[0]['attachments'][0]['title']}")
                break
        return len(told) >= count

    wait_for(f"{count} failures reach the webhook", seconds, arrived)


def check_rules(stack):
    groups = stack.api("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    for rule in rules:
        if rule["health"] != "ok":
            raise Failed(f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}")
    slowest = max(rules, key=lambda rule: rule["evaluationTime"])
    print(f"{len(rules)} rules evaluated without error, the slowest, {slowest['name']}, in {slowest['evaluationTime'] * 1000:.1f} ms")


def interpolate(expression, cluster):
    values = {"$__rate_interval": "15s", "$__range": "5m", "$__interval": "5s"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    expression = expression.replace('cluster="$cluster"', f'cluster="{cluster}"')
    return re.sub(r"\$(job|instance|account|region|cluster)\b", ".+", expression)


def check_dashboards(stack):
    cluster = stack.query("topk(1, cs_up)")[0]["metric"]["cluster"]
    broken = []
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        print(f"{path.name}:")
        for variable in dashboard["templating"]["list"]:
            if variable["type"] != "query":
                continue
            inner = interpolate(re.sub(r"^(?:label_values|query_result)\((.*?)(?:, [a-z]+)?\)$", r"\1", variable["query"]), cluster)
            if not stack.query(inner):
                broken.append(f"{path.name}, variable {variable['name']}: no values")
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                expression = interpolate(target["expr"], cluster)
                if target.get("instant"):
                    result = stack.query(expression)
                    points = len(result)
                else:
                    result = stack.api("query_range", query=expression, start=time.time() - 60, end=time.time(), step=5)["result"]
                    points = sum(len(series["values"]) for series in result)
                why = ""
                if not result:
                    names = [name for name in ABSENT_FROM_THE_DEMO if name in expression and not stack.query(f"last_over_time({name}[5m])")]
                    why = ABSENT_FROM_THE_DEMO[names[0]] if names else EMPTY_WHEN_ALL_IS_WELL.get(panel["title"], "")
                    if not why:
                        broken.append(f"{path.name}, {panel['title']}, query {target['refId']}: no data")
                print(f"  {panel['title']} {target['refId']}: {len(result)} series, {points} points{f' ({why})' if why else ''}")
    if broken:
        raise Failed("\n".join(broken))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / "target/release/ack-upgrade-exporter"))
    parser.add_argument("--seed", default="1")
    parser.add_argument("--failures", type=int, default=2, help="how many failures to follow")
    parser.add_argument("--timeout", type=int, default=300)
    parser.add_argument("--as-shipped", action="store_true", help="with the waiting times of the files")
    arguments = parser.parse_args()
    with Stack(arguments) as stack:
        stack.receiver()
        stack.demo()
        stack.prometheus()
        world = World(stack.metrics)
        follow(stack, world, arguments.failures, arguments.timeout)
        check_rules(stack)
        check_dashboards(stack)


try:
    main()
except Failed as failed:
    print(failed, file=sys.stderr)
    sys.exit(1)
