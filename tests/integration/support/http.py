# SPDX-License-Identifier: MIT
"""A small HTTP client on the standard library. One connection per request: nothing is shared
between tests, and an answer is taken exactly as it came."""
import http.client
import json
import urllib.parse


class Problem(AssertionError):
    """An answer that a test did not expect; carries it as `response`."""

    def __init__(self, response):
        super().__init__(f"{response.status} {response.body[:500]!r}")
        self.response = response


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # http.client.HTTPMessage: case-insensitive
        self.body = body        # bytes

    def json(self):
        return json.loads(self.body)

    def ok(self):
        """The JSON body of a 2xx answer (None when it is empty); anything else raises Problem."""
        if not 200 <= self.status < 300:
            raise Problem(self)
        return self.json() if self.body else None

    def __repr__(self):
        return f"Response({self.status}, {self.body[:200]!r})"


def _open(base, method, path, body, headers, timeout, source=None):
    address = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout,
                                            source_address=source and (source, 0))
    try:
        connection.request(method, path, body=body, headers=headers)
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


def request(base, method, path, body=None, token=None, headers=None, timeout=30, source=None):
    """One request; `body` is a JSON value (dict or list), bytes or None; `source` the address that
    it comes from."""
    sent = {"Connection": "close"}
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    sent.update(headers or {})
    connection, answer = _open(base, method, path, body, sent, timeout, source)
    try:
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def stream(base, path, token=None, headers=None, timeout=60):
    """The lines of a streamed answer, as they come, without their newline."""
    sent = {"Connection": "close", "Accept": "application/x-ndjson"}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    sent.update(headers or {})
    connection, answer = _open(base, "GET", path, None, sent, timeout)
    try:
        if answer.status != 200:
            raise Problem(Response(answer.status, answer.headers, answer.read()))
        for line in answer:
            yield line.rstrip(b"\n")
    finally:
        connection.close()
