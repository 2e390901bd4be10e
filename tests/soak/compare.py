"""The simulator's history, compared with the samples of a Prometheus."""

import bisect
from collections import Counter, defaultdict
from dataclasses import dataclass, field

# Maximum difference of the clocks.
SLACK = 0.1


@dataclass
class Seen:
    """The samples of one cluster in one scrape."""

    up: float = None
    states: list = field(default_factory=list)
    steps: list = field(default_factory=list)
    reasons: list = field(default_factory=list)
    read: float = None
    took: float = None


class History:
    """Every sample of one Prometheus, by cluster and time of scrape."""

    def __init__(self, server, began, ended):
        self.clusters = defaultdict(dict)
        self.scrapes, self.failed, self.durations = set(), set(), []
        self.server = server
        step, at = 120, began
        while at < ended:
            at = min(at + step, ended)
            self.load(at, step)
        self.scrapes = sorted(self.scrapes)

    def load(self, at, step):
        def samples(selector):
            for series in self.server.query(f"{selector}[{step}s]", time=at):
                for when, value in series["values"]:
                    yield series["metric"], when, float(value)

        for _, when, value in samples("up"):
            if value == 1:
                self.scrapes.add(when)
            else:
                self.failed.add(when)
        self.durations += [value for _, _, value in samples("scrape_duration_seconds")]
        for name, label, into in (("cs_upgrade_status", "status", "states"), ("cs_upgrade_step", "step", "steps"), ("cs_query_failure", "reason", "reasons")):
            for metric, when, value in samples(name):
                if value == 1:
                    found = getattr(self.of(metric, when), into)
                    # The ranges touch or overlap, so that a sample may come twice.
                    if metric[label] not in found:
                        found.append(metric[label])
        for name, into in (("cs_up", "up"), ("cs_last_success_timestamp_seconds", "read"), ("cs_query_duration_seconds", "took")):
            for metric, when, value in samples(name):
                setattr(self.of(metric, when), into, value)

    def of(self, metric, when):
        return self.clusters[metric["cluster"]].setdefault(when, Seen())


@dataclass
class Rules:
    interval: float
    timeout: float
    # Maximum age of results from memory.
    max_age: float
    # Maximum time until a new cluster is on the page, or a deleted one is not.
    grace: float


