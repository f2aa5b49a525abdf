#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the front door of a running copy: `./banter bench door`.

Long messages to many receivers, over TCP and over WebSocket, in rounds: from the sender's write to
the last byte at each receiver. Then many idle WebSockets: what each costs the bridge, against as
many plain TCP connections of the same users, which cost it all but the door. It fails if a message
does not arrive at every receiver."""
import argparse
import json
import os
import re
import select
import socket
import statistics
import struct
import sys
import time
import urllib.parse
import urllib.request

DEADLINE_S = 60
DEVICES_PER_USER = 30  # of the idle connections; the broker allows 32


def call(base, path, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        return json.load(answer)


def sign_up(base, count):
    mark = os.urandom(4).hex()
    people = []
    for i in range(count):
        handle = f"door-{mark}-{i}"
        made = call(base, "/v1/signup", {"handle": handle, "password": "a bench's password"})
        people.append((handle, made["access_token"]))
    return people


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


# ---------------------------------------------------------------- MQTT and WebSocket, just enough


def string(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            return bytes([first]) + length + body


def frame(payload):
    if len(payload) < 126:
        head = bytes([0x82, 0x80 | len(payload)])
    elif len(payload) < 65536:
        head = b"\x82\xfe" + struct.pack(">H", len(payload))
    else:
        head = b"\x82\xff" + struct.pack(">Q", len(payload))
    return head + b"\0\0\0\0" + payload  # a mask of zeros changes nothing


class Client:
    """One connection with its MQTT; `url` is ws://… or mqtt://…"""

    def __init__(self, url, handle, token, device):
        address = urllib.parse.urlsplit(url)
        self.is_websocket = address.scheme == "ws"
        self.received = bytearray()  # MQTT that has not been looked at
        self.ready = False           # its CONNACK has come
        self._rest = b""
        self._payload_left = 0
        self.sock = socket.create_connection((address.hostname, address.port), DEADLINE_S)
        if self.is_websocket:
            self.sock.sendall(
                f"GET /mqtt HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Protocol: mqtt\r\n\r\n".encode())
            while b"\r\n\r\n" not in self._rest:
                self._rest += self.sock.recv(4096)
            head, _, self._rest = self._rest.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101"), head
        self.send(packet(0x10, string("MQTT") + b"\x04\xc2\0\x78" + string(f"{handle}/{device}")
                         + string(handle) + string(token)))

    def send(self, data):
        self.sock.sendall(frame(data) if self.is_websocket else data)

    def read(self, size=1 << 18):
        """Reads once; appends to `received` and returns how many bytes of MQTT came."""
        data = self.sock.recv(size)
        if not data:
            raise EOFError("a connection was closed")
        before = len(self.received)
        if self.is_websocket:
            self._unframe(self._rest + data if self._rest else data)
        else:
            self.received += data
        return len(self.received) - before

    def _unframe(self, data):
        at, end = 0, len(data)
        while at < end:
            if not self._payload_left:
                size = 2 if end - at >= 2 and data[at + 1] < 126 else 4
                if end - at >= 2 and data[at + 1] == 127:
                    size = 10
                if end - at < size:
                    break
                length = data[at + 1]
                if size > 2:
                    length = int.from_bytes(data[at + 2:at + size], "big")
                self._payload_left = length
                if data[at] == 0x89:  # a ping; nothing follows it here
                    self.sock.sendall(b"\x8a\x80\0\0\0\0")
                at += size
            n = min(self._payload_left, end - at)
            self.received += data[at:at + n]
            self._payload_left -= n
            at += n
        self._rest = data[at:]


def wait_ready(clients):
    """Reads until every client has its CONNACK and has been told that it is ready."""
    for client in clients:
        while b"me/ready" not in client.received:
            client.read()
        assert client.received.startswith(b"\x20\x02\x00\x00"), "a connection was refused"
        client.received.clear()


# ---------------------------------------------------------------- what is measured


def hold_idle(options, people, url, count):
    """Opens `count` connections; returns KB of the bridge for each."""
    before = resident_kib(options.bridge)
    clients = []
    for i in range(count):
        handle, token = people[i % len(people)]
        clients.append(Client(url, handle, token, f"d{i}"))
        if len(clients) % 200 == 0:
            wait_ready(clients[-200:])
    wait_ready(clients[count - count % 200:])
    time.sleep(2)
    growth = resident_kib(options.bridge) - before
    for client in clients:
        client.sock.close()
    time.sleep(3)
    return growth / count


