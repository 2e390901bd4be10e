"""The programs of a test: the exporter, its demo, Prometheus."""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Failed(Exception):
    """An expectation of the test is not met."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url, timeout=30, method="GET", limit=None, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers or {}), timeout=timeout) as reply:
        return reply.read(limit).decode()


def answers(url):
    try:
        return get(url)
    except OSError:
        return False


def wait_for(what, seconds, look, pause=0.2):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(pause)


class Programs:
    """Running programs and the folder of their files; all of it ends with the block."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for child in reversed(self.children):
            child.kill()
            child.wait()
        for log in self.folder.glob("*.log") if kind else ():
            print(f"-- the end of {log.name}", *log.read_text(errors="replace").splitlines()[-20:], sep="\n", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, **options):
        with open(self.folder / f"{name}.log", "a") as log:
            child = subprocess.Popen(command, stderr=log, **{"stdout": log, **options})
        self.children.append(child)
        return child

    def demo(self, binary, *flags):
        """Starts a demo. Returns the URLs that it prints, by name."""
        child = self.start("demo", [binary, "demo", "--web.listen-address=127.0.0.1:0", *flags], stdout=subprocess.PIPE, text=True)
        said = {}
        for line in child.stdout:
            if found := re.match(r"\s*(\w+)\s+(http\S+)", line):
                said[found.group(1)] = found.group(2).rstrip("/")
            if "Ctrl-C" in line:
                break
        threading.Thread(target=child.stdout.read, daemon=True).start()
        return said

    def prometheus(self, name, config, *flags):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "prometheus.yml").write_text(config)
        port = free_port()
        child = self.start(name, ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}", *flags])
        server = Prometheus(f"http://127.0.0.1:{port}", child)
        wait_for(f"{name} is ready", 60, lambda: answers(f"{server.url}/-/ready"))
        return server


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url, child):
        self.url, self.child = url, child

    def stop(self):
        self.child.terminate()
        self.child.wait()

    def api(self, path, **parameters):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            return json.loads(get(url, timeout=120))["data"]
        except urllib.error.HTTPError as error:
            raise Failed(f"{parameters.get('query')}: {json.loads(error.read())['error']}") from error

    def query(self, expression, **parameters):
        return self.api("query", query=expression, **parameters)["result"]
