# SPDX-License-Identifier: MIT
"""HTTP as hostile and as plain clients speak it, on raw sockets: nothing is read in two ways, every
refusal is a problem document, and nobody gets more time or memory than they should."""
import concurrent.futures
import http.client
import io
import json
import socket
import time

import pytest

from support.bad_requests import CLOSE, HOST, LIVE, LOGIN, REFUSED
from support.faults import resident_kib
from support.raw_http import connect_raw, exchange, read_all, statuses


class _Bytes:
    """For http.client, which wants to read from a socket."""

    def __init__(self, data):
        self._data = data

    def makefile(self, _mode):
        return io.BytesIO(self._data)


def parse(data, method="GET"):
    """The first answer in `data`: an HTTPResponse that has been read, its body in `text`."""
    answer = http.client.HTTPResponse(_Bytes(data), method=method)
    answer.begin()
    answer.text = answer.read()
    return answer


def assert_problem(answer, status):
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.text)
    assert problem["status"] == status
    assert problem["type"] == f"urn:banter:problem:{problem['code']}"
    assert problem["title"] and problem["detail"]
    return problem


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_closed(banter, name):
    """Behind each of them another request is hidden, which must never be answered."""
    data, status = REFUSED[name]
    got = exchange(banter.http, data + LIVE + b"\r\n" if status != 431 else data)
    answer = parse(got)
    assert_problem(answer, status)
    assert answer.headers["Connection"] == "close"
    assert statuses(got) == [status]


def test_what_passes_before_a_refusal_is_answered(banter):
    got = exchange(banter.http, LIVE + b"\r\n" + LIVE + b"\r\nGARBAGE\r\n\r\n" + LIVE + b"\r\n")
    assert statuses(got) == [200, 200, 400]


def test_pipelined_requests_are_answered_in_order(banter):
    paths = [b"/livez", b"/v1/nothing", b"/v1/me", b"/"] * 25
    got = exchange(banter.http, b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n"
                                    for path in paths) + LIVE + CLOSE + b"\r\n")
    assert statuses(got) == [200, 404, 401, 200] * 25 + [200]


