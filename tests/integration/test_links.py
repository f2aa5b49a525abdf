# SPDX-License-Identifier: MIT
"""Links between hosts: PostgreSQL and Redis over TLS with certificates on both sides, made by an
authority of the test's own, and with no more rights than the bridge needs."""
import contextlib
import os
import re
import socket
import ssl
import time

import pytest

from support import System, wait_until
from support.authority import Authority
from support.cluster import Redis, request

pytestmark = pytest.mark.once

HOST = "127.0.0.1"  # of Redis, in the bridge's settings

# As docs/security.md has it.
USER_RULES = ("reset", "on", ">secret", "resetchannels", "&banter:*", "-@all", "+publish",
              "+subscribe", "+unsubscribe", "+ping")


class RedisOverTls(Redis):
    """No port without TLS, and nobody without a certificate; and one user besides the default."""

    _binds = ("127.0.0.1", "-::1")  # what localhost may mean; the second where it is there

    def __init__(self, authority):
        self._authority = authority
        self._shown = 0
        files = authority.sign("redis", "redis")
        self._context = ssl.create_default_context(cafile=authority.certificate("ca"))
        self._context.check_hostname = False  # whose name it shows is for the bridge to check
        self._context.load_cert_chain(*files)
        super().__init__()
        assert self.command("ACL", "SETUSER", "bridge", *USER_RULES) == "OK"

    def options(self):
        files = {"cert-file": self._authority.certificate("redis"),
                 "key-file": self._authority.key("redis"),
                 "ca-cert-file": self._authority.certificate("ca")}
        return ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "yes",
                *(word for name, path in files.items() for word in (f"--tls-{name}", str(path)))]

    def connect(self):
        return self._context.wrap_socket(super().connect())

    def show(self, alternative):
        """From now on it has a certificate for this name, by the same authority."""
        self._shown += 1
        certificate, key = self._authority.sign(f"redis{self._shown}", "127.0.0.1", alternative)
        assert self.command("CONFIG", "SET", "tls-cert-file", certificate,
                            "tls-key-file", key) == "OK"

    def as_bridge(self, *words):
        """What the bridge's user is answered."""
        with self.connect() as stream:
            answers = stream.makefile()
            for command in (("AUTH", "bridge", "secret"), words):
                stream.sendall(request(*command))
                line = answers.readline().strip()
            return line


def dsn(address, authority, role, **changes):
    words = {"host": address, "port": 5432, "user": role, "dbname": "banter",
             "sslmode": "verify-full", "sslrootcert": authority.certificate("ca"),
             "sslcert": authority.certificate(role), "sslkey": authority.key(role), **changes}
    return " ".join(f"{key}={value}" for key, value in words.items() if value is not None)


def serve_tls(system, authority, address):
    """Has the system's PostgreSQL listen on the address, for clients with certificates alone."""
    authority.sign("postgres", "postgres", f"IP:{address}")
    rules = authority.directory / "pg_hba.conf"
    rules.write_text("local all all trust\nhostssl banter banter,banter_bridge 127.0.0.0/8 cert\n")
    settings = {"listen_addresses": address, "ssl": "on", "hba_file": rules,
                "ssl_cert_file": authority.certificate("postgres"),
                "ssl_key_file": authority.key("postgres"),
                "ssl_ca_file": authority.certificate("ca")}
    for name, value in settings.items():
        system.psql(f"ALTER SYSTEM SET {name} = '{value}'", dsn=system.dsn_of("postgres"))


@pytest.fixture(scope="module")
def links():
    """A system whose bridge reaches both over TLS; `authority` and `redis` belong to it."""
    system = System()
    made = os.stat(system.data / "postgres")
    authority = Authority((made.st_uid, made.st_gid))
    system.authority = authority
    system.address = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}.7"
    for role in ("banter", "banter_bridge", "bridge"):
        authority.sign(role, role)
    serve_tls(system, authority, system.address)
    system.redis = RedisOverTls(authority)
    system.down()
    system.configure(
        BANTER_SERVICES="postgres bridge broker",
        BANTER_DATABASE=dsn(system.address, authority, "banter_bridge"),
        BANTER_MIGRATE_DATABASE=dsn(system.address, authority, "banter"),
        BANTER_REDIS=f"bridge:secret@{HOST}:{system.redis.port}",
        BANTER_REDIS_CA_FILE=authority.certificate("ca"),
        BANTER_REDIS_CERTIFICATE_FILE=authority.certificate("bridge"),
        BANTER_REDIS_KEY_FILE=authority.key("bridge"))
    try:
        system.up()
        system.wait_ready()
        yield system
    finally:
        crashes = system.close()
        system.redis.close()
        authority.close()
    assert not crashes, crashes


