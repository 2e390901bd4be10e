"""The changes during the run: of configuration and keys, and requests for the pages."""

import contextlib
import http.client
import itertools
import json
import os
import random
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.parse

from programs import Failed, get

KEY, SECRET = "LTAI5tDemoOnlyNotARealKey", "DemoOnlyNotARealSecret00000000"
TOKEN = "demo-oidc-token"
# The forms of the secrets and tokens of the simulator, those that it issues included.
SECRETS = r"DemoOnly[0-9A-Za-z]{16}|CAISDemo"
ROLE = "acs:ram::1000000000000001:role/ack-upgrade-exporter"
REGIONS = "cn-hangzhou, cn-shanghai, ap-southeast-1"

# One way to log in each; between them they have all applications of the simulated account.
ACCOUNTS = {
    "file": ("shop|payments", "auto", "acs3", "{type: access_key, access_key_id: KEY, access_key_secret_file: secret}"),
    "profile": ("search|orders", "upgrade_status", "roa", "{type: profile, config_file: profile.json}"),
    "role": ("inventory|media", "tasks", "acs3", "{type: ram_role_arn, role_arn: 'ROLE', sts_endpoint: 'API', access_key_id: KEY, access_key_secret_file: secret}"),
    "rrsa": ("billing|analytics", "auto", "acs3", "{type: oidc_role_arn, role_arn: 'ROLE', oidc_provider_arn: 'acs:ram::1000000000000001:oidc-provider/ack', oidc_token_file: token, sts_endpoint: 'API'}"),
    "machine": ("gateway|identity", "tasks", "roa", "{type: ecs_ram_role, metadata_endpoint: 'API'}"),
    "uri": ("recommend|logistics", "upgrade_status", "acs3", "{type: credentials_uri, uri: 'API/credentials'}"),
}

# What differs between the good configurations; each is put in force again and again.
VARIANTS = [
    ("{max_age: MAX_AGE}", "{}", ""),
    ("{max_age: MAX_AGE, idle_interval: 20s}", "{state_sets: active}", ""),
    ("{max_age: MAX_AGE, cache_ttl: 500ms}", "{error_message: false}", "a-guest-account"),
    ("{max_age: MAX_AGE, idle_interval: 5s, cache_ttl: 300ms}", "{}", "another-one"),
]

BAD = {
    "not YAML": "accounts: [",
    "a list": "- accounts",
    "mistakes": "scrape: {max_age: soon}\naccounts:\n  - name: file\n    colour: red\n",
    "no accounts": "accounts: []\n",
    "empty": "",
}

# Keeps nothing open: no list is read, and its only cluster answers nobody.
REST = """
accounts:
  - name: nobody
    credentials: {type: access_key, access_key_id: KEY, access_key_secret_file: secret}
    endpoint: http://127.0.0.1:9
    clusters: [{id: c-of-nobody, region: cn-hangzhou}]
"""


def configuration(variant, api, max_age):
    """One of VARIANTS, or REST if there is none."""
    if variant is None:
        return REST.replace("KEY", KEY)
    scrape, metrics, extra = VARIANTS[variant % len(VARIANTS)]
    lines = [f"scrape: {scrape}", f"metrics: {metrics}", "accounts:"]
    for name, (applications, source, signature, credentials) in ACCOUNTS.items():
        lines += [
            f"  - name: {name}",
            f"    credentials: {credentials}",
            f"    source: {source}",
            f"    signature: {signature}",
            "    endpoint: API",
            "    rate_limit: {requests_per_second: 500, burst: 1000}",
            f"    discovery: {{regions: [{REGIONS}], refresh_interval: 5s, match: {{name: '({applications})-.*'}}}}",
        ]
    if extra:
        # Comes and goes with the variant, and so do its cluster and its counters.
        lines += [f"  - name: {extra}", "    credentials: {type: access_key, access_key_id: KEY, access_key_secret_file: secret}", "    endpoint: API"]
        lines += [f"    clusters: [{{id: c-of-{extra}, region: cn-hangzhou, labels: {{team: {extra}}}}}]"]
    text = "\n".join(lines) + "\n"
    for word, value in {"KEY": KEY, "ROLE": ROLE, "API": api, "MAX_AGE": max_age}.items():
        text = re.sub(rf"\b{word}\b", value, text)
    return text