def measure_idle(options):
    people = sign_up(options.http, options.idle // DEVICES_PER_USER + 1)
    mqtt, ws = f"mqtt://{options.mqtt}", options.http.replace("http", "ws")
    hold_idle(options, people, ws, 200)  # what the first connections cost once and for all
    tcp = hold_idle(options, people, mqtt, options.idle)
    websocket = hold_idle(options, people, ws, options.idle)
    print(f"idle connections           {options.idle}")
    print(f"  bridge, WebSocket        {websocket:.2f} KiB each")
    print(f"  bridge, plain TCP        {tcp:.2f} KiB each (what it knows of a device)")
    return {"idle": options.idle, "websocket_kib": websocket, "tcp_kib": tcp}


def one_round(sender, receivers, conversation, number, characters):
    """Seconds until the whole message was at each receiver."""
    mark = f"m{number}-{os.urandom(4).hex()}"
    body = json.dumps({"id": mark, "kind": "text", "text": "x" * characters}).encode()
    poll = select.epoll()
    waiting = {}
    for client in receivers:
        client.received.clear()
        client.sock.setblocking(False)
        poll.register(client.sock, select.EPOLLIN)
        waiting[client.sock.fileno()] = client
    began = time.perf_counter()
    sender.send(packet(0x32, string(f"send/{conversation}") + struct.pack(">H", number) + body))
    times = []
    while waiting:
        events = poll.poll(DEADLINE_S)
        if not events:
            raise TimeoutError(f"{len(waiting)} receivers did not get message {number}")
        for fd, _event in events:
            client = waiting[fd]
            client.read()
            if len(client.received) > characters and mark.encode() in client.received:
                times.append(time.perf_counter() - began)
                poll.unregister(fd)
                client.sock.setblocking(True)
                del waiting[fd]
    poll.close()
    return times


def burst(options, people, conversation, url):
    """Milliseconds of each receiver in each round but the first, and of the last in each."""
    sender = Client(url, *people[0], "sender")
    receivers = [Client(url, *people[1 + i % 10], f"r{i}") for i in range(options.receivers)]
    wait_ready([sender, *receivers])
    rounds = []
    for number in range(1, options.rounds + 1):
        rounds.append(one_round(sender, receivers, conversation, number, options.characters))
        time.sleep(options.pause)
    for client in [sender, *receivers]:
        client.sock.close()
    time.sleep(1)
    return (sorted(t * 1000 for one in rounds[1:] for t in one),
            [max(one) * 1000 for one in rounds[1:]])


def measure_burst(options):
    people = sign_up(options.http, 11)
    made = call(options.http, "/v1/control", {"commands": [
        {"command": "createGroup", "title": "door", "members": [h for h, _ in people[1:]]}]},
                people[0][1])
    conversation = made["responses"][0]["data"]["conversation"]
    print(f"{options.characters} characters to {options.receivers} receivers, "
          f"{options.rounds - 1} rounds")
    result = {"characters": options.characters, "receivers": options.receivers}
    for name, url in (("tcp", f"mqtt://{options.mqtt}"),
                      ("websocket", options.http.replace("http", "ws"))):
        times, last = burst(options, people, conversation, url)
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99) - 1]
        print(f"  {name:<10} p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {times[-1]:.1f} ms; "
              f"the last receiver, median of the rounds {statistics.median(last):.1f} ms")
        result[name] = {"p50_ms": p50, "p99_ms": p99, "max_ms": times[-1]}
    return result


def main():
    parser = argparse.ArgumentParser(prog="banter bench door", description=__doc__)
    parser.add_argument("--http", required=True)
    parser.add_argument("--mqtt", required=True)
    parser.add_argument("--bridge", type=int, required=True, help="the bridge's process id")
    parser.add_argument("--idle", type=int, default=5000, help="idle connections; 0: none")
    parser.add_argument("--receivers", type=int, default=100)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=51, help="the first does not count")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between rounds")
    options = parser.parse_args()
    result = {}
    if options.receivers:
        result["burst"] = measure_burst(options)
    if options.idle:
        result["idle"] = measure_idle(options)
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
