# SPDX-License-Identifier: MIT
"""TLS at the front door: HTTPS, WebSocket and native MQTT with certificates that the test makes,
and what happens when those change."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

import pytest

from support import Refused, wait_until
from support.device import MQTTv5, MQTTv311
from support.websocket import (CONNACK, DISCONNECT, PINGREQ, PINGRESP, WebSocket, mqtt_connect,
                               mqtt_publish)
from test_door import draft, metric


def make_certificate(directory, name):
    """A certificate for 127.0.0.1 that signs itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", directory / "key.new", "-out", directory / "certificate.new"],
        check=True, capture_output=True, timeout=60)
    for kind in ("key", "certificate"):
        (directory / f"{kind}.new").chmod(0o644)  # the processes' user reads it
        (directory / f"{kind}.new").rename(directory / f"{kind}.pem")


@pytest.fixture(scope="module")
def certificates():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-tls-", dir="/tmp"))
    directory.chmod(0o755)
    make_certificate(directory, "first")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def system(make_system, certificates):
    return make_system(BANTER_TLS_CERTIFICATE_FILE=certificates / "certificate.pem",
                       BANTER_TLS_KEY_FILE=certificates / "key.pem")


def context_for(certificates, **options):
    context = ssl.create_default_context(cafile=certificates / "certificate.pem")
    for name, value in options.items():
        setattr(context, name, value)
    return context


def address_of(text):
    host, port = re.fullmatch(r"(?:\w+://)?([\d.]+):(\d+)(?:/mqtt)?", text).groups()
    return host, int(port)


def tls_connect(text, context, timeout=15, **options):
    sock = socket.create_connection(address_of(text), timeout=timeout)
    return context.wrap_socket(sock, server_hostname="127.0.0.1", **options)


class KeepErrors(urllib.request.HTTPErrorProcessor):
    """An answer is an answer, whatever its status."""

    def http_response(self, request, response):
        return response

    https_response = http_response


def common_name(sock):
    return sock.getpeercert()["subject"][0][0][1]


def test_clients_we_did_not_write(system, certificates):
    """HTTPS, WebSocket and native MQTT, with long texts both ways."""
    ca = certificates / "certificate.pem"
    with urllib.request.urlopen(f"{system.https}/livez", context=context_for(certificates),
                                timeout=10) as answer:
        assert json.load(answer) == {"status": "live"}
    alice, bob = system.signup("alice"), system.signup("bob")
    for protocol in (MQTTv311, MQTTv5):
        for transport in ("tcp", "websockets"):
            phone = system.device(alice, transport=transport, protocol=protocol, tls=ca)
            other = system.device(bob, transport=transport, protocol=protocol, tls=ca)
            receipt = phone.say(f"@{bob.handle}", "é" * 100_000)
            entry = other.wait_entry(receipt["conversation"], seq=receipt["seq"], timeout=20)
            assert entry["text"] == "é" * 100_000
            other.say(receipt["conversation"], "thank you")
            system.close_devices()
    assert metric(system, "door_tls_handshakes_total") >= 9


def test_mqttjs_over_wss(system, certificates):
    tests = pathlib.Path(__file__).resolve().parents[1] / "node"
    done = subprocess.run(
        ["node", "--test", "chat.mjs"], cwd=tests, text=True, capture_output=True, timeout=180,
        check=False, env={**os.environ, "BANTER_HTTP": system.http, "BANTER_WS": system.wss,
                          "BANTER_MQTT": system.address(),
                          "NODE_EXTRA_CA_CERTS": str(certificates / "certificate.pem")})
    assert done.returncode == 0 and "# fail 0" in done.stdout, done.stdout[-8000:]


def test_large_answers_over_https(system, certificates):
    """10 MB, pipelined behind each other, byte for byte the same as over HTTP."""
    alice = system.signup("alice")
    conversation = system.group(alice, [])
    system.psql(f"""
        INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)
        SELECT '{conversation}', n, u.id, now(), 1, 'n' || n, repeat('x', 2000)
          FROM generate_series(2, 5000) n, banter.users u WHERE u.handle = '{alice.handle}';
        UPDATE banter.conversations SET last_seq = 5000 WHERE id = '{conversation}'""")
    path = f"/v1/conversations/{conversation}/messages"
    lines = list(system.stream(path, alice))
    request = urllib.request.Request(f"{system.https}{path}", headers={
        "Authorization": f"Bearer {alice.access_token}", "Accept": "application/x-ndjson"})
    with urllib.request.urlopen(request, context=context_for(certificates), timeout=60) as answer:
        secure = answer.read().splitlines()
    assert len(secure) >= 5000
    assert [json.loads(line) for line in secure] == \
        [line if isinstance(line, dict) else json.loads(line) for line in lines]


def test_old_versions_and_plain_text_are_refused(system, certificates):
    old = context_for(certificates)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    for door in (system.https, system.mqtts):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            tls_connect(door, old)
        with socket.create_connection(address_of(door), timeout=10) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 100)
            try:
                got = sock.recv(4096)
            except ConnectionResetError:
                got = b""
            assert not got.startswith(b"HTTP")
    assert metric(system, 'door_refused_total{reason="tls"}') == 4
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = context_for(certificates, minimum_version=version, maximum_version=version)
        with tls_connect(system.https, context) as sock:
            sock.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            assert b" 200 OK" in sock.recv(4096)