def bus_is_up(system):
    return "\nbanter_bus_up 1\n" in system.metrics()


def test_both_links_are_secured(links):
    """Every connection of the bridge is, and people chat over them."""
    wait_until(lambda: bus_is_up(links), 30, "the bus")
    rows = links.psql("SELECT a.usename, s.ssl, s.client_dn FROM pg_stat_activity a"
                      " JOIN pg_stat_ssl s USING (pid) WHERE a.application_name LIKE 'banter-%'",
                      dsn=links.dsn_of("postgres"))
    assert len(rows) > 4
    assert {tuple(row) for row in rows} == {("banter_bridge", "t", "/CN=banter_bridge")}
    alice, bob = links.signup("alice"), links.signup("bob")
    phone, other = links.device(alice), links.device(bob)
    receipt = phone.say(f"@{bob.handle}", "hello")
    other.wait_entry(receipt["conversation"], text="hello")
    links.close_devices()


def stranger():
    """Another authority, which has signed the same names."""
    made = Authority((os.geteuid(), os.getegid()))
    made.sign("banter_bridge", "banter_bridge")
    made.sign("bridge", "bridge")
    return made


@pytest.mark.parametrize("what, complaint", [
    ("nothing wrong", None),
    ("no TLS", "no pg_hba.conf entry|no encryption"),
    ("no certificate", "client certificate"),
    ("a certificate of somebody else's", "unknown ca|SSL error|closed the connection"),
    ("another role's certificate", "certificate authentication failed"),
    ("a server that another authority signed", "certificate verify failed"),
    ("a server of another name", "does not match host name"),
    ("a key that is open to others", "has group or world access"),
])
def test_whom_postgres_and_the_client_refuse(links, what, complaint):
    authority = links.authority
    other = stranger()
    loose = other.directory / "loose.key"
    loose.write_bytes(authority.key("banter_bridge").read_bytes())
    loose.chmod(0o644)
    changes = {
        "nothing wrong": {},
        "no TLS": {"sslmode": "disable"},
        "no certificate": {"sslcert": "/nonexistent", "sslkey": None},
        "a certificate of somebody else's": {"sslcert": other.certificate("banter_bridge"),
                                             "sslkey": other.key("banter_bridge")},
        "another role's certificate": {"user": "banter"},
        "a server that another authority signed": {"sslrootcert": other.certificate("ca")},
        "a server of another name": {"host": "db.example", "hostaddr": links.address},
        "a key that is open to others": {"sslkey": loose},
    }[what]
    words = dsn(links.address, authority, "banter_bridge", **changes)
    try:
        if complaint is None:
            assert links.psql("SELECT current_user", dsn=words) == [["banter_bridge"]]
        else:
            with pytest.raises(RuntimeError, match=complaint):
                links.psql("SELECT current_user", dsn=words)
    finally:
        other.close()


def lose_redis(links):
    """Ends all connections to Redis but this one."""
    links.redis.command("CLIENT", "KILL", "TYPE", "pubsub")
    links.redis.command("CLIENT", "KILL", "TYPE", "normal")
    wait_until(lambda: not bus_is_up(links), 30, "the end of the bus")


