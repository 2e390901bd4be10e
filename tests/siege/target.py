"""The program under siege, and a good client beside the attackers."""

import asyncio
import base64
import http.client
import multiprocessing
import pathlib
import re
import socket
import ssl
import time
from collections import Counter

from programs import ROOT, free_port, wait_for

MIB = 1 << 20
USER, PASSWORD = "prometheus", "siege"
PASSWORDS = f"basic_auth_users: {{{USER}: $2b$10$CCCCCCCCCCCCCCCCCCCCC.4iB17wV.kQnsTl.Z/6OUfWXG/vJ4Xq6}}\n"
PKI = ROOT / "tests/data/web-config/pki"
TLS = f"tls_server_config: {{cert_file: {PKI}/server.crt, key_file: {PKI}/server.key}}\n"
WEB = {"plain": None, "hanging": None, "tls": TLS, "locked": TLS + PASSWORDS}

ACCOUNT = """
  - name: {name}
    endpoint: {endpoint}
    source: upgrade_status
    max_concurrency: 64
    credentials: {{type: access_key, access_key_id: LTAI5tDemoOnlyNotARealKey, access_key_secret: DemoOnlyNotARealSecret00000000}}
    rate_limit: {{requests_per_second: 1000000, burst: 1000000}}
"""
FLEET = "    discovery: {regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}\n"
HANGING = "    clusters: [{id: c-hanging, region: cn-hangzhou}]\n"


def configurations(folder, api, silent):
    """The files with all clusters of `api`, by name; one also has a cluster at `silent`, where nobody responds."""
    fleet = "scrape: {idle_interval: 10m}\naccounts:" + ACCOUNT.format(name="fleet", endpoint=api) + FLEET
    hanging = fleet + ACCOUNT.format(name="hanging", endpoint=f"http://{silent}") + HANGING
    files = {}
    for name, text in {"fleet": fleet, "hanging": hanging}.items():
        files[name] = folder / f"{name}.yml"
        files[name].write_text(text)
    return files


# Prometheus has another address than the attacker, 127.0.0.1: what one client may hold is bounded.
SCRAPER = ("127.0.0.2", 0)


class Target:
    """A running exporter on a port of 127.0.0.1."""

    def __init__(self, programs, name, binary, configs, limits=""):
        self.name = name
        self.tls, self.password = WEB[name] is not None, name == "locked"
        flags = [f"--web.listen-address=127.0.0.1:{free_port()}"]
        # Another exporter has no configuration file.
        if configs:
            flags += [f"--config.file={configs['hanging' if name == 'hanging' else 'fleet']}", "--log.level=warn"]
        if WEB[name]:
            web = programs.folder / f"{name}.yml"
            web.write_text(WEB[name])
            flags.append(f"--web.config.file={web}")
        log = f"{name}-{len(programs.children)}"
        self.log = programs.folder / f"{log}.log"
        self.child = programs.start(log, ["sh", "-c", f'{limits} exec "$0" "$@"', str(binary), *flags])
        self.port = int(flags[0].rsplit(":", 1)[1])
        wait_for(f"{log} serves", 60, lambda: self.scrape() == 200)
        # The first scrapes of a process make it larger, whoever asks.
        for _ in range(0 if name == "hanging" else 10):
            self.scrape()

    @property
    def authorization(self):
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return f"Basic {login}" if self.password else ""

    def scrape(self, path="/metrics", timeout=10):
        """The status of a scrape on a new connection; the exception if there is none."""
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, source_address=SCRAPER, context=client_tls())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout, source_address=SCRAPER)
        headers = {"Accept-Encoding": "gzip", "X-Prometheus-Scrape-Timeout-Seconds": "5"}
        if self.password:
            headers["Authorization"] = self.authorization
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException) as error:
            return error
        finally:
            connection.close()

    def resident(self):
        """Bytes in memory; 0 if the process has ended."""
        try:
            status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)
        return int(found.group(1)) * 1024 if found else 0

    def logged(self):
        """The lines of the log by message."""
        text = self.log.read_text(errors="replace")
        return Counter(re.findall(r'msg=("[^"]*"|\S+)', text) or text.splitlines())

    async def connect(self, protocol="http/1.1", window=None):
        """A connection of an attacker, after the handshake; one with a small `window` does not read."""
        raw = socket.socket()
        raw.setblocking(False)
        if window:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        options = {"ssl": client_tls(protocol), "server_hostname": "localhost"} if self.tls else {}
        reader, writer = await asyncio.open_connection(sock=raw, limit=4096, **options)
        if window:
            writer.transport.pause_reading()
        return reader, writer


def client_tls(protocol="http/1.1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


class Beside:
    """Scrapes from a process of its own, as often as it can, while the attack goes on."""

    def __init__(self, target):
        self.target = target
        self.over, self.found = multiprocessing.Event(), multiprocessing.Queue()
        self.process = multiprocessing.Process(target=self.run, daemon=True)

    def run(self):
        results = []
        while not self.over.is_set():
            began = time.monotonic()
            outcome = self.target.scrape()
            results.append((began, time.monotonic(), outcome if outcome == 200 else str(outcome) or type(outcome).__name__))
            self.over.wait(0.2)
        self.found.put(results)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.results = self.found.get(timeout=30)
        self.process.join(5)

    def first_good(self, began):
        """Seconds from `began` to the end of the first good scrape."""
        return next((end - began for _, end, outcome in self.results if outcome == 200), None)

    def failed(self):
        return [outcome for *_, outcome in self.results if outcome != 200]

    def slowest(self):
        return max((end - start for start, end, outcome in self.results if outcome == 200), default=None)
