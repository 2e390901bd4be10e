#!/usr/bin/env python3
"""Resident memory of the exporter with several numbers of clusters, and after many scrapes.

The simulated API runs in another process. Each bar is the maximum for the exporter, in MiB. Without --check the bars are only
printed.

    tests/soak/memory.py                        idle, 1,000 and 10,000 clusters
    tests/soak/memory.py --scrapes 10000        and so many scrapes of 100 clusters in a row
"""

import argparse
import http.client
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from measure import MIB, Meter  # noqa: E402
from programs import ROOT, Failed, Programs  # noqa: E402
from run import Exporter  # noqa: E402
from upheaval import KEY, REGIONS, SECRET, put  # noqa: E402

IDLE = 12
BARS = {1_000: 30, 10_000: 120}


def configuration(api, scrape=""):
    return (
        f"scrape: {{{scrape}}}\naccounts:\n  - name: a\n    endpoint: {api}\n    source: upgrade_status\n    max_concurrency: 64\n"
        f"    credentials: {{type: access_key, access_key_id: {KEY}, access_key_secret: {SECRET}}}\n"
        f"    rate_limit: {{requests_per_second: 1000000, burst: 1000000}}\n    discovery: {{regions: [{REGIONS}]}}\n"
    )


class Fleet:
    """An exporter with a number of clusters."""

    def __init__(self, programs, arguments, clusters):
        self.clusters = clusters
        api = programs.demo(arguments.simulator, f"--clusters={clusters}", "--classic", "--scrape-interval=0s", "--log.level=error")["endpoint"]
        config = programs.folder / "exporter.yml"
        put(config, configuration(api))
        self.exporter = Exporter(programs, arguments.binary, config)
        self.meter = Meter(self.exporter.child.pid)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.exporter.port, timeout=120)

    def scrape(self, count):
        """Scrapes as Prometheus does, over one connection; the length of the last page."""
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "60", "Accept-Encoding": "gzip", "Accept": "application/openmetrics-text;version=1.0.0"}
        for _ in range(count):
            self.connection.request("GET", "/metrics", headers=headers)
            reply = self.connection.getresponse()
            page = reply.read()
            if reply.status != 200:
                raise Failed(f"a scrape was answered {reply.status}")
        return len(page)

    def resident(self):
        self.meter.read()
        return self.meter.samples[-1].resident / MIB

    def peak(self):
        with open(f"/proc/{self.exporter.child.pid}/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["VmHWM"].split()[0]) / 1024

    def check(self):
        up = self.exporter.page().count("\ncs_up{")
        if up != self.clusters:
            raise Failed(f"{up} clusters are on the page and not {self.clusters}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = os.environ.get("EXPORTER", str(ROOT / "target/release/ack-upgrade-exporter"))
    parser.add_argument("--binary", default=binary, help="the exporter")
    parser.add_argument("--simulator", default=binary, help="the program that serves the simulated API")
    parser.add_argument("--scrapes", type=int, default=0, help="so many scrapes of 100 clusters in a row")
    parser.add_argument("--check", action="store_true", help="fail where a bar is not held")
    arguments = parser.parse_args()
    over = []

    def show(what, resident, bar, more=""):
        print(f"{what}: {resident:.1f} MiB resident, at most {bar} wanted{more}", flush=True)
        if resident > bar:
            over.append(f"{what}: {resident:.1f} MiB and not {bar}")

    with Programs("memory") as programs:
        fleet = Fleet(programs, arguments, 12)
        time.sleep(2)
        show("idle, 12 clusters listed and not asked", fleet.resident(), IDLE)
    for clusters, bar in BARS.items():
        with Programs("memory") as programs:
            fleet = Fleet(programs, arguments, clusters)
            fleet.scrape(1)
            first = fleet.resident()
            length = fleet.scrape(30)
            fleet.check()
            show(f"{clusters} clusters after 31 scrapes", fleet.resident(), bar, f"; {first:.1f} after the first, peak {fleet.peak():.1f}; the page is {length} bytes in gzip")
    if arguments.scrapes:
        with Programs("memory") as programs:
            fleet = Fleet(programs, arguments, 100)
            for _ in range(100):
                fleet.scrape(arguments.scrapes // 100)
                fleet.meter.read()
            print("\n".join(fleet.meter.table(10)))
            over += fleet.meter.complaints()
    if over and arguments.check:
        raise Failed("\n".join(over))


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
