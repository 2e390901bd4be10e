"""A DNS server on 127.0.0.1:53 that resolves every name to 127.0.0.1, and an API that responds to every GET with an empty object.

    tests/deploy/dns.py SILENT      while there is a file SILENT, the DNS server answers nothing
"""

import http.server
import pathlib
import socketserver
import struct
import sys
import threading

SILENT = pathlib.Path(sys.argv[1])


class Names(socketserver.BaseRequestHandler):
    def handle(self):
        if SILENT.exists():
            return
        query, socket = self.request
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack("!H", query[end - 4 : end - 2])[0]
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01" if kind == 1 else b""
        header = query[:2] + b"\x81\x80\x00\x01" + struct.pack("!H", bool(answer)) + b"\0\0\0\0"
        socket.sendto(header + query[12:end] + answer, self.client_address)


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


names = socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names)
threading.Thread(target=names.serve_forever, daemon=True).start()
api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
print(f"http {api.server_port}", flush=True)
api.serve_forever()
