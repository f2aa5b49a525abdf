# SPDX-License-Identifier: MIT
"""`./banter doctor` finds nothing wrong with a good copy, and what is wrong with a broken one.

Each test breaks one thing for real, sees the finding, and mends it."""
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.cluster import Redis
from support.system import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "packaging"))

from doctor import broker_conf, checks, installation, probe  # noqa: E402 (after the path is set)

pytestmark = pytest.mark.once


def doctor(system, *arguments):
    return subprocess.run([REPOSITORY / "banter", "--data", system.data, "doctor", *arguments],
                          text=True, capture_output=True, timeout=60, check=False)


def findings(system, level="error"):
    """{check: texts with remedies} of this level; the exit status must fit."""
    done = doctor(system, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == (0 if told["ok"] else 1), done.stderr
    assert told["ok"] == all(f["level"] != "error" for f in told["findings"])
    found = {}
    for finding in told["findings"]:
        assert finding["remedy"] or finding["level"] == "ok", finding
        if finding["level"] == level:
            found[finding["check"]] = \
                f"{found.get(finding['check'], '')}{finding['text']}. {finding['remedy']}\n"
    return found


@contextlib.contextmanager
def changed(path, change):
    """A file as change(text) makes it, for a while."""
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def test_a_good_copy(banter):
    done = doctor(banter)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.split()[0] in ("ok", "warning") for line in lines[:-1])
    assert lines[-1].startswith("errors: 0, ")
    for check in ("database", "durability", "schema", "secrets", "bridge", "broker", "link"):
        assert any(line.split()[:2] == ["ok", check] for line in lines), check


def test_settings_that_the_bridge_would_refuse(banter):
    with changed(banter.data / "bridge.conf", lambda text: text + "databse x\nsignup maybe\n"):
        found = findings(banter)
    assert set(found) == {"configuration"}
    assert "databse" in found["configuration"] and "signup" in found["configuration"]


def test_a_variable_that_means_nothing(banter, tmp_data):
    """It is found in the environment of who will start the bridge, here in ours."""
    (tmp_data / "bin").mkdir()
    shutil.copy(banter.data / "bin/banter-bridge", tmp_data / "bin")
    for name in ("bridge.conf", "mosquitto.conf"):
        shutil.copy(banter.data / name, tmp_data)
    done = subprocess.run([REPOSITORY / "banter", "--data", tmp_data, "doctor"], text=True,
                          capture_output=True, timeout=60, check=False,
                          env={**os.environ, "BANTER_SINGUP": "false"})
    assert "BANTER_SINGUP" in done.stdout


def test_two_files_that_disagree(banter):
    with changed(banter.data / "mosquitto.conf",
                 lambda text: text.replace("issuer banter", "issuer another")):
        assert "issuer: the bridge has banter, the broker another" in findings(banter)["agreement"]
    with changed(banter.data / "bridge.conf",
                 lambda text: text.replace("mqtt.sock", "mqtt2.sock")):
        assert "mqtt_socket" in findings(banter)["agreement"]


def test_secrets_that_are_open_or_closed_to_the_wrong_ones(banter):
    key = banter.data / "link.key"
    key.chmod(0o644)
    try:
        assert f"chmod o= {key}" in findings(banter)["secrets"]
    finally:
        key.chmod(0o600)
    pem = next((banter.data / "keys").glob("*.pem"))
    owner = pem.stat()
    if os.geteuid() == 0:
        os.chown(pem, 0, 0)
        try:
            assert f"cannot read {pem}" in findings(banter)["secrets"]
        finally:
            os.chown(pem, owner.st_uid, owner.st_gid)


def test_a_database_that_hurries_or_is_of_another_version(banter):
    banter.psql("ALTER DATABASE banter SET synchronous_commit = off")
    banter.psql("INSERT INTO banter.migrations VALUES (9000, '9000_later.sql', 'x')")
    try:
        found = findings(banter)
    finally:
        banter.psql("ALTER DATABASE banter RESET synchronous_commit")
        banter.psql("DELETE FROM banter.migrations WHERE number = 9000")
    assert set(found) == {"durability", "schema"}
    assert "synchronous_commit is off" in found["durability"]
    assert "9000" in found["schema"]


