# SPDX-License-Identifier: MIT
"""Asks programs and servers, each time with a deadline. What went wrong is an Unanswered."""
import contextlib
import http.client
import os
import pathlib
import re
import socket
import ssl
import subprocess
import urllib.parse

SECONDS = 3
ANSWER_MAX_BYTES = 1 << 20
# CONNECT of MQTT 3.1.1, clean session, client id `banter-doctor`, no user name
CONNECT = b"\x10\x19\x00\x04MQTT\x04\x02\x00\x0a\x00\x0dbanter-doctor"


class Unanswered(Exception):
    """The question had no answer; the text says why."""


def split_address(place):
    """HOST:PORT or [IPv6]:PORT; an address that means all is asked at the loopback."""
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1", "*": "127.0.0.1"}.get(
        host, host), int(port)


def connect(place):
    """A stream to HOST:PORT or to the Unix socket of this path."""
    try:
        if not place.startswith("/"):
            return socket.create_connection(split_address(place), timeout=SECONDS)
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(SECONDS)
        stream.connect(place)
        return stream
    except (OSError, ValueError) as problem:
        raise Unanswered(f"{place}: {_reason(problem)}") from problem


def http_get(place, path):
    """(status, text)."""
    host, port = split_address(place)
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(ANSWER_MAX_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException) as problem:
        raise Unanswered(f"http://{place}{path}: {_reason(problem)}") from problem


def mqtt_connect(place):
    """The return code with which a broker answers somebody who has no token."""
    with connect(place) as stream:
        try:
            stream.sendall(CONNECT)
            answer = stream.recv(4)
        except OSError as problem:
            raise Unanswered(f"{place} does not answer a CONNECT: {_reason(problem)}") from problem
    if len(answer) < 4 or answer[0] != 0x20:
        raise Unanswered(f"{place} answers a CONNECT with something else: {answer!r}")
    return answer[3]


def _secured(stream, place, ca, certificate, key):
    """The stream with TLS on it."""
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate, key)
        return context.wrap_socket(stream, server_hostname=split_address(place)[0])
    except (OSError, ValueError) as problem:
        raise Unanswered(f"{place}, over TLS: {_reason(problem)}") from problem


def redis_ping(setting, ca, certificate, key):
    """Raises unless the Redis of these settings lets us in and answers PING."""
    credentials, _, place = setting.rpartition("@")
    user, _, password = credentials.partition(":")
    commands = [("PING",)]
    if password:
        commands.insert(0, ("AUTH", user, password) if user else ("AUTH", password))
    plain = connect(place)
    with (_secured(plain, place, ca, certificate, key) if ca else plain) as stream, \
            stream.makefile("rb") as answers:
        for words in commands:
            parts = [f"*{len(words)}\r\n", *(f"${len(w.encode())}\r\n{w}\r\n" for w in words)]
            try:
                stream.sendall("".join(parts).encode())
                line = answers.readline(512).decode(errors="replace").strip()
            except OSError as problem:
                raise Unanswered(f"{place} does not answer: {_reason(problem)}") from problem
            if not line.startswith("+"):
                raise Unanswered(f"{place} answers {words[0]} with {line or 'nothing'}")


def psql(dsn, sql, identity):
    """The rows of the answer, each a list of strings; asked as the user that the bridge runs as."""
    bare, password = split_password(dsn)
    environment = {**os.environ, "PGCONNECT_TIMEOUT": str(SECONDS), "LC_ALL": "C.UTF-8",
                   "PGOPTIONS": f"-c statement_timeout={SECONDS}s", **password}
    try:
        done = subprocess.run(["psql", "-XAtqw", "-F", "\x1f", "-d", bare, "-c", sql], text=True,
                              env=environment, capture_output=True, timeout=3 * SECONDS,
                              check=False, cwd="/", **_as(identity))
    except FileNotFoundError as problem:
        raise Unanswered("psql is not installed: apt-get install postgresql-client") from problem
    except subprocess.TimeoutExpired as problem:
        raise Unanswered(f"no answer within {3 * SECONDS} s") from problem
    if done.returncode != 0:
        raise Unanswered(" ".join(done.stderr.split()) or f"psql failed ({done.returncode})")
    return [line.split("\x1f") for line in done.stdout.splitlines()]


def split_password(dsn):
    """(the rest, variables): a command line is everybody's to read, the environment is not."""
    quoted = re.search(r"(?:^|\s)password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", dsn)
    if quoted:
        value = re.sub(r"\\(.)", r"\1", quoted[1].strip("'"))
        return dsn.replace(quoted[0], " "), {"PGPASSWORD": value}
    in_url = re.match(r"(postgres(?:ql)?://[^:/@]*):([^@/]*)@", dsn)
    if in_url:
        return dsn.replace(in_url[0], in_url[1] + "@", 1), {
            "PGPASSWORD": urllib.parse.unquote(in_url[2])}
    return dsn, {}


def may_read(path, identity):
    """Whether this user may: asked by trying, so directories and ACLs count."""
    if os.geteuid() != 0 or identity is None:
        return os.access(path, os.R_OK)
    return subprocess.run(["test", "-r", path], timeout=SECONDS, check=False,
                          **_as(identity)).returncode == 0


def _as(identity):
    if os.geteuid() != 0 or identity is None:
        return {}
    uid, gid, groups = identity
    return {"user": uid, "group": gid, "extra_groups": groups}


def tool(*command):
    """(exit status, output) of a program; None if it is not installed or does not end."""
    try:
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode, done.stdout.strip()


def _reason(problem):
    if isinstance(problem, TimeoutError):
        return f"no answer within {SECONDS} s"
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__


# ---------------------------------------------------------------- who listens


def listeners(port):
    """The inodes of the sockets that listen on this TCP port."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(fields[9])
    return inodes


def holders(inodes):
    """[(process id, name)] of those who have one of these sockets open, as far as we may see."""
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            links = {os.readlink(entry) for entry in (directory / "fd").iterdir()}
            if any(f"socket:[{inode}]" in links for inode in inodes):
                name = (directory / "comm").read_text(encoding="utf-8", errors="replace").strip()
                found.append((int(directory.name), name))
    return found


def descriptors(pid):
    """(open, limit) of a process; None if we may not see them."""
    try:
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
        return len(os.listdir(f"/proc/{pid}/fd")), int(re.search(r"open files +(\d+)", limits)[1])
    except (OSError, TypeError):
        return None
