"""The resources of the process, and a check that they are constant."""

import contextlib
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass

MIB = 1 << 20


@dataclass
class Sample:
    at: float
    resident: int
    descriptors: int
    threads: int


class Meter:
    def __init__(self, pid):
        self.proc = f"/proc/{pid}"
        self.samples = []

    def descriptors(self):
        return len(os.listdir(f"{self.proc}/fd"))

    def open(self):
        """The file descriptors by kind, with their numbers."""
        found = Counter()
        for one in os.listdir(f"{self.proc}/fd"):
            with contextlib.suppress(OSError):
                found[os.readlink(f"{self.proc}/fd/{one}").split(":")[0]] += 1
        return dict(found)

    def read(self):
        with open(f"{self.proc}/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        resident = int(fields["VmRSS"].split()[0]) * 1024
        self.samples.append(Sample(time.time(), resident, self.descriptors(), int(fields["Threads"])))

    def table(self, parts=12):
        """The run in `parts`: minutes since its start, and the middle value and the highest of each measure."""
        began, ended = self.samples[0].at, self.samples[-1].at + 1e-6
        rows = []
        for part in range(parts):
            low, high = (began + (ended - began) * edge / parts for edge in (part, part + 1))
            inside = [sample for sample in self.samples if low <= sample.at < high]
            if inside:
                of = lambda name: [getattr(sample, name) for sample in inside]
                resident = of("resident")
                rows.append(
                    f"{(low - began) / 60:6.1f} min: resident {statistics.median(resident) / MIB:5.1f} MiB, at most {max(resident) / MIB:5.1f}; "
                    f"descriptors {statistics.median(of('descriptors')):.0f}, at most {max(of('descriptors'))}; threads at most {max(of('threads'))}"
                )
        return rows

    def complaints(self):
        """What is not flat. The first tenth is left out: caches and pools fill. Of the rest, the last third is held
        against the middle one, since what leaks by the scrape, reload or connection shows in every one of them."""
        rest = self.samples[len(self.samples) // 10 :]
        third = len(rest) // 3
        middle, last = rest[third : 2 * third], rest[2 * third :]
        found = []
        # What the allocator's own ups and downs come to, in an hour and in the first minutes, when its pools still fill: a
        # long reply on a thread that had none before is 1.5 MiB that stay. A peak is a page or a crowd more or less. So is
        # how many connections rest: in thirds of a minute that differs by ten for nothing; what leaks there is found at
        # the end, when nothing should be open. Over an hour, 3 MiB an hour or a descriptor in six minutes are found.
        is_long = self.samples[-1].at - self.samples[0].at > 600
        bounds = [
            ("resident", statistics.median, MIB if is_long else 6 * MIB),
            ("resident", max, 4 * MIB if is_long else 8 * MIB),
            ("descriptors", statistics.median, 3 if is_long else 20),
            ("descriptors", max, 20 if is_long else 40),
            ("threads", max, 1 if is_long else 4),
        ]
        for name, measure, more in bounds:
            before, after = (measure([getattr(sample, name) for sample in part]) for part in (middle, last))
            if after > before + more:
                found.append(f"{name}: {measure.__name__} {before} in the middle third, {after} in the last")
        return found

    def slope(self):
        """Bytes an hour over the second half, by least squares."""
        half = self.samples[len(self.samples) // 2 :]
        fit = statistics.linear_regression([sample.at for sample in half], [sample.resident for sample in half])
        return fit.slope * 3600
