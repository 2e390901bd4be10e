#!/usr/bin/env python3
"""Attacks the exporter from outside, and scrapes it meanwhile.

The exporter runs three times: in plain text, with TLS, and with TLS and a password. One process goes through all the
attacks on it, so the table at the end shows what each attack cost and what has stayed. An attack fails the run if the
process ends, if a scrape beside it fails or is slow, or if it needs more memory than its bound.

    tests/siege/run.py                                       ten minutes
    tests/siege/run.py --short                               two minutes, as tests/run does it
    tests/siege/run.py --binary OTHER                        another build
    tests/siege/run.py --peer /usr/bin/prometheus-node-exporter
"""

import argparse
import asyncio
import logging
import os
import pathlib
import resource
import signal
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import http2  # noqa: E402
from programs import ROOT, Failed, Programs  # noqa: E402
from sieges import SIEGES, Siege  # noqa: E402
from target import MIB, Beside, Target, configurations  # noqa: E402

# What an attack may add to the resident memory, in MiB.
MORE_MEMORY = 64
# The seconds that a scrape beside it may take; that of the hanging cluster takes 4.5 s without an attack.
SLOWEST_SCRAPE = 12
# The part of the scrapes beside it that may fail.
FAILED_SCRAPES = 0.05
# What all attacks together may leave, in MiB: the allocator keeps what it has had.
LEFT_MEMORY = 96
# The seconds after SIGTERM; systemd and Kubernetes kill after 30.
STOP = 20


@dataclass
class Row:
    siege: Siege
    before: int
    peak: int
    after: int
    first: float | None
    slowest: float | None
    good: int
    failed: list

    def cells(self):
        mib = lambda size: f"{size / MIB:.1f}"
        seconds = lambda value: "none" if value is None else f"{value:.2f} s"
        return [
            self.siege.name, self.siege.target, mib(self.before), f"+{mib(self.peak - self.before)}", mib(self.after),
            seconds(self.first), seconds(self.slowest), str(self.good), ", ".join(f"{count} {what}" for what, count in Counter(self.failed).items()) or "0",
        ]

    def complaints(self):
        name = self.siege.name
        if not self.after:
            yield f"{name}: the process has ended"
        if self.first is None or max(self.first, self.slowest) > SLOWEST_SCRAPE:
            yield f"{name}: first good scrape after {self.first} s, the slowest took {self.slowest} s"
        if len(self.failed) > FAILED_SCRAPES * (self.good + len(self.failed)):
            yield f"{name}: {len(self.failed)} failed scrapes, {self.good} good; {sorted(set(map(str, self.failed)))[:5]}"
        if self.peak - self.before > MORE_MEMORY * MIB:
            yield f"{name}: {(self.peak - self.before) / MIB:.1f} MiB more"


HEADER = ["attack", "target", "RSS before", "at most", "after", "first scrape", "slowest", "good", "failed"]