class Comparison:
    def __init__(self, actual, history, rules, began, ended):
        self.history, self.rules = history, rules
        self.began, self.ended = began, ended
        self.counts = Counter()
        self.wrong = []
        self.outcomes = Counter()
        for life in actual["clusters"]:
            self.cluster(life)
        known = {life["cluster"] for life in actual["clusters"]}
        for cluster, seen in history.clusters.items():
            # Clusters of the configuration that the simulator does not have.
            if cluster not in known and any(one.up for one in seen.values()):
                self.wrong.append(f"{cluster} was never there and is up")

    def cluster(self, life):
        cluster, seen = life["cluster"], self.history.clusters.get(life["cluster"], {})
        end = life.get("deleted", float("inf"))
        phases = [(change["at"], (change["status"], change["step"])) for change in life["phases"]]
        spans = [(at, following, words) for (at, words), following in zip(phases, [at for at, _ in phases[1:]] + [end])]
        good = []
        for when, one in sorted(seen.items()):
            if one.up == 1:
                good += self.truth(life, when, one, spans)
            else:
                self.outcomes[",".join(one.reasons)] += 1
                if len(one.reasons) != 1 or one.states or one.steps:
                    self.wrong.append(f"{cluster} at {when} is down and says {one}")
        self.visibility(cluster, spans, seen, good)
        self.presence(life, seen)

    def truth(self, life, when, one, spans):
        """Checks that the state was true at some moment of the query. Returns the state, if it is usable."""
        cluster = life["cluster"]
        self.counts["readings"] += 1
        if len(one.states) != 1 or len(one.steps) != 1 or one.reasons or one.read is None or one.took is None:
            self.wrong.append(f"{cluster} at {when} is up and says {one}")
            return []
        words = (one.states[0], one.steps[0])
        earliest, latest = one.read - max(one.took, self.rules.timeout) - SLACK, one.read + SLACK
        if when - one.read > self.rules.max_age + 2 * self.rules.timeout:
            self.wrong.append(f"{cluster} at {when} was read {when - one.read:.1f} s before")
        if "unknown" in words:
            # A fault of the simulator, undocumented states, of which the history has the times.
            self.counts["unknown"] += 1
            if not any(earliest < at < latest for at in life.get("misleading", [])):
                self.wrong.append(f"{cluster} at {when} says {words}, read at {one.read}, and had misleading responses at {life.get('misleading')}")
            return []
        if not any(at < latest and following > earliest and of == words for at, following, of in spans):
            there = [of for at, following, of in spans if at < latest and following > earliest]
            self.wrong.append(f"{cluster} at {when} says {words}, read at {one.read}, when it was {there}")
        return [(earliest, latest, words)]

    def visibility(self, cluster, spans, seen, good):
        """Every phase that lasts for four scrapes and more must be there, if the cluster answered in it at all."""
        rules = self.rules
        whens = sorted(seen)
        for at, following, words in spans:
            at, following = max(at, self.began), min(following, self.ended)
            if following <= at:
                continue
            self.counts["phases"] += 1
            inside = [reading for reading in good if reading[0] >= at and reading[1] <= following]
            if inside:
                self.counts["phases seen"] += 1
                continue
            if any(reading[2] == words and reading[0] < following and reading[1] > at for reading in good):
                self.counts["phases seen"] += 1
                continue
            if following - at < 4 * rules.interval + rules.timeout + SLACK:
                self.counts["phases too short"] += 1
                continue
            first, last = bisect.bisect_left(whens, at + rules.timeout + SLACK), bisect.bisect_right(whens, following - rules.timeout)
            up = [when for when in whens[first:last] if seen[when].up == 1 and "unknown" not in seen[when].states + seen[when].steps]
            if up:
                self.wrong.append(f"{cluster} was {words} from {at} to {following}, was up at {up} and nobody saw it")
            else:
                self.counts["phases without an answer"] += 1

    def presence(self, life, seen):
        created, deleted = life.get("created"), life.get("deleted", float("inf"))
        here = max(self.began, created + self.rules.grace if created else 0)
        # A scrape has the time of its beginning; the list may be read, and the cluster be gone, at its end.
        there = min(deleted - self.rules.timeout, self.ended)
        first, last = bisect.bisect_left(self.history.scrapes, here), bisect.bisect_left(self.history.scrapes, there)
        expected = self.history.scrapes[first:last]
        missing = [when for when in expected if when not in seen]
        self.counts["presences"] += len(expected)
        if created:
            self.counts["ephemeral missing"] += len(missing)
        elif missing:
            self.wrong.append(f"{life['cluster']} is not on the page of {missing}")
        ghosts = [when for when in seen if when > deleted + self.rules.grace]
        self.counts["ghosts"] += len(ghosts)
        if created and created > self.began and deleted < self.ended:
            self.counts["ephemeral"] += 1
            self.counts["ephemeral seen"] += any(one.up == 1 for one in seen.values())

    def complaints(self):
        found = self.wrong[:20]
        if len(self.wrong) > 20:
            found.append(f"… and {len(self.wrong) - 20} more")
        scrapes = len(self.history.scrapes)
        # Every tenth call or so goes wrong and most are made again; the bounds are a few times what that comes to.
        bounds = [
            ("failed scrapes", len(self.history.failed), scrapes, 0.005),
            ("readings without an answer", sum(self.outcomes.values()), self.counts["readings"], 0.10),
            ("phases without an answer", self.counts["phases without an answer"], self.counts["phases"], 0.01),
            ("ephemeral missing", self.counts["ephemeral missing"], self.counts["presences"], 0.01),
            ("ghosts", self.counts["ghosts"], self.counts["presences"], 0.01),
        ]
        for what, count, of, share in bounds:
            # One is for the moment at which a busy machine stands still.
            if count > max(1, of * share):
                found.append(f"{what}: {count} of {of}, more than {share:.1%}")
        if self.counts["phases seen"] < 0.9 * (self.counts["phases"] - self.counts["phases too short"]):
            found.append("too few phases seen for this to be a test")
        return found

    def lines(self):
        counts = self.counts
        yield f"{len(self.history.scrapes)} scrapes, {len(self.history.failed)} failed, the slowest {max(self.history.durations):.2f} s"
        yield f"{counts['readings']} readings of clusters that are up, {counts['unknown']} of them unknown; down: {dict(self.outcomes.most_common())}"
        yield f"{counts['phases']} phases: {counts['phases seen']} seen, {counts['phases too short']} too short to be asked for, {counts['phases without an answer']} without an answer"
        yield f"{counts['ephemeral']} clusters were created and deleted, {counts['ephemeral seen']} of them seen; {counts['ephemeral missing']} missing of {counts['presences']}; ghosts: {counts['ghosts']}"
