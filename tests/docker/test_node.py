# SPDX-License-Identifier: MIT
"""One node in Docker: what is in the images, what a container may do, and that people talk through
it while containers die, are replaced, or have been away.

The tests share one node and run in this order; those that stop it come last.
"""
import json
import re
import subprocess
import urllib.request

import pytest

from support import MosquittoSub, mosquitto_pub, wait_until
from support.device import MQTTv311
from stack import COMPOSE, IMAGES, SERVICES, docker, inspect, version_of_the_project
from talk import Talk

USERS = {"banter-postgres": "10003:10000", "banter-bridge": "10001:10000",
         "banter-broker": "10002:10000", "banter-haproxy": "10004:10000",
         "banter-valkey": "10005:10000"}
PACKAGES = {"banter-postgres": "postgresql-17", "banter-bridge": "banter-bridge",
            "banter-broker": "banter-broker", "banter-haproxy": "haproxy",
            "banter-valkey": "valkey-server"}
OVER_DEBIAN_MAX = {"banter-postgres": 350e6, "banter-bridge": 80e6, "banter-broker": 60e6,
                   "banter-haproxy": 60e6, "banter-valkey": 60e6}


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_says_what_it_is(images, image):
    config = inspect(f"{image}:{images}")["Config"]
    assert config["User"] == USERS[image]
    assert config["Healthcheck"]["Test"]
    labels = {key.removeprefix("org.opencontainers.image."): value
              for key, value in config["Labels"].items()}
    assert labels["title"] and labels["licenses"] and labels["version"] == images


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_small_and_knows_its_packages(images, image):
    """What scanners read is there, and what only builds need is not."""
    tag = f"{image}:{images}"
    listed = docker("run", "--rm", "--network", "none", "--entrypoint", "dpkg-query", tag,
                    "--show", "--showformat", "${Package}\n").split()
    assert PACKAGES[image] in listed
    assert not {"gcc", "cmake", "npm", "dpkg-dev", "python3"} & set(listed)
    layers = docker("history", "--human=false", "--format", "{{.Size}}", tag).split()
    base, *ours = reversed([int(size) for size in layers])
    assert sum(ours) < OVER_DEBIAN_MAX[image], f"{sum(ours) / 1e6:.0f} MB over {base / 1e6:.0f}"


def test_the_tag_is_the_version_of_the_project():
    defaults = set(re.findall(r"BANTER_VERSION:-([^}]+)\}", COMPOSE.read_text(encoding="utf-8")))
    assert defaults == {version_of_the_project()}


def test_all_services_are_healthy(node):
    for service in SERVICES:
        assert node.state(service)["State"]["Health"]["Status"] == "healthy"
    assert node.request("GET", "/readyz").status == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_may_do_little(node, service):
    host = node.state(service)["HostConfig"]
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    status = node.execute(service, "cat", "/proc/1/status").stdout
    assert re.search(r"^Uid:\s+(1000\d)\s+\1\s+\1\s+\1$", status, re.MULTILINE), status
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE), status
    for path in ("/x", "/etc/x", "/usr/bin/x", "/etc/banter/x"):
        refused = node.execute(service, "touch", path, check=False)
        assert refused.returncode != 0 and "Read-only" in refused.stderr, path


def test_what_the_broker_may_read_of_the_keys(node):
    """The public halves and the secret of the link; and it may change neither."""
    names = node.execute("bridge", "ls", "/var/lib/banter/keys").stdout.split()
    [private] = [name for name in names if name.endswith(".pem")]
    keys = "/var/lib/banter/keys"
    for name in ("jwks.json", "link.key"):
        node.execute("broker", "test", "-r", f"{keys}/{name}")
    assert node.execute("broker", "cat", f"{keys}/{private}", check=False).returncode != 0
    assert node.execute("broker", "touch", f"{keys}/x", check=False).returncode != 0


def test_the_database_is_reached_by_its_socket_alone(node):
    assert node.state("database")["HostConfig"]["NetworkMode"] == "none"
    assert node.sql("SELECT current_setting('listen_addresses') = ''") == "t"
    assert node.sql("SELECT current_setting('fsync') || current_setting('synchronous_commit')") \
        == "onon"
    assert node.sql("SELECT DISTINCT usename FROM pg_stat_activity"
                    " WHERE application_name LIKE 'banter-%'") == "banter_bridge"
    stranger = node.execute("broker", "ls", "/run/postgresql", check=False)
    assert stranger.returncode != 0


def test_the_web_client_is_served(node):
    page = node.request("GET", "/", headers={"Accept": "text/html"})
    assert page.status == 200 and page.body.lower().startswith(b"<!doctype html>")
    assert page.headers["Content-Type"].startswith("text/html")


def test_metrics_are_for_the_host_only(node):
    with urllib.request.urlopen(f"{node.metrics}/metrics", timeout=10) as answer:
        assert b"\nbanter_ready 1\n" in answer.read()
    [port] = node.state("bridge")["NetworkSettings"]["Ports"]["9464/tcp"]
    assert port["HostIp"] == "127.0.0.1"


