# SPDX-License-Identifier: MIT
"""HTTP requests that are refused before anybody handles them, and with which status."""

HOST = b"Host: x\r\n"
CHUNKED = b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
LOGIN = b"POST /v1/login HTTP/1.1\r\n" + HOST
LIVE = b"GET /livez HTTP/1.1\r\n" + HOST
CLOSE = b"Connection: close\r\n"

REFUSED = {
    "no request line": (b"GARBAGE\r\n\r\n", 400),
    "empty line first": (b"\r\n" + LIVE + b"\r\n", 400),
    "content-length and transfer-encoding": (
        LOGIN + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "transfer-encoding and content-length": (
        LOGIN + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
    "two lengths that differ": (LOGIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "two equal lengths": (LOGIN + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a list of lengths": (LOGIN + b"Content-Length: 2, 2\r\n\r\n{}", 400),
    "a negative length": (LOGIN + b"Content-Length: -1\r\n\r\n", 400),
    "a signed length": (LOGIN + b"Content-Length: +2\r\n\r\n{}", 400),
    "a hexadecimal length": (LOGIN + b"Content-Length: 0x2\r\n\r\n{}", 400),
    "a length beyond 64 bits": (LOGIN + b"Content-Length: 18446744073709551618\r\n\r\n{}", 400),
    "a folded line": (LIVE + b"X: a\r\n b\r\n\r\n", 400),
    "a folded transfer-encoding": (LOGIN + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 501),
    "bare line feeds": (b"GET /livez HTTP/1.1\nHost: x\n\n", 400),
    "one bare line feed": (LIVE + b"X: y\n\r\n", 400),
    "a bare carriage return": (LIVE + b"X: a\rb\r\n\r\n", 400),
    "NUL in a value": (LIVE + b"X: a\0b\r\n\r\n", 400),
    "NUL in a length": (LOGIN + b"Content-Length: 2\x00\r\n\r\n{}", 400),
    "a blank before the colon": (LOGIN + b"Content-Length : 2\r\n\r\n{}", 400),
    "no host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two hosts": (LIVE + b"Host: y\r\n\r\n", 400),
    "two authorizations": (
        LIVE + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
    "a body with GET": (LIVE + b"Content-Length: 2\r\n\r\n{}", 400),
    "an absolute target": (b"GET http://x/livez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an authority as target": (b"GET //x/livez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a broken escape": (b"GET /%2 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "raw UTF-8 in the target": ("GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n", 400),
    "HTTP/2 in plain": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501),
    "another version": (b"GET /livez HTTP/1.9\r\n" + HOST + b"\r\n", 505),
    "TRACE": (b"TRACE /livez HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "CONNECT": (b"CONNECT x:1 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "another transfer coding": (LOGIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "another expectation": (LOGIN + b"Expect: tea\r\nContent-Length: 2\r\n\r\n{}", 417),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "a signed chunk size": (CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size with 0x": (CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk extension": (CHUNKED + b"2;a=b\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk that is longer": (CHUNKED + b"2\r\n{}}\r\n0\r\n\r\n", 400),
    "a chunk with a bare line feed": (CHUNKED + b"2\n{}\r\n0\r\n\r\n", 400),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\nAuthorization: x\r\n\r\n", 400),
    "a long line": (LIVE + b"X: " + b"y" * 20_000 + b"\r\n\r\n", 431),
    "an endless line": (b"G" * 20_000, 431),
    "many lines": (LIVE + b"X: y\r\n" * 200 + b"\r\n", 431),
    "a long target": (b"GET /" + b"x" * 8_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a body beyond all measure": (LOGIN + b"Content-Length: 999999999999\r\n\r\n", 413),
    "a chunk beyond all measure": (CHUNKED + b"ffffffff\r\n", 413),
}
