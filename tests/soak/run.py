#!/usr/bin/env python3
"""A long run of the exporter with a simulated account in accelerated time, faults, and two Prometheus servers.

Meanwhile keys are rotated and expire, good and bad configurations are reloaded by signal, HTTP and polling, clusters
come and go, and clients read the pages. At the end memory, descriptors and threads must be constant, no connection may
stay open without requests, and the data of each Prometheus must agree with the history of the simulator.

    tests/soak/run.py                  two minutes, as tests/run does it
    tests/soak/run.py --minutes 60     the real one
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import sys
import time
import urllib.parse
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from compare import Comparison, History, Rules  # noqa: E402
from measure import MIB, Meter  # noqa: E402
from programs import ROOT, Failed, Programs, answers, get, wait_for  # noqa: E402
from upheaval import SECRETS, Keys, Reloads, Repeated, Visitors, configuration, put  # noqa: E402

RULES = Rules(interval=4, timeout=4, max_age=10, grace=45)

PROMETHEUS = """
global: {{scrape_interval: {interval}s, scrape_timeout: {timeout}s}}
scrape_configs:
  - job_name: ack
    honor_labels: true
    static_configs: [{{targets: ['{target}']}}]
"""


class Exporter:
    """The program under test."""

    def __init__(self, programs, binary, config):
        self.log = programs.folder / "exporter.log"
        flags = ["--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle", "--config.auto-reload-interval=2s"]
        self.child = programs.start("exporter", [binary, f"--config.file={config}", *flags])
        self.url = "http://" + wait_for("the exporter listens", 20, self.address)
        self.port = urllib.parse.urlparse(self.url).port

    def address(self):
        found = re.search(r"msg=listening address=(\S+)", self.log.read_text())
        return found and found.group(1)

    def page(self):
        return get(f"{self.url}/metrics")

    def metric(self, name):
        return re.search(rf"^{name} (\S+)$", self.page(), re.MULTILINE).group(1)

    def complaints(self):
        """The lines of the log that must not be there."""
        if self.child.poll() is not None:
            yield f"the exporter has ended with {self.child.returncode}"
        text = self.log.read_text()
        for word in ("panicked", "please report this"):
            if word in text:
                yield f"{word!r} is in the log"
        if re.search(SECRETS, text):
            yield "a secret is in the log"

    def log_lines(self):
        return Counter(re.findall(r'msg=("[^"]*"|\S+)', self.log.read_text()))


def left_open(meter, resting):
    """The file descriptors that are still open without requests; finds a single leak."""
    # Calls that were under way may go on for as long as a list may take.
    with contextlib.suppress(Failed):
        wait_for("nothing is open any more", 75, lambda: meter.descriptors() <= resting)
    found = meter.descriptors()
    print(f"descriptors at rest: {resting} at first, {found} at the end")
    if found > resting:
        yield f"descriptors: {resting} at rest at first, {found} at the end: {meter.open()}"


def soak(arguments, programs):
    folder = programs.folder
    world = programs.demo(
        arguments.simulator, f"--seed={arguments.seed}", f"--clusters={arguments.clusters}", "--ephemeral-clusters=12", "--key-lifetime=60s", "--faults=unruly",
        "--classic", "--scrape-interval=0s", "--log.level=error"
    )
    api = world["endpoint"]
    keys = Keys(folder, api)
    text = lambda variant: configuration(variant, api, f"{RULES.max_age}s")
    config = folder / "exporter.yml"
    put(config, text(None))
    exporter = Exporter(programs, arguments.binary, config)
    meter, reloads = Meter(exporter.child.pid), Reloads(exporter, config, text)
    time.sleep(1)
    resting = meter.descriptors()
    reloads.put_in_force(0)
    target = urllib.parse.urlparse(exporter.url).netloc
    settings = PROMETHEUS.format(interval=RULES.interval, timeout=RULES.timeout, target=target)
    servers = [programs.prometheus(name, settings) for name in ("one", "two")]
    residents = [life["cluster"] for life in json.loads(get(f"{api}/history"))["clusters"] if "created" not in life]
    # Lists that could not be read at first are tried again after half a minute.
    everything = f"count(cs_up{{cluster=~'{'|'.join(residents)}'}}) == {len(residents)}"
    wait_for("all residents are on the page", 120, lambda: all(server.query(everything) for server in servers))

    chores = {
        "samples of the process": Repeated(1, meter.read),
        "rotations of keys": Repeated(15, keys.rotate),
        "reloads": Repeated(5, reloads.next),
        "rounds of visitors": Repeated(4, Visitors(exporter).next),
    }
    began = time.time()
    for chore in chores.values():
        chore.start()
    end = began + arguments.minutes * 60
    while time.time() < end and exporter.child.poll() is None:
        time.sleep(0.5)
    ended = time.time()
    for chore in chores.values():
        chore.end()

    print(f"{(ended - began) / 60:.1f} minutes: " + ", ".join(f"{chore.done} {what}" for what, chore in chores.items()))
    print(f"{reloads.good} good configurations and {reloads.bad} bad ones")
    print("\n".join(meter.table()))
    print(f"resident: first {meter.samples[0].resident / MIB:.1f} MiB, last {meter.samples[-1].resident / MIB:.1f} MiB, {meter.slope() / MIB:+.2f} MiB an hour over the second half")
    actual = json.loads(get(f"{api}/history"))
    complaints = [*exporter.complaints(), *meter.complaints()]
    complaints += [f"{what}: {chore.wrong}" for what, chore in chores.items() if chore.wrong]
    for name, server in zip(("one", "two"), servers):
        comparison = Comparison(actual, History(server, began, ended), RULES, began, ended)
        print("\n".join(f"Prometheus {name}: {line}" for line in comparison.lines()))
        complaints += [f"Prometheus {name}: {complaint}" for complaint in comparison.complaints()]
    lines = exporter.log_lines()
    print(f"{sum(lines.values())} lines in the log: {dict(lines.most_common(12))}")
    if exporter.child.poll() is None:
        for server in servers:
            server.stop()
        reloads.put_in_force(None)
        complaints += left_open(meter, resting)
    if complaints:
        if arguments.keep:
            (pathlib.Path(arguments.keep)).write_text(exporter.log.read_text())
        raise Failed("\n".join(complaints))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = os.environ.get("EXPORTER", str(ROOT / "target/release/ack-upgrade-exporter"))
    parser.add_argument("--binary", default=binary, help="the exporter")
    parser.add_argument("--simulator", default=binary, help="the program that serves the simulated API")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--clusters", type=int, default=48, help="how many there are beside those that come and go")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="FILE", help="keep the exporter's log there if it fails")
    arguments = parser.parse_args()
    with Programs("soak") as programs:
        soak(arguments, programs)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