def test_the_dashboard_shows_what_there_is(node):
    """Each metric that it asks for exists; those of push only where push is on."""
    board = (COMPOSE.parents[1] / "packaging" / "grafana" / "banter.json").read_text("utf-8")
    asked = {target["expr"] for panel in json.loads(board)["panels"]
             for target in panel.get("targets", ())}
    names = {name for expression in asked for name in re.findall(r"\b(?:banter|process)_\w+",
                                                                expression)}
    with urllib.request.urlopen(f"{node.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    there = set(re.findall(r"^(\w+)", text, re.MULTILINE))
    assert len(names) > 30
    assert {name for name in names - there if not name.startswith("banter_push_")} == set()


@pytest.mark.parametrize("options", [{}, {"protocol": MQTTv311}, {"transport": "websockets"}],
                         ids=["tcp", "tcp-311", "websocket"])
def test_paho_chats(node, options):
    alice, bob = node.signup("alice"), node.signup("bob")
    phone = node.device(bob, **options)
    receipt = node.device(alice, **options).say(f"@{bob.handle}", "¡hola! 👋")
    entry = phone.wait_entry(receipt["conversation"], seq=receipt["seq"])
    assert entry["text"] == "¡hola! 👋" and entry["from"] == alice.handle


def test_the_command_line_clients_chat(node):
    alice, bob = node.signup("alice"), node.signup("bob")
    with MosquittoSub(node, bob, "chat/#", "me/#") as heard:
        heard.wait_line(lambda line: line.startswith("me/ready"))
        draft = json.dumps({"id": "1", "text": "hello bob"})
        assert mosquitto_pub(node, alice, f"send/@{bob.handle}", draft).returncode == 0
        heard.wait_line(lambda line: '"text":"hello bob"' in line)


def test_a_killed_bridge_is_noticed_by_nobody(node):
    sender, reader = node.device(node.signup("alice")), node.device(node.signup("bob"))
    with Talk(node, sender, reader) as talk:
        talk.wait_more(20)
        node.kill("bridge")
        node.wait_ready()
        talk.wait_more(50)
    assert talk.reconnects == 0 and reader.connected, "the broker kept their connections"
    talk.assert_nothing_lost()


@pytest.mark.parametrize("service", ["broker", "database"])
def test_what_else_is_killed_comes_back(node, service):
    sender, reader = node.device(node.signup("alice")), node.device(node.signup("bob"))
    with Talk(node, sender, reader) as talk:
        talk.wait_more(20)
        node.kill(service)
        node.wait_ready(60)
        talk.wait_more(50, timeout=60)
    talk.assert_nothing_lost()


def test_an_upgrade_rolls_through(node, next_version):
    """First the bridge, which devices do not notice; then the broker, which tells them to leave;
    then the database."""
    sender, reader = node.device(node.signup("alice")), node.device(node.signup("bob"))
    before = {service: node.container(service) for service in SERVICES}
    node.version = next_version
    with Talk(node, sender, reader) as talk:
        talk.wait_more(20)
        node.up("--no-deps", "bridge")
        talk.wait_more(20)
        assert talk.reconnects == 0 and reader.connected
        node.up("--no-deps", "broker")
        talk.wait_more(20)
        assert talk.reconnects > 0
        assert any(event.get("reason") == "going_away" for event in reader.events())
        node.up("--no-deps", "database")
        talk.wait_more(20, timeout=60)
    talk.assert_nothing_lost()
    for service in SERVICES:
        assert node.container(service) != before[service]
        assert node.state(service)["Config"]["Image"].endswith(f":{next_version}")


def test_data_survive_down_and_up(node):
    alice, bob = node.signup("alice"), node.signup("bob")
    receipt = node.device(alice).say(f"@{bob.handle}", "for later")
    node.close_devices()
    node.down()
    assert node.container("bridge") == ""
    node.up()
    bob.login()
    path = f"/v1/conversations/{receipt['conversation']}/messages?after=0"
    for account in (alice, bob):  # alice's token is from before: its key is the same
        [entry] = [json.loads(line) for line in node.stream(path, account)]
        assert entry["text"] == "for later"


def test_backup_and_restore(node, tmp_path):
    """As docs/operations.md says: dump, and archive of the volumes that hold files."""
    alice, bob = node.signup("alice"), node.signup("bob")
    receipt = node.device(alice).say(f"@{bob.handle}", "worth keeping")
    node.close_devices()
    compose = ["docker", "compose", "-p", node.project, "-f", COMPOSE]

    def pipe(*command, source=None, target=None):
        subprocess.run([*compose, *command], stdin=source or subprocess.DEVNULL, stdout=target,
                       check=True, timeout=120, env=node.environment())

    files = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "tar", "bridge",
             "-C", "/var/lib/banter")
    dump, archive = tmp_path / "banter.dump", tmp_path / "files.tar"
    with dump.open("wb") as out:
        pipe("exec", "-T", "database", "pg_dump", "-U", "banter", "-Fc", "banter", target=out)
    with archive.open("wb") as out:
        pipe(*files, "-cf", "-", "keys", "blobs", target=out)
    node.down("--volumes")

    node.up("database")
    with dump.open("rb") as saved:
        pipe("exec", "-T", "database", "pg_restore", "-U", "banter", "-d", "banter",
             "--exit-on-error", source=saved)
    with archive.open("rb") as saved:
        pipe(*files, "-xf", "-", source=saved)
    node.up()
    path = f"/v1/conversations/{receipt['conversation']}/messages?after=0"
    [entry] = [json.loads(line) for line in node.stream(path, alice)]
    assert entry["text"] == "worth keeping"
    assert node.device(bob.login()).say(f"@{alice.handle}", "it was")["seq"] == 2


def test_tls(node, certificates):
    node.configure(BANTER_TLS_DIR=certificates,
                   BANTER_TLS_CERTIFICATE_FILE="/etc/banter/tls/fullchain.pem",
                   BANTER_TLS_KEY_FILE="/etc/banter/tls/privkey.pem")
    node.up()
    authority = certificates / "fullchain.pem"
    assert node.over_tls(authority, "GET", "/readyz").status == 200
    alice, bob = node.signup("alice"), node.signup("bob")
    phone = node.device(bob, transport="websockets", tls=authority)
    receipt = node.device(alice, tls=authority).say(f"@{bob.handle}", "in private")
    wait_until(lambda: phone.entries(receipt["conversation"]), 10, "the entry")
