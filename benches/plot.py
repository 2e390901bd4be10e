#!/usr/bin/env python3
"""Draws how cost grows from what `cargo bench --bench load` prints.

    pip install matplotlib
    cargo bench --bench load -- --latency 0ms --clusters 1 … | tee table.md
    python3 benches/plot.py table.md dashboards/pictures/cost.svg
"""

import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

PANELS = [
    ("CPU of a scrape, ms", [("exporter", "CPU, ms"), ("bare client", "bare CPU, ms")]),
    ("wall time of a scrape, ms", [("exporter", "wall, ms"), ("bare client", "bare wall, ms")]),
    ("resident memory, MiB", [("after many scrapes", "resident, MiB"), ("before the first", "idle, MiB")]),
]


def rows(path):
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in open(path) if line.startswith("|")]
    head, _, *body = cells
    # "ratio" stands twice and is not drawn.
    return [dict(zip(head, map(float, row))) for row in body]


def main():
    table = sorted(rows(sys.argv[1]), key=lambda row: row["clusters"])
    clusters = [row["clusters"] for row in table]
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(12, 3.6), layout="constrained")
    for axis, (title, lines) in zip(axes, PANELS):
        for label, column in lines:
            axis.plot(clusters, [row[column] for row in table], marker="o", label=label)
        axis.set(title=title, xlabel="clusters", xlim=0, ylim=0)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(sys.argv[2])


main()