def test_bodies_in_every_framing(banter):
    body = b'{"handle":"nobody-here","password":"wrong password"}'
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                      for i in range(0, len(body), 7))
    for request in (LOGIN + CLOSE + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
                    LOGIN + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"):
        assert_problem(parse(exchange(banter.http, request)), 401)
        with connect_raw(banter.http) as sock:
            for i in range(0, len(request), 11):  # the cuts between packets mean nothing
                sock.sendall(request[i:i + 11])
                time.sleep(0.001)
            assert_problem(parse(read_all(sock)), 401)


def test_expect_continue(banter):
    with connect_raw(banter.http) as sock:
        sock.sendall(LOGIN + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"{}")
        assert_problem(parse(read_all(sock)), 400)


@pytest.mark.parametrize("size", [(1 << 20) + 1, 3 << 20, 12 << 20])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_read_to_its_end_and_refused(banter, size, chunked):
    """A client that sends all before it reads, as most do, gets the 413 and no reset."""
    connection = http.client.HTTPConnection(*connect_address(banter), timeout=20)
    body = (b"x" * 65536 for _ in range(size // 65536 + 1)) if chunked else b"x" * size
    connection.request("POST", "/v1/control", body=body, encode_chunked=chunked,
                       headers={"Transfer-Encoding": "chunked"} if chunked else {})
    answer = connection.getresponse()
    answer.text = answer.read()
    assert assert_problem(answer, 413)["code"] == "too_large"
    connection.close()


def connect_address(banter):
    host, port = banter.http.removeprefix("http://").split(":")
    return host, int(port)


def test_account_bodies_are_small(banter):
    response = banter.request("POST", "/v1/login", {"handle": "a" * 20_000, "password": "x"})
    assert response.status == 413


@pytest.mark.slow
def test_nobody_gets_for_ever(banter):
    """Slow heads, slow bodies and silent connections all end, and hold up nobody meanwhile."""
    def drip(start, rest):
        with connect_raw(banter.http, 60) as sock:
            began = time.monotonic()
            sock.sendall(start)
            try:
                while time.monotonic() - began < 50:
                    sock.sendall(rest)
                    time.sleep(0.2)
            except OSError:
                pass
            return time.monotonic() - began

    def silent(start):
        with connect_raw(banter.http, 60) as sock:
            began = time.monotonic()
            sock.sendall(start)
            got = read_all(sock)
            return time.monotonic() - began, got

    with concurrent.futures.ThreadPoolExecutor(120) as pool:
        heads = [pool.submit(drip, LIVE + b"X: ", b"y") for _ in range(50)]
        bodies = [pool.submit(drip, LOGIN + b"Content-Length: 9999\r\n\r\n", b"y")
                  for _ in range(50)]
        partial = pool.submit(silent, LOGIN + b"Content-Length: 9999\r\n\r\n{")
        idle = pool.submit(silent, LIVE + b"\r\n")
        nothing = pool.submit(silent, b"")
        began, slowest = time.monotonic(), 0
        while time.monotonic() - began < 10:
            asked = time.monotonic()
            assert banter.request("GET", "/livez").status == 200
            slowest = max(slowest, time.monotonic() - asked)
        assert slowest < 2
        for future in heads + bodies:
            assert 10 < future.result() < 25
        seconds, got = partial.result()
        assert 10 < seconds < 25
        assert_problem(parse(got), 408)
        for future, answers in ((idle, [200]), (nothing, [])):
            seconds, got = future.result()
            assert 20 < seconds < 45
            assert statuses(got) == answers


@pytest.mark.slow
def test_a_reader_that_stops_is_cut_off(banter):
    alice = banter.signup("alice")
    conversation = banter.group(alice, [])
    banter.psql(f"""
        INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)
        SELECT '{conversation}', n, u.id, now(), 1, 'n' || n, repeat('x', 2000)
          FROM generate_series(2, 20000) n, banter.users u WHERE u.handle = '{alice.handle}';
        UPDATE banter.conversations SET last_seq = 20000 WHERE id = '{conversation}'""")
    with connect_raw(banter.http, 90) as sock:
        sock.sendall(f"GET /v1/conversations/{conversation}/messages HTTP/1.1\r\nHost: x\r\n"
                     f"Accept: application/x-ndjson\r\nAuthorization: Bearer {alice.access_token}"
                     "\r\n\r\n".encode())
        time.sleep(45)
        try:
            got = read_all(sock)
        except ConnectionResetError:
            got = b""
    assert not got.endswith(b"0\r\n\r\n"), "the whole of it was kept for a reader who did not read"


@pytest.mark.slow  # memory says nothing under a sanitizer
def test_half_sent_bodies_take_bounded_memory(banter):
    """300 strangers each send most of a MiB and stop. Small requests are answered all the while."""
    pid = banter.pid("bridge")
    before = resident_kib(pid)
    sockets = [connect_raw(banter.http) for _ in range(300)]
    try:
        refused = 0
        for sock in sockets:
            sock.sendall(LOGIN + b"Content-Length: 1048576\r\n\r\n")
            try:
                sock.sendall(b"x" * 900_000)
            except OSError:
                refused += 1
        assert banter.request("GET", "/livez").status == 200
        assert banter.request("POST", "/v1/login", {"handle": "x", "password": "y"}).status == 401
        growth = resident_kib(pid) - before
    finally:
        for sock in sockets:
            sock.close()
    assert growth < 200 * 1024, f"the bridge grew by {growth} KiB"
    assert banter.request("GET", "/livez").status == 200


@pytest.mark.slow  # memory says nothing under a sanitizer
def test_questions_whose_answers_nobody_reads_take_bounded_memory(banter):
    """Who keeps asking and reads no answer is read no further than the answers leave."""
    pid = banter.pid("bridge")
    before = resident_kib(pid)
    requests = (LIVE + b"\r\n") * 1000
    sent, began = 0, time.monotonic()
    with connect_raw(banter.http, 3) as sock:
        try:
            while sent < 200 << 20 and time.monotonic() - began < 15:
                sock.sendall(requests)
                sent += len(requests)
        except OSError:
            pass  # nobody reads it any more
        growth = resident_kib(pid) - before
        assert banter.request("GET", "/livez").status == 200
    assert growth < 16 * 1024, f"the bridge grew by {growth} KiB for {sent >> 10} KiB"


def test_answers_that_are_read_late_are_all_there(banter):
    """More questions than fit anywhere, while nobody reads; then all is read, in order."""
    rounds, padding = 10_000, b"X: " + b"x" * 1000 + b"\r\n"
    data = b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + padding + b"\r\n"
                    for path in (b"/livez", b"/v1/nothing")) * rounds
    with connect_raw(banter.http, 60) as sock, concurrent.futures.ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sock.sendall, data + LIVE + CLOSE + b"\r\n")
        time.sleep(2)
        assert not sending.done(), "everything was taken although nobody read"
        assert statuses(read_all(sock)) == [200, 404] * rounds + [200]
        sending.result()


def test_many_connections(banter):
    """Idle connections cost nobody anything; each of them still works afterwards."""
    sockets = [connect_raw(banter.http) for _ in range(500)]
    try:
        assert banter.request("GET", "/livez").status == 200
        for sock in sockets[::50]:
            sock.sendall(LIVE + CLOSE + b"\r\n")
            assert statuses(read_all(sock)) == [200]
    finally:
        for sock in sockets:
            sock.close()


def test_keep_alive_is_quick(banter):
    """Without TCP_NODELAY every answer would wait 40 ms for an acknowledgement."""
    times = []
    with connect_raw(banter.http) as sock:
        for _ in range(60):
            began = time.monotonic()
            sock.sendall(LIVE + b"\r\n")
            assert statuses(sock.recv(65536)) == [200]
            times.append(time.monotonic() - began)
    assert min(times) < 0.02


def test_http_1_0(banter):
    answer = exchange(banter.http, b"GET /livez HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.") and b" 200 OK\r\n" in answer
    assert answer.endswith(b'{"status":"live"}\n')


def test_clients_that_leave_at_every_moment(banter):
    """Closed and reset in the head, in the body, before and during the answer."""
    alice = banter.signup("alice")
    request = (b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nAuthorization: Bearer "
               + alice.access_token.encode() + b"\r\n\r\n{}")
    for length in list(range(0, len(request), 29)) + [len(request)] * 20:
        with connect_raw(banter.http) as sock:
            sock.sendall(request[:length])
            if length % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert banter.request("POST", "/v1/sync", {}, alice).status == 200
