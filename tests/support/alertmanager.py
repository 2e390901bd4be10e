"""Alertmanager as it ships, with a receiver that keeps what it is sent."""

import http.server
import json
import shutil
import threading
import time

from programs import ROOT, free_port


class Server(http.server.ThreadingHTTPServer):
    """A server that many clients may reach at once: with the default queue of five, some are reset."""

    request_queue_size = 128


class Receiver:
    """The pager and the chat: notifications as (time, path, body)."""

    def __init__(self):
        self.notifications = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.notifications.append((time.time(), self.path, body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"


def start_alertmanager(programs, receiver, adapted, top=ROOT):
    """Starts Alertmanager with the routes below `top`, the shipped ones, which `adapted` may change, and returns its address."""
    shutil.copytree(ROOT / "deploy/alertmanager/templates", programs.folder / "templates")
    slack = programs.folder / "slack_url"
    slack.write_text(f"{receiver.url}/chat")
    text = adapted((top / "deploy/alertmanager/alertmanager.yml").read_text())
    text = text.replace("http://pager.example.com/ack-upgrade", f"{receiver.url}/pager").replace("/etc/alertmanager/slack_url", str(slack))
    config = programs.folder / "alertmanager.yml"
    config.write_text(text)
    address = f"127.0.0.1:{free_port()}"
    program = shutil.which("prometheus-alertmanager") or "alertmanager"
    command = [program, f"--config.file={config}", f"--storage.path={programs.folder / 'am'}", f"--web.listen-address={address}", "--cluster.listen-address="]
    programs.start("alertmanager", command)
    return address
