#!/usr/bin/env python3
"""A bad day on a real Prometheus and Alertmanager with the shipped rules and routes: the notifications, their number and their times.

Every trouble has exporters and an account of its own, played by pages made here, so that all of them pass at once. Times are those that
ship over 60: a minute is a second. Fails unless each trouble is told as it should be, and prints a table of what was sent.

With --cluster-label=NAME the pages have that label, as with metrics.cluster_label, and rules and routes are built for it; that needs the
packages of deploy/mixin/build.
"""

import argparse
import contextlib
import dataclasses
import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from alertmanager import Receiver, start_alertmanager  # noqa: E402
from programs import ROOT, Failed, Programs, wait_for  # noqa: E402

# Shorter than the 71 after which AckUpgradeManyFailed ends, and what has not been mended pages again.
DAY = 65
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# What the API says of a failure, and how Slack has to get it.
MESSAGE = 'drain <node> & "x" timed out'
ESCAPED = 'drain &lt;node&gt; &amp; "x" timed out'
STATUSES = ("none", "running", "pause", "success", "fail", "canceled", "unknown")


def scaled(text):
    """The same with every duration over 60."""

    def shorter(found):
        milliseconds = int(found.group(1)) * UNITS[found.group(2)] * 1000 // 60
        return f"{milliseconds}ms"

    return re.sub(r"\b(\d+)([smhd])\b", shorter, text)


@dataclasses.dataclass
class Cluster:
    name: str
    status: str = "none"
    task: str = "T-1"
    silent: bool = False


class Exporter:
    """A page with the series that the alerts ask for."""

    # The exporter's metrics.cluster_label.
    label = "cluster"

    def __init__(self, account, clusters):
        self.account, self.clusters = account, clusters
        self.up = True
        self.silent = False
        self.throttled = False
        self.plans_fail = False
        self.began = time.monotonic()
        self.source = "tasks"
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if not exporter.up:
                    return self.send_error(503)
                page = exporter.page(self.path).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.end_headers()
                # On a busy machine Prometheus may have timed out.
                with contextlib.suppress(OSError):
                    self.wfile.write(page)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{server.server_port}"

    def page(self, path):
        probed = re.match(r"/probe\?target=(.*)", path)
        clusters = {probed.group(1): self.clusters[probed.group(1)]} if probed else dict(self.clusters)
        lines = [line for id, cluster in clusters.items() for line in self.series(id, cluster)]
        if not probed:
            lines.append('ack_upgrade_exporter_build_info{version="0"} 1')
            lines.append(f"cs_exporter_clusters {len(clusters)}")
            lines.append(f'cs_exporter_source_info{{account="{self.account}",region="cn-hangzhou",source="{self.source}"}} 1')
            lines += self.requests()
        return "\n".join(lines) + "\n"

    def requests(self):
        """Ten requests a second, of which some may be throttled, and the queries about a region."""
        count = int((time.monotonic() - self.began) * 10)
        yield f'cs_exporter_api_requests_total{{account="{self.account}",operation="DescribeClusterTasks"}} {count}'
        yield f'cs_exporter_api_request_failures_total{{account="{self.account}",operation="DescribeClusterTasks",reason="throttled"}} {count * self.throttled}'
        yield f'cs_query_up{{query="plans",account="{self.account}",region="cn-hangzhou"}} {int(not self.plans_fail)}'

    def series(self, id, cluster):
        yield f'cs_cluster_info{{{self.label}="{id}",name="{cluster.name}",account="{self.account}",region="cn-hangzhou"}} 1'
        silent = self.silent or cluster.silent
        yield f'cs_up{{{self.label}="{id}"}} {int(not silent)}'
        if silent:
            return
        for status in STATUSES:
            yield f'cs_upgrade_status{{{self.label}="{id}",status="{status}"}} {int(status == cluster.status)}'
        attempt = f'task_id="{cluster.task}"' if self.source == "tasks" else f'precheck_report_id="report of {cluster.task}"'
        yield f'cs_upgrade_info{{{self.label}="{id}",source="{self.source}",{attempt}}} 1'
        if cluster.status in ("fail", "pause"):
            yield f'cs_upgrade_error_info{{{self.label}="{id}",message={json.dumps(MESSAGE)}}} 1'


