# SPDX-License-Identifier: MIT
"""libbanter (clients/c) against a running system, by its examples: they are killed, the server is,
and nothing is lost, doubled or out of order. And a program builds against what is installed."""
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import threading
import time

import pytest

from support import wait_until
from support.system import REPOSITORY
from test_tls import make_certificate

BUILD = pathlib.Path(os.environ.get("BANTER_BUILD_DIR", REPOSITORY / "build/release"))
EXAMPLES = BUILD / "clients/c"
CLIENT = REPOSITORY / "clients/c"


@pytest.fixture
def stores():
    """A directory for the programs' files."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


class Example:
    """A running example; its lines of output, over all its lives."""

    def __init__(self, name, store, server, account, *arguments, **environment):
        self._command = [EXAMPLES / f"banter-example-{name}", server, account.handle,
                         account.password, *arguments]
        self._environment = {**os.environ, "BANTER_STORE": str(store),
                             **{key: str(value) for key, value in environment.items()}}
        self._lines = []
        self._said = []
        self.process = None

    def start(self, lines=None):
        """`lines`: what it reads."""
        self.process = subprocess.Popen(
            self._command, env=self._environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._readers = [
            threading.Thread(target=self._read, args=(stream, to), daemon=True)
            for stream, to in ((self.process.stdout, self._lines),
                               (self.process.stderr, self._said))]
        for reader in self._readers:
            reader.start()
        threading.Thread(target=self._write, args=(self.process, lines or []),
                         daemon=True).start()
        return self

    @staticmethod
    def _read(stream, to):
        for line in stream:
            to.append(line.rstrip("\n"))

    @staticmethod
    def _write(process, lines):
        try:
            for line in lines:
                process.stdin.write(line + "\n")
            process.stdin.close()
        except BrokenPipeError:
            pass  # it was killed

    def lines(self):
        return list(self._lines)

    def entries(self):
        """What tail printed whole; of the last line a kill may have left a part."""
        found = []
        for line in self.lines():
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return found

    def said(self):
        return "\n".join(self._said)

    def kill(self):
        self.process.kill()
        self._end(10)

    def wait(self, timeout=60):
        status = self._end(timeout)
        assert status == 0, self.said()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.wait(20)
        assert "Sanitizer" not in self.said()

    def _end(self, timeout):
        status = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(10)
        return status


@pytest.fixture
def example(stores):
    """example(name, system, account, *arguments, store=…, **environment): stopped afterwards."""
    made = []

    def make(name, system, account, *arguments, store=None, server=None, **environment):
        one = Example(name, stores / (store or f"{name}.db"), server or system.http, account,
                      *arguments, **environment)
        made.append(one)
        return one

    yield make
    for one in made:
        if one.process and one.process.poll() is None:
            one.kill()


def drafts(count):
    return [f"m{n}\tmessage {n}" for n in range(count)]


def whole(system, account, conversation):
    entries, after = [], 0
    while page := system.history(account, conversation, after=after, limit=1000):
        entries += page
        after = page[-1]["seq"]
    return entries


def assert_all_once(entries, count):
    assert [entry["id"] for entry in entries] == [f"m{n}" for n in range(count)]
    assert [entry["seq"] for entry in entries] == list(range(1, count + 1))


@pytest.mark.parametrize("native", (False, True), ids=("websocket", "tcp"))
def test_killed_again_and_again_it_loses_and_doubles_nothing(banter, example, native):
    """Both the program that sends and the one that reads."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    mqtt = {"BANTER_MQTT": f"mqtt://{banter.address()}"} if native else {}
    count = 400
    send = example("send", banter, alice, f"@{bob.handle}", **mqtt)
    tail = example("tail", banter, bob, **mqtt).start()
    deaths = 0
    for enough in (20, 100, 250):
        send.start(drafts(count))
        wait_until(lambda: len(send.lines()) >= enough, 30, "receipts")
        send.kill()
        tail.kill()
        deaths += 1
        tail.start()
    send.start(drafts(count)).wait()
    wait_until(lambda: tail.entries() and tail.entries()[-1]["seq"] == count, 20, "the last entry")
    tail.stop()
    conversation = tail.entries()[0]["conversation"]
    assert_all_once(whole(banter, alice, conversation), count)
    # Killed between printing and noting, it prints that one entry again: never another one.
    seqs = [entry["seq"] for entry in tail.entries()]
    steps = [after - before for before, after in itertools.pairwise(seqs)]
    assert set(steps) <= {0, 1}, steps
    assert steps.count(0) <= deaths


@pytest.mark.once
def test_it_outlives_every_process_of_the_server(banter, example):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    count = 700
    tail = example("tail", banter, bob).start()
    send = example("send", banter, alice, f"@{bob.handle}").start(drafts(count))
    for number, name in enumerate(("bridge", "broker")):
        wait_until(lambda: len(send.lines()) > 300 * number + 50, 30, "receipts")
        banter.wait_restarted(name, banter.kill(name))
    banter.wait_ready()
    send.wait()
    wait_until(lambda: len(tail.entries()) == count, 20, "all entries")
    tail.stop()
    assert_all_once(tail.entries(), count)
    assert sorted(set(send.lines())) == sorted(send.lines()), "a receipt was told twice"