def test_browsers_come_back_over_tls_only(system, certificates):
    """Whoever came over TLS is told so on every answer; over plain HTTP it would mean nothing."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context_for(certificates)), KeepErrors)
    for path in ("/livez", "/v1/me", "/v1/nothing", "/"):
        for base, expected in ((system.https, ["max-age=31536000"]), (system.http, None)):
            with opener.open(base + path, timeout=10) as answer:
                told = answer.headers.get_all("Strict-Transport-Security")
            assert told == expected, (base, path)


def test_sessions_are_resumed(system, certificates):
    context = context_for(certificates, maximum_version=ssl.TLSVersion.TLSv1_2)
    session = None
    for _ in range(3):
        with tls_connect(system.https, context, session=session) as sock:
            sock.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            assert b" 200 OK" in sock.recv(4096)
            assert sock.session_reused == (session is not None)
            session = sock.session
    assert metric(system, "door_tls_resumed_total") == 2


def test_native_mqtt_is_guarded(system, certificates):
    context = context_for(certificates)
    alice, bob = system.signup("alice"), system.signup("bob")
    phone = system.device(bob)
    with tls_connect(system.mqtts, context) as late:
        began = time.monotonic()
        assert late.recv(100) == b""
        assert 4 < time.monotonic() - began < 8
    for broken in (b"\x10\xff\xff\xff\x7f", PINGREQ, b"GET / HTTP/1.1\r\n\r\n"):
        with tls_connect(system.mqtts, context) as sock:
            sock.sendall(broken)
            assert sock.recv(100) == b""
    with tls_connect(system.mqtts, context) as sock:
        stream = mqtt_connect(alice) + PINGREQ
        for byte in stream:
            sock.sendall(bytes([byte]))
        received = b""
        while PINGRESP not in received:
            part = sock.recv(4096)
            assert part, received
            received += part
        assert received.startswith(CONNACK)
        sock.sendall(mqtt_publish(f"send/@{bob.handle}", draft("before", "before")) + DISCONNECT
                     + mqtt_publish(f"send/@{bob.handle}", draft("after", "after")))
        while sock.recv(4096):
            pass
    entry = phone.wait_message(lambda m: m.topic.startswith("chat/"))
    assert json.loads(entry.payload)["text"] == "before"
    phone.quiet()


def hang_up(system):
    os.kill(system.pid("bridge"), signal.SIGHUP)


def test_a_new_certificate(make_system):
    """After SIGHUP new connections get it, and old ones live on; what cannot be used changes
    nothing."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-tls-", dir="/tmp"))
    try:
        directory.chmod(0o755)
        make_certificate(directory, "first")
        system = make_system(BANTER_TLS_CERTIFICATE_FILE=directory / "certificate.pem",
                             BANTER_TLS_KEY_FILE=directory / "key.pem")
        alice = system.signup("alice")
        first = context_for(directory)
        device = WebSocket.connect(
            system.wss, wrap=lambda s: first.wrap_socket(s, server_hostname="127.0.0.1"))
        device.send(mqtt_connect(alice))
        assert device.receive_data().startswith(CONNACK)
        assert common_name(device.sock) == "first"

        make_certificate(directory, "second")
        hang_up(system)
        wait_until(lambda: "the certificate was read again" in system.log("bridge"), 10, "reload")
        with tls_connect(system.mqtts, context_for(directory)) as sock:
            assert common_name(sock) == "second"

        second = context_for(directory)
        (directory / "certificate.pem").write_text("no certificate\n", encoding="ascii")
        hang_up(system)
        wait_until(lambda: "the certificate that was in force stays" in system.log("bridge"), 10,
                   "the refusal")
        with tls_connect(system.https, second) as sock:
            assert common_name(sock) == "second"
        device.send(PINGREQ)
        while PINGRESP not in device.receive_data():
            pass
        device.close()
    finally:
        shutil.rmtree(directory)


def test_without_a_usable_certificate_it_does_not_start(make_system, certificates):
    with pytest.raises(RuntimeError, match="cannot be used"):
        make_system(BANTER_TLS_CERTIFICATE_FILE=certificates / "key.pem",
                    BANTER_TLS_KEY_FILE=certificates / "key.pem")
    with pytest.raises(RuntimeError, match="both"):
        make_system(BANTER_TLS_CERTIFICATE_FILE=certificates / "certificate.pem")


@pytest.mark.slow
def test_handshakes_that_do_not_end(system, certificates):
    """Silent, and stuck in the middle: cut off; others come in meanwhile."""
    silent = [socket.create_connection(address_of(system.mqtts), timeout=20) for _ in range(500)]
    for sock in silent[::2]:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01")
    began = time.monotonic()
    with tls_connect(system.https, context_for(certificates)) as sock:
        sock.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in sock.recv(4096)
    assert time.monotonic() - began < 2
    for sock in silent:
        assert sock.recv(100) == b""
        sock.close()
    assert 8 < time.monotonic() - began < 16


@pytest.mark.parametrize("protocol, code", [(MQTTv5, 0x88), (MQTTv311, 3)])
def test_while_draining_mqtt_over_tls_is_told_that_the_server_is_unavailable(
        system, certificates, protocol, code):
    alice = system.signup("alice")
    system.operate("drain", "--over", "0")
    with pytest.raises(Refused) as refused:
        system.device(alice, protocol=protocol, tls=certificates / "certificate.pem")
    assert refused.value.code == code
    assert metric(system, 'door_refused_total{reason="draining"}') == 1
