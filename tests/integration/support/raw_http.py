# SPDX-License-Identifier: MIT
"""HTTP as bytes on sockets: requests that no library would send, and what comes back of them."""
import re
import socket
import urllib.parse


def connect_raw(url, timeout=10, source=None, wrap=None):
    """A socket to the host of `url`; `wrap` makes TLS of it."""
    address = urllib.parse.urlsplit(url)
    sock = socket.create_connection((address.hostname, address.port), timeout=timeout,
                                    source_address=(source, 0) if source else None)
    return wrap(sock) if wrap else sock


def read_all(sock):
    """All that comes until the server closes."""
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def exchange(url, data, timeout=10, source=None):
    """All that comes back until the server closes."""
    with connect_raw(url, timeout, source) as sock:
        sock.sendall(data)
        return read_all(sock)


def exchange_hostile(url, data, timeout, source):
    """The same of what may be refused before all of it is sent: then the end may be a reset, and
    what was said before that counts."""
    with connect_raw(url, timeout, source) as sock:
        parts = []
        try:
            sock.sendall(data)
        except ConnectionError:
            pass
        try:
            while part := sock.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def statuses(data):
    """The statuses of all answers, one behind the other."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) [^\r]+\r\n", data)]