@pytest.mark.once
def test_a_bot_answers_once_whatever_happens_to_it(banter, example):
    alice, parrot = banter.signup("alice"), banter.signup("parrot")
    phone = banter.device(alice)
    conversation = banter.group(alice, [parrot])
    bot = example("echo_bot", banter, parrot).start()
    wait_until(lambda: any(d.get("device") == "bot" for d in banter.data_of(
        parrot, {"command": "listDevices"})["devices"]), 10, "the bot's login")
    time.sleep(0.5)  # a new store begins with what comes from now on
    first = phone.say(conversation, "polly")
    phone.wait_entry(conversation, text="polly", reply_to=first["seq"])
    bot.kill()
    sent = [phone.say(conversation, f"text {n}") for n in range(20)]
    for _ in range(3):
        bot.start()
        time.sleep(0.3)
        bot.kill()
    bot.start()
    sent.append(phone.say(conversation, "and you?"))
    for receipt in sent:
        phone.wait_entry(conversation, reply_to=receipt["seq"])
    bot.stop()
    answers = [entry["reply_to"] for entry in whole(banter, alice, conversation)
               if entry.get("reply_to")]
    assert answers == [first["seq"], *(receipt["seq"] for receipt in sent)]


def setting(store, name):
    with contextlib.closing(sqlite3.connect(store)) as database:
        row = database.execute("SELECT value FROM setting WHERE name = ?", [name]).fetchone()
    return row and row[0]


def expire(store):
    """As if the program had not run for an hour."""
    with contextlib.closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE setting SET value = '1' WHERE name = 'expires_at_ms'")


@pytest.mark.slow
def test_it_speaks_tls_and_renews_its_token(make_system, example, stores):
    """wss, https and mqtts; a token that has expired; stores that nobody else reads."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-tls-", dir="/tmp"))
    directory.chmod(0o755)
    make_certificate(directory, "first")
    system = make_system(BANTER_TLS_CERTIFICATE_FILE=directory / "certificate.pem",
                         BANTER_TLS_KEY_FILE=directory / "key.pem")
    ca = directory / "certificate.pem"
    alice, bob = system.signup("alice"), system.signup("bob")
    send = example("send", system, alice, f"@{bob.handle}", server=system.https, BANTER_CA=ca)
    send.start(drafts(1)).wait()
    before = setting(stores / "send.db", "refresh_token")
    web = example("tail", system, bob, server=system.https, store="web.db", BANTER_CA=ca).start()
    native = example("tail", system, bob, server=system.https, store="native.db", BANTER_CA=ca,
                     BANTER_MQTT=f"mqtts://{system.mqtts}")
    wait_until(lambda: "online" in web.said(), 20, "a connection over wss")
    web.stop()  # two programs of one device would take turns
    native.start()
    wait_until(lambda: "online" in native.said(), 20, "a connection over mqtts")
    stranger = example("tail", system, bob, server=system.https, store="stranger.db").start()
    wait_until(lambda: "login: " in stranger.said(), 20, "an authority that nobody trusts")
    expire(stores / "send.db")
    send.start(drafts(3)).wait()
    assert setting(stores / "send.db", "refresh_token") != before
    wait_until(lambda: len(native.entries()) == 3, 20, "all entries")
    native.stop()
    assert_all_once(native.entries(), 3)
    for store in stores.iterdir():
        assert stat.S_IMODE(store.stat().st_mode) == 0o600, store
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def installed():
    """The library as `cmake --install` lays it out."""
    prefix = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    for component in ("client", "client-dev"):
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", component],
                       check=True, capture_output=True, timeout=60)
    yield prefix
    shutil.rmtree(prefix)


def pkg_config(prefix, *options):
    path = next(prefix.glob("lib/**/pkgconfig"))
    done = subprocess.run(["pkg-config", f"--define-variable=prefix={prefix}", *options, "banter"],
                          env={**os.environ, "PKG_CONFIG_PATH": str(path)}, check=True, text=True,
                          capture_output=True, timeout=20)
    return done.stdout.split()


def usage_of(program, libraries):
    done = subprocess.run([program], text=True, capture_output=True, timeout=20, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": str(libraries)})
    assert done.returncode == 2
    return done.stderr


@pytest.mark.slow
def test_one_line_builds_an_example(installed, stores):
    source = CLIENT / "examples/send.c"
    program = stores / "send"
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror",
                    "-o", program, source, *pkg_config(installed, "--cflags", "--libs")],
                   check=True, timeout=60)
    libraries = next(installed.glob("lib/**/libbanter.so")).parent
    assert usage_of(program, libraries).startswith("usage: ")
    assert (libraries / "libbanter.so.0").exists()
    static = stores / "send-static"
    flags = [flag if flag != "-lbanter" else "-l:libbanter.a"
             for flag in pkg_config(installed, "--static", "--cflags", "--libs")]
    subprocess.run(["cc", "-o", static, source, *flags], check=True, timeout=60)
    assert usage_of(static, "/nowhere").startswith("usage: ")


@pytest.mark.slow
def test_cmake_finds_it(installed, stores):
    (stores / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(newcomer LANGUAGES C)\n"
        "find_package(banter 0.1 REQUIRED)\n"
        f"add_executable(send {CLIENT}/examples/send.c)\n"
        "target_link_libraries(send PRIVATE banter::banter)\n")
    build = stores / "build"
    for command in (["cmake", "-G", "Ninja", "-S", stores, "-B", build,
                     f"-DCMAKE_PREFIX_PATH={installed}"], ["cmake", "--build", build]):
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert usage_of(build / "send", "").startswith("usage: ")


@pytest.mark.once
def test_only_its_own_names_are_visible():
    for library, option in (("libbanter.so", "-D"), ("libbanter.a", "-g")):
        done = subprocess.run(["nm", option, "--defined-only", EXAMPLES / library], text=True,
                              capture_output=True, check=True, timeout=20)
        names = [line.split()[-1] for line in done.stdout.splitlines() if len(line.split()) == 3]
        foreign = [name for name in names if not name.startswith(("banter_", "__asan_", "__odr_"))]
        assert "banter_create" in names and not foreign, foreign
