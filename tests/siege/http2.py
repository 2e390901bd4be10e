"""HTTP/2 frames, by hand: a well-behaved library sends none of these attacks."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4
WINDOW = 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def hello(window=65535):
    """The first bytes of a client that takes `window` bytes of each response."""
    return PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", WINDOW, window))


def literal(index, value):
    """A header that is not to be remembered; its name is in the static table of HPACK."""
    name = bytes([index]) if index < 15 else bytes([15, index - 15])
    return name + bytes([len(value)]) + value.encode()


def head(path, authorization=""):
    """The header block of a GET."""
    block = b"\x82\x87" + literal(4, path) + literal(1, "localhost")
    return block + (literal(23, authorization) if authorization else b"")


def request(stream, path, authorization=""):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, head(path, authorization))


def requests(count, path, authorization=""):
    return b"".join(request(2 * number + 1, path, authorization) for number in range(count))