class Trouble:
    """One failure, with its exporter and the expected notifications."""

    # Pages of each alert: firing, resolved.
    pages = {}
    # Alerts that the chat must have been told of.
    chat = ()
    # Alerts of which the chat must not have been told, since another holds them back.
    quiet = ()
    clusters = 3
    job_settings = ""
    jobs_gone = ()

    def __init__(self):
        self.account = type(self).__name__.lower()
        self.exporter = Exporter(self.account, {f"{self.account}-{number}": Cluster(f"n{number}") for number in range(self.clusters)})
        self.first = self.exporter.clusters.get(f"{self.account}-0")
        self.began = None

    def jobs(self):
        """Its scrape configurations, by the name of the job."""
        return {self.account: f"honor_labels: true\n    {self.job_settings}static_configs: [{{targets: ['{self.exporter.address}']}}]"}

    def play(self, second):
        """Called once a second."""
        raise NotImplementedError


class Fails(Trouble):
    """an upgrade fails"""

    pages = {"AckUpgradeFailed": (1, 0)}
    chat = ("AckUpgradeFailed",)

    def play(self, second):
        if second == 0:
            self.first.status = "fail"


class Flaps(Fails):
    """an upgrade fails, and the API answers every third query"""

    def play(self, second):
        super().play(second)
        self.exporter.silent = second % 3 != 0


class Replaced(Fails):
    """an upgrade fails, and the exporter restarts three times"""

    def play(self, second):
        super().play(second)
        self.exporter.up = second not in (20, 21, 22, 35, 36, 37, 50, 51, 52)


class Renamed(Fails):
    """an upgrade fails, and the cluster gets another name"""

    def play(self, second):
        super().play(second)
        if second == 25:
            self.first.name = "other"


class Switched(Fails):
    """an upgrade fails, and the source changes to the tasks"""

    def play(self, second):
        super().play(second)
        self.exporter.source = "upgrade_status" if second < 25 else "tasks"


class SwitchedBack(Fails):
    """an upgrade fails, and the source changes from the tasks"""

    def play(self, second):
        super().play(second)
        self.exporter.source = "tasks" if second < 25 else "upgrade_status"


class Retried(Trouble):
    """a failed upgrade is repeated and fails again within five minutes"""

    pages = {"AckUpgradeFailed": (2, 1)}

    def play(self, second):
        if second == 0:
            self.first.status = "fail"
        if second == 15:
            self.first.status, self.first.task = "running", "T-2"
        if second == 18:
            self.first.status = "fail"


class Removed(Trouble):
    """a cluster whose upgrade failed is removed"""

    pages = {"AckUpgradeFailed": (1, 1)}

    def play(self, second):
        if second == 0:
            self.first.status = "fail"
        if second == 20:
            del self.exporter.clusters[f"{self.account}-0"]


class Probed(Trouble):
    """Its clusters are probed as in scrape/probe.yml, and the exporter's own page is another job."""

    def jobs(self):
        probes = ", ".join(f"'{id}'" for id in self.exporter.clusters)
        probe = (ROOT / "deploy/prometheus/scrape/probe.yml").read_text()
        return {
            f"{self.account}-probe": f"""honor_labels: true
    metrics_path: /probe
    static_configs: [{{targets: [{probes}]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: '{self.exporter.address}'}}""",
            self.account: f"honor_labels: true\n    static_configs: [{{targets: ['{self.exporter.address}']}}]\n{probe[probe.index('    metric_relabel_configs'):]}",
        }


class Outage(Probed):
    """an upgrade has failed, and the exporter behind probe.yml dies"""

    pages = {"AckUpgradeFailed": (1, 0), "AckUpgradeExporterDown": (1, 0)}

    def play(self, second):
        if second == 0:
            self.first.status = "fail"
        if second == 20:
            self.exporter.up = False


class Throttled(Probed):
    """behind probe.yml, throttling leaves a cluster without an answer"""

    chat = ("AckUpgradeThrottled",)
    quiet = ("AckUpgradeClusterNotAnswering",)

    def play(self, second):
        self.exporter.throttled = True
        # By when it has gone without an answer for long enough, the throttling fires.
        self.first.silent = second >= 15