class Peak(threading.Thread):
    """The highest resident memory while the block runs."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target, self.over, self.highest = target, threading.Event(), 0

    def run(self):
        while not self.over.wait(0.02):
            self.highest = max(self.highest, self.target.resident())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


async def attack(siege, target, seconds, scale):
    try:
        await asyncio.wait_for(siege.attack(target, scale), seconds)
    except TimeoutError:
        pass


def besiege(siege, target, seconds, scale):
    before = target.resident()
    with Peak(target) as peak, Beside(target) as beside:
        began = time.monotonic()
        asyncio.run(attack(siege, target, seconds, scale))
    time.sleep(1)
    good = [outcome for *_, outcome in beside.results if outcome == 200]
    return Row(siege, before, peak.highest, target.resident(), beside.first_good(began), beside.slowest(), len(good), beside.failed())


def starved(programs, binary, configs):
    """Few file descriptors: idle connections to the API, and a crowd at the door."""
    target = Target(programs, "plain", binary, configs, limits="ulimit -n 64;")
    crowd = [socket.create_connection(("127.0.0.1", target.port)) for _ in range(100)]
    began = time.monotonic()
    while target.scrape(timeout=5) != 200:
        if time.monotonic() - began > 60:
            yield "64 descriptors: no scrape within a minute"
            break
    waited = time.monotonic() - began
    time.sleep(2)
    lines = sum(count for message, count in target.logged().items() if "accept" in message)
    print(f"64 file descriptors and 100 idle clients: first scrape after {waited:.2f} s; {lines} lines in the log about connections")
    if waited > SLOWEST_SCRAPE or lines > 10:
        yield f"64 descriptors: {waited:.2f} s, {lines} lines"
    for one in crowd:
        one.close()
    target.child.kill()


def stopping(programs, binary, configs):
    """SIGTERM while a client of HTTP/2 does not take its response."""
    target = Target(programs, "tls", binary, configs)

    async def hold():
        _, writer = await target.connect("h2")
        writer.write(http2.hello(window=0) + http2.request(1, "/metrics"))
        await asyncio.sleep(2)
        target.child.send_signal(signal.SIGTERM)
        began = time.monotonic()
        while target.child.poll() is None and time.monotonic() - began < 100:
            await asyncio.sleep(0.1)
        writer.transport.abort()
        return time.monotonic() - began

    waited = asyncio.run(hold())
    print(f"SIGTERM with an unread response: ended after {waited:.1f} s")
    if waited > STOP:
        yield f"SIGTERM: {waited:.1f} s"
    target.child.kill()


def table(rows):
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)


def run(programs, arguments):
    configs = None
    if not arguments.peer:
        silent = socket.create_server(("127.0.0.1", 0), backlog=512)
        clusters = arguments.clusters or (2000 if arguments.short else 10_000)
        api = programs.demo(arguments.simulator, "--classic", f"--clusters={clusters}", "--log.level=error")["endpoint"]
        configs = configurations(programs.folder, api, f"127.0.0.1:{silent.getsockname()[1]}")
    binary = arguments.peer or arguments.binary
    is_chosen = lambda siege: not (siege.is_ours and arguments.peer) and (siege.is_short or not arguments.short)
    chosen = [siege for siege in filter(is_chosen, SIEGES) if (arguments.only or "") in siege.name]
    targets = {name: Target(programs, name, binary, configs) for name in dict.fromkeys(siege.target for siege in chosen)}
    seconds, scale = (3, 0.4) if arguments.short else (20, 1)
    start = {name: target.resident() for name, target in targets.items()}
    rows, complaints = [], []
    for siege in chosen:
        row = besiege(siege, targets[siege.target], max(seconds, siege.at_least), scale)
        print("  ".join(row.cells()), flush=True)
        rows.append(row)
        complaints += row.complaints()
        if not row.after:
            targets[siege.target] = Target(programs, siege.target, binary, configs)
            start[siege.target] = targets[siege.target].resident()
    print("\n" + table(rows) + "\n")
    for name, target in targets.items():
        left = target.resident() - start[name]
        print(f"{name}: {start[name] / MIB:.1f} MiB resident at first, {target.resident() / MIB:.1f} after all; log: {dict(target.logged().most_common(5))}")
        if left > LEFT_MEMORY * MIB:
            complaints.append(f"{name}: {left / MIB:.1f} MiB more after all attacks")
    for check in (starved, stopping):
        if not arguments.only or arguments.only == check.__name__:
            complaints += check(programs, binary, configs)
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = os.environ.get("EXPORTER", str(ROOT / "target/release/ack-upgrade-exporter"))
    parser.add_argument("--binary", default=binary, help="the exporter")
    parser.add_argument("--simulator", default=binary, help="the program that serves the simulated API")
    parser.add_argument("--peer", help="another exporter of the Prometheus family; its failures are only printed")
    parser.add_argument("--short", action="store_true", help="two minutes with 2,000 clusters")
    parser.add_argument("--clusters", type=int)
    parser.add_argument("--only", metavar="TEXT", help="the attacks with this in their name")
    arguments = parser.parse_args()
    # asyncio logs each write to a connection that the exporter has closed.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # A descriptor for each connection of the attackers.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Programs("siege") as programs:
        complaints = run(programs, arguments)
    print("\n".join(complaints))
    if complaints and not arguments.peer:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