@pytest.mark.parametrize("what, complaint", [
    # The first reason is that we have ended the connections.
    ("the server's authority is not ours", "not connected.*\n(.*\n)*.*certificate verify failed"),
    ("our authority is not the server's", "not connected.*\n(.*\n)*.*not connected"),
    ("the key is open to others", "can be read by everybody"),
    ("the certificate is none", "no TLS with .*bridge.pem"),
])
def test_whom_redis_and_the_bridge_refuse(links, what, complaint):
    """The files count from the next connection on, so mending them is enough."""
    wait_until(lambda: bus_is_up(links), 30, "the bus")
    authority = links.authority
    other = stranger()
    replaced = {"the server's authority is not ours": ["ca.pem"],
                "our authority is not the server's": ["bridge.pem", "bridge.key"],
                "the key is open to others": [], "the certificate is none": ["bridge.pem"]}[what]
    kept = {name: (authority.directory / name).read_bytes() for name in replaced}
    said = len(links.log("bridge"))
    try:
        for name in replaced:
            (authority.directory / name).write_bytes((other.directory / name).read_bytes())
        if what == "the certificate is none":
            authority.certificate("bridge").write_text("")
        if not replaced:
            authority.key("bridge").chmod(0o644)
        lose_redis(links)
        wait_until(lambda: re.search(complaint, links.log("bridge")[said:]), 30, complaint)
        time.sleep(5)  # some attempts more, each for the same reason
        assert not bus_is_up(links)
        told = [line for line in links.log("bridge")[said:].splitlines()
                if re.search("not connected|no TLS|can be read", line)]
        assert len(told) == 2, "why it was lost, and why it does not come back"
    finally:
        for name, content in kept.items():
            (authority.directory / name).write_bytes(content)
        authority.key("bridge").chmod(0o600)
        other.close()
    wait_until(lambda: bus_is_up(links), 60, "the bus after the cure")


@contextlib.contextmanager
def asking_for(links, host):
    """The bridge's settings have this host."""
    def use(name):
        links.down()
        links.configure(BANTER_REDIS=f"bridge:secret@{name}:{links.redis.port}")
        links.up()
        links.wait_ready()
    if host != HOST:
        use(host)
    try:
        yield
    finally:
        if host != HOST:
            use(HOST)


@pytest.mark.parametrize("host, others, its", [
    (HOST, "DNS:redis.example", "IP:127.0.0.1"),  # though its common name is the right one
    (HOST, "IP:127.0.0.9", "IP:127.0.0.1"),
    ("localhost", "DNS:redis.example,IP:127.0.0.1", "DNS:localhost"),
])
def test_a_redis_of_another_name_is_refused(links, host, others, its):
    """Our authority has signed it, for somebody else."""
    with asking_for(links, host):
        links.redis.show(its)
        wait_until(lambda: bus_is_up(links), 60, "the bus")
        said = len(links.log("bridge"))
        links.redis.show(others)
        lose_redis(links)
        wait_until(lambda: re.search("not connected: .*certificate verify failed",
                                     links.log("bridge")[said:]), 30, "the complaint")
        assert not bus_is_up(links)
        links.redis.show(its)
        wait_until(lambda: bus_is_up(links), 60, "the bus after the cure")
    links.redis.show("IP:127.0.0.1")
    wait_until(lambda: bus_is_up(links), 60, "the bus as it was")


def test_redis_without_tls_or_a_certificate(links):
    """There is nothing to be had."""
    with socket.create_connection(("127.0.0.1", links.redis.port), timeout=10) as plain:
        plain.sendall(b"PING\r\n")
        try:
            assert b"PONG" not in plain.recv(100)
        except ConnectionResetError:
            pass
    context = ssl.create_default_context(cafile=links.authority.certificate("ca"))
    with pytest.raises(OSError):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", links.redis.port),
                                                          timeout=10),
                                 server_hostname="127.0.0.1") as stream:
            stream.sendall(b"PING\r\n")
            assert stream.recv(100) == b""
            raise ConnectionResetError


@pytest.mark.parametrize("words, allowed", [
    (("PUBLISH", "banter:x", "y"), True), (("SUBSCRIBE", "banter:x"), True), (("PING",), True),
    (("PUBLISH", "other:x", "y"), False), (("SUBSCRIBE", "other:x"), False),
    (("PSUBSCRIBE", "*"), False), (("GET", "x"), False), (("SET", "x", "y"), False),
    (("KEYS", "*"), False), (("FLUSHALL",), False), (("CONFIG", "GET", "*"), False),
    (("CLIENT", "LIST"), False), (("ACL", "LIST"), False), (("SHUTDOWN",), False),
    (("EVAL", "return 1", "0"), False), (("SCRIPT", "LOAD", "return 1"), False),
    (("MONITOR",), False), (("REPLICAOF", "127.0.0.1", "1"), False),
])
def test_what_the_bridges_user_of_redis_may(links, words, allowed):
    assert links.redis.as_bridge(*words).startswith("-NOPERM") is not allowed