class PlansFail(Probed):
    """behind probe.yml, the plans of an account cannot be read"""

    chat = ("AckUpgradeWatchFailing",)

    def __init__(self):
        super().__init__()
        # Before the day, which is hardly longer than the hour after which the alert fires.
        self.exporter.plans_fail = True

    def play(self, second):
        pass


class Beside(Trouble):
    """an upgrade fails, and that of another cluster is paused on an error"""

    pages = {"AckUpgradeFailed": (1, 0), "AckUpgradePausedOnError": (1, 0)}

    def play(self, second):
        if second == 0:
            self.first.status = "fail"
        if second == 10:
            self.exporter.clusters["beside-1"].status = "pause"


class NewJob(Fails):
    """a job gets another name while an upgrade has failed"""

    # The old job's alert ends, and the new job's is in the same group: there is no second page.
    chat = ("AckUpgradeJobRenamed",)
    pages = {"AckUpgradeFailed": (2, 1)}

    def __init__(self):
        super().__init__()
        self.name = "newjob-old"

    def jobs(self):
        return {self.name: super().jobs()["newjob"]}

    def play(self, second):
        super().play(second)
        if second == 25:
            self.name = "newjob-new"
            return True
        return False


class LostLabel(Trouble):
    """honor_labels is lost while an upgrade fails"""

    pages = {"AckUpgradeClusterLabelLost": (1, 0)}

    def jobs(self):
        return {self.account: f"static_configs: [{{targets: ['{self.exporter.address}'], labels: {{{Exporter.label}: prometheus-1}}}}]"}

    def play(self, second):
        if second == 0:
            self.first.status = "fail"


class Empty(Trouble):
    """an exporter that finds no clusters"""

    pages = {"AckUpgradeNoClusters": (1, 0)}
    clusters = 0

    def play(self, second):
        pass


class Many(Trouble):
    """40 of 300 clusters fail at once"""

    pages = {"AckUpgradeManyFailed": (1, 0)}
    chat = ("AckUpgradeManyFailed",)
    clusters = 300

    def play(self, second):
        if second == 0:
            for cluster in list(self.exporter.clusters.values())[:40]:
                cluster.status = "fail"


class Network(Trouble):
    """none of 300 clusters answers"""

    pages = {"AckUpgradeAccountNotAnswering": (1, 0)}
    chat = ("AckUpgradeAccountNotAnswering",)
    clusters = 300

    def play(self, second):
        self.exporter.silent = True


TROUBLES = (Fails, Flaps, Replaced, Renamed, Switched, SwitchedBack, Retried, Removed, Outage, Throttled, PlansFail, Beside, NewJob, LostLabel, Empty, Many, Network)


def routes(text):
    """The routes with shorter waits. The first is longer than a sixtieth of it: an evaluation takes a good part of a second here."""
    return text.replace("group_wait: 30s", "group_wait: 2s").replace("group_interval: 5m", "group_interval: 5s")