def put(path, text):
    """Replaces a file as a whole."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    os.replace(beside, path)


class Repeated(threading.Thread):
    """Repeats an action until it is stopped, and keeps the first error."""

    def __init__(self, seconds, act):
        super().__init__(daemon=True)
        self.seconds, self.act = seconds, act
        self.over = threading.Event()
        self.done, self.wrong = 0, None

    def run(self):
        while not self.over.wait(self.seconds):
            try:
                self.act()
                self.done += 1
            except Exception as error:  # noqa: BLE001 - it is told at the end
                self.wrong = self.wrong or f"after {self.done}: {type(error).__name__}: {error}"

    def end(self):
        self.over.set()
        self.join(30)


class Keys:
    """Rewrites the files with keys continuously."""

    def __init__(self, folder, api):
        self.folder, self.api, self.turns = folder, api, itertools.count()
        self.rotate()

    def rotate(self):
        turn = next(self.turns)
        put(self.folder / "secret", SECRET + "\n" * (turn % 3))
        put(self.folder / "token", TOKEN + "\n" * (turn % 2))
        key = self.temporary()
        profile = {"name": "default", "mode": "StsToken", "access_key_id": key["AccessKeyId"], "access_key_secret": key["AccessKeySecret"], "sts_token": key["SecurityToken"]}
        put(self.folder / "profile.json", json.dumps({"current": "default", "profiles": [profile]}))

    def temporary(self):
        while True:
            # Its faults strike us too.
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError, http.client.HTTPException):
                key = json.loads(get(f"{self.api}/credentials", timeout=3, limit=1 << 16))
                if all(isinstance(key[part], str) for part in ("AccessKeyId", "AccessKeySecret", "SecurityToken")):
                    return key


class Reloads:
    """Reloads good and bad configurations in turn, in one of three ways."""

    def __init__(self, exporter, config, text):
        self.exporter, self.config, self.text = exporter, config, text
        self.turns = itertools.count(1)
        self.good = self.bad = 0

    def next(self):
        turn = next(self.turns)
        way = ("signal", "http", "polling")[turn % 3]
        if turn % 2:
            self.good += 1
            put(self.config, self.text(turn // 2))
        else:
            self.bad += 1
            kind = sorted([*BAD, "absent"])[turn // 2 % (len(BAD) + 1)]
            self.config.unlink() if kind == "absent" else put(self.config, BAD[kind])
        expected = "1" if turn % 2 else "0"
        if way == "signal":
            self.exporter.child.send_signal(signal.SIGHUP)
        elif way == "http":
            self.post(200 if turn % 2 else 500)
        end = time.monotonic() + 10
        while self.exporter.metric("cs_exporter_config_last_reload_successful") != expected:
            if time.monotonic() > end:
                raise Failed(f"reload {turn} by {way}: cs_exporter_config_last_reload_successful is not {expected}")
            time.sleep(0.5)

    def put_in_force(self, variant):
        put(self.config, self.text(variant))
        self.post(200)

    def post(self, expected):
        try:
            get(f"{self.exporter.url}/-/reload", method="POST")
            status = 200
        except urllib.error.HTTPError as error:
            status = error.code
        if status != expected:
            raise Failed(f"POST /-/reload answered {status} and not {expected}")


class Visitors:
    """Clients of the other pages; some of them disconnect before the response."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.random = random.Random(1)

    def next(self):
        clusters = re.findall(r'cs_up\{cluster="([^"]+)"', self.exporter.page())
        for path in ("/", "/api/v1/clusters", "/config", "/-/healthy", "/sd", "/?state=failed&sort=since"):
            status = self.status(path)
            if status != 200 and (path, status) != ("/sd", 503):
                raise Failed(f"{path} answered {status}")
        if clusters:
            target = urllib.parse.quote(self.random.choice(clusters))
            for path in (f"/probe?target={target}", f"/probe?target={target}&debug=true", "/probe?target=nobody"):
                self.status(path)
        for _ in range(3):
            self.leave()

    def status(self, path):
        try:
            get(f"{self.exporter.url}{path}")
            return 200
        except urllib.error.HTTPError as error:
            return error.code

    def leave(self):
        with socket.create_connection(("127.0.0.1", self.exporter.port), timeout=5) as visitor:
            visitor.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
