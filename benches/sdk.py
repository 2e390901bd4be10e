#!/usr/bin/env python3
"""Cost of the same scrape in a simple exporter with the official Python SDK and prometheus_client.

    pip install alibabacloud_cs20151215 prometheus_client
    cargo bench --bench load -- api --latency 0ms      # prints an address
    python3 benches/sdk.py ADDRESS [CLUSTERS [SCRAPES]]

Prints CPU, wall and peak memory of one scrape: query every cluster, build nine series each, render the page.
"""

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from alibabacloud_cs20151215.client import Client
from alibabacloud_tea_openapi.models import Config
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

STATUSES = ["success", "fail", "pause", "running"]
STEPS = ["not_start", "prechecking", "upgrading", "pause", "success"]


class Upgrades:
    def __init__(self, client, clusters):
        self.client, self.clusters = client, clusters

    def collect(self):
        status = GaugeMetricFamily("cs_upgrade_status", "Status of the upgrade.", labels=["cluster", "status"])
        step = GaugeMetricFamily("cs_upgrade_step", "Step of the upgrade.", labels=["cluster", "step"])
        with ThreadPoolExecutor(16) as pool:
            responses = pool.map(lambda cluster: (cluster, self.client.get_upgrade_status(cluster).body), self.clusters)
            for cluster, response in responses:
                for value in STATUSES:
                    status.add_metric([cluster, value], response.status == value)
                for value in STEPS:
                    step.add_metric([cluster, value], response.upgrade_step == value)
        yield status
        yield step


def main():
    address = sys.argv[1]
    count, scrapes = (int(argument) for argument in (sys.argv[2:] + ["1000", "5"][len(sys.argv) - 2 :]))
    client = Client(Config(endpoint=address, protocol="HTTP", access_key_id="LTAI5tLoad", access_key_secret="load"))
    registry = CollectorRegistry()
    registry.register(Upgrades(client, [f"c{index:032x}" for index in range(count)]))
    generate_latest(registry)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(scrapes):
        page = generate_latest(registry)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} clusters: CPU {cpu / scrapes * 1e3:.0f} ms, wall {wall / scrapes * 1e3:.0f} ms, peak {peak:.0f} MiB, {len(page)} bytes")


main()