def configuration(alertmanager, troubles):
    text = (
        "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        "rule_files: [alerts.yml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n"
        "scrape_configs:\n"
    )
    for trouble in troubles:
        text += "".join(f"  - job_name: {name}\n    {settings}\n" for name, settings in trouble.jobs().items())
    return text


def sent(receiver, path, trouble, name):
    """Notifications to the pager or the chat about this trouble's alert, as (seconds since it began, its alerts)."""
    found = []
    for at, where, body in list(receiver.notifications):
        alerts = [alert for alert in body.get("alerts", ()) if alert["labels"]["alertname"] == name and belongs(alert, trouble)]
        if where == path and alerts:
            found.append((at - trouble.began, alerts))
    return found


def belongs(alert, trouble):
    return alert["labels"].get("account") == trouble.account or alert["labels"].get("job", "").split("-")[0] == trouble.account


def counted(notifications):
    """The number of notifications with a new alert, and of those with the end of one."""
    firing, resolved = [], []
    known, over = set(), set()
    for at, alerts in notifications:
        started = {(alert["fingerprint"], alert["startsAt"]) for alert in alerts if alert["status"] == "firing"}
        ended = {(alert["fingerprint"], alert["startsAt"]) for alert in alerts if alert["status"] == "resolved"}
        if started - known:
            firing.append(at)
        if ended - over:
            resolved.append(at)
        known |= started
        over |= ended
    return firing, resolved


def told_chat(receiver, trouble, name):
    """When the chat got a text with the name of the alert, the account and, of one failure, the message as Slack has to get it."""
    words = (name, trouble.account, ESCAPED if name == "AckUpgradeFailed" else "")
    for at, where, body in list(receiver.notifications):
        if where == "/chat" and all(word in body["attachments"][0]["text"] for word in words):
            return at - trouble.began
    return None


def judge(receiver, troubles):
    mistakes = []
    print(f"{'trouble':<72}{'alert':<32}{'pages at s':<16}{'ends at s':<12}")
    for trouble in troubles:
        names = {alert["labels"]["alertname"] for _, path, body in receiver.notifications if path == "/pager" for alert in body["alerts"] if belongs(alert, trouble)}
        for name in sorted(names | trouble.pages.keys()):
            firing, resolved = counted(sent(receiver, "/pager", trouble, name))
            times = [" ".join(f"{at:.0f}" for at in one) or "-" for one in (firing, resolved)]
            print(f"{trouble.__doc__:<72}{name:<32}{times[0]:<16}{times[1]:<12}")
            wanted = trouble.pages.get(name, (0, 0))
            if (len(firing), len(resolved)) != wanted:
                mistakes.append(f"{trouble.__doc__}: {name} paged {len(firing)} times and ended {len(resolved)} times, not {wanted}")
        for name in trouble.chat:
            at = told_chat(receiver, trouble, name)
            print(f"{trouble.__doc__:<72}{name:<32}{'chat ' + format(at, '.0f') if at is not None else 'chat -'}")
            if at is None:
                mistakes.append(f"{trouble.__doc__}: the chat was not told of {name}, or not in these words")
        mistakes += [f"{trouble.__doc__}: the chat was told of {name}" for name in trouble.quiet if told_chat(receiver, trouble, name) is not None]
    return mistakes


def failed_rules(prometheus):
    groups = prometheus.api("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    for group in groups:
        print(f"{group['name']}: {len(group['rules'])} rules in {group['evaluationTime'] * 1000:.0f} ms")
    return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule["health"] != "ok"]


def built(folder, label):
    """The top of a repository whose rules and routes go by this label."""
    if label == "cluster":
        return ROOT
    build = [sys.executable, ROOT / "deploy/mixin/build", f"--config={json.dumps({'clusterLabel': label})}", f"--output={folder}"]
    subprocess.run(build, check=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--cluster-label", default="cluster", metavar="NAME", help="the exporter's metrics.cluster_label")
    Exporter.label = parser.parse_args().cluster_label
    troubles = [trouble() for trouble in TROUBLES]
    receiver = Receiver()
    with Programs("bad-day") as programs:
        top = built(programs.folder / "built", Exporter.label)
        alertmanager = start_alertmanager(programs, receiver, routes, top)
        config = configuration(alertmanager, troubles)
        (programs.folder / "prometheus").mkdir()
        (programs.folder / "prometheus/alerts.yml").write_text(scaled((top / "deploy/prometheus/alerts.yml").read_text()))
        # Its own waiting times over 60, too.
        prometheus = programs.prometheus("prometheus", config, "--query.lookback-delta=5s", "--rules.alert.resend-delay=5s")
        wait_for("every exporter is scraped", 30, lambda: len(prometheus.query("count by (job) (up == 1)")) == len(re.findall("job_name", config)))
        time.sleep(6)
        for second in range(DAY):
            for trouble in troubles:
                trouble.began = trouble.began or time.time()
                if trouble.play(second):
                    (programs.folder / "prometheus/prometheus.yml").write_text(configuration(alertmanager, troubles))
                    prometheus.child.send_signal(1)
            time.sleep(1)
        mistakes = judge(receiver, troubles) + failed_rules(prometheus)
    if mistakes:
        raise Failed("\n".join(mistakes))


try:
    main()
except Failed as failed:
    sys.exit(f"bad_day.py: {failed}")