def test_a_redis_that_is_not_there_and_a_node_that_drains(banter):
    drain = pathlib.Path(dict(
        line.split(" ", 1) for line in (banter.data / "bridge.conf").read_text().splitlines()
    )["drain_file"])
    drain.write_text("3600\n", encoding="ascii")
    drain.chmod(0o644)
    try:
        with changed(banter.data / "bridge.conf", lambda text: text + "redis 127.0.0.1:9\n"):
            assert set(findings(banter)) <= {"redis", "bridge"}
            assert "127.0.0.1:9" in findings(banter)["redis"]
        redis = Redis()
        try:
            with changed(banter.data / "bridge.conf",
                         lambda text: f"{text}redis 127.0.0.1:{redis.port}\n"):
                assert "Redis answers" in findings(banter, "ok")["redis"]
            with changed(banter.data / "bridge.conf",
                         lambda text: f"{text}redis :wrong@127.0.0.1:{redis.port}\n"):
                assert "AUTH" in findings(banter)["redis"]
        finally:
            redis.close()
        assert "drain" in findings(banter, "warning")["bridge"]
    finally:
        drain.unlink()


def test_a_process_that_does_not_run_and_a_port_that_somebody_else_has(banter):
    banter.stop("broker")
    try:
        with socket.create_server(("127.0.0.1", banter.mqtt_port)):
            found = findings(banter)
    finally:
        banter.start("broker")
        banter.wait_ready()
    assert "broker does not run" in found["processes"]
    assert "start broker" in found["processes"]
    assert f"process {os.getpid()}" in found["ports"] and str(banter.mqtt_port) in found["ports"]
    assert "not connected" in found["link"]
    assert "not ready" in found["bridge"]
    assert "mqtt.sock" in found["broker"]


def test_a_plugin_that_was_replaced(banter):
    plugin = banter.data / "bin/banter_plugin.so"
    shutil.copy(plugin, f"{plugin}.new")
    os.replace(f"{plugin}.new", plugin)
    assert "restart broker" in findings(banter, "warning")["link"]


def make_certificate(directory, days):
    """Of its own, good for so many days; expired, if they are negative."""
    now = datetime.datetime.utcnow()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "banter")])
    certificate = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(days=30),
        not_valid_after=now + datetime.timedelta(days=days)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "key.pem").write_bytes(key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


@pytest.fixture
def directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("days, level, text", [(-1, "error", "has expired"),
                                               (3, "warning", "ends on")])
def test_a_certificate_that_ends(banter, directory, days, level, text):
    make_certificate(directory, days)
    lines = (f"tls_certificate_file {directory}/certificate.pem\n"
             f"tls_key_file {directory}/key.pem\n")
    with changed(banter.data / "bridge.conf", lambda before: before + lines):
        assert text in findings(banter, level)["certificate"]


def test_the_packages_installation(banter):
    """As far as it can be seen without one: their paths are another's here, and systemd runs
    nothing of ours."""
    packages = installation.Packaged()
    packages.bridge_program = banter.data / "bin/banter-bridge"
    packages.bridge_conf = banter.data / "bridge.conf"
    packages.broker_conf = banter.data / "mosquitto.conf"
    errors = {f.check: f.remedy for f in checks.run(packages) if f.level == "error"}
    assert set(errors) == {"ports", "processes"}
    assert "systemctl start banter-b" in errors["processes"]


def test_the_packages_broker_configuration():
    conf = broker_conf.read(REPOSITORY / "packaging/mosquitto.conf.in")
    ((path, options),) = conf.plugins
    assert path == "/usr/lib/banter/banter_plugin.so" and options["issuer"] == "banter"
    assert [listener.place for listener in conf.listeners] == [
        "/run/banter/broker.sock", "/run/banter/mqtt.sock", "127.0.0.1:1883"]


@pytest.mark.parametrize("dsn, bare, password", [
    ("host=h user=u dbname=d", "host=h user=u dbname=d", None),
    ("host=h password=p@ss user=u", "host=h user=u", "p@ss"),
    (r"password = 'a \'b\' c' host=h", "host=h", "a 'b' c"),
    ("postgresql://u:s%40e@h:5432/d", "postgresql://u@h:5432/d", "s@e"),
])
def test_no_password_on_a_command_line(dsn, bare, password):
    rest, environment = probe.split_password(dsn)
    assert " ".join(rest.split()) == bare
    assert environment.get("PGPASSWORD") == password


def test_no_installation(tmp_path):
    done = subprocess.run([REPOSITORY / "banter", "--data", tmp_path / "none", "doctor"], text=True,
                          capture_output=True, timeout=60, check=False)
    packages = pathlib.Path("/etc/banter/bridge.conf").exists()
    assert packages or (done.returncode == 1 and "there is no installation" in done.stderr)
