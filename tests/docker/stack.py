# SPDX-License-Identifier: MIT
"""One `docker compose` project of the tests' own, with the manners of support.system.System.

Rule: it uses docker/compose.yaml as it is, with settings that docker/.env.example names; so what
passes here is what people get.
"""
import json
import os
import pathlib
import re
import secrets
import ssl
import subprocess
import urllib.parse
from http.client import HTTPSConnection

from support import Account, Device, http, wait_until
from support.account import unique_handle
from support.system import free_port_base

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = REPOSITORY / "docker" / "compose.yaml"
CLUSTER = COMPOSE.with_name("compose.cluster.yaml")
HAPROXY = COMPOSE.with_name("compose.haproxy.yaml")
SERVICES = ("database", "bridge", "broker")
IMAGES = ("banter-postgres", "banter-bridge", "banter-broker", "banter-haproxy",
          "banter-valkey")


def run(*command, environment=None, timeout=300, check=True, input=None):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True,
                          stdin=None if input else subprocess.DEVNULL, input=input,
                          timeout=timeout, check=False, env=environment)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed ({done.returncode}):\n"
                           f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


def docker(*arguments, **options):
    return run("docker", *arguments, **options).stdout.strip()


def inspect(what):
    return json.loads(docker("inspect", what))[0]


def _environment(version, **settings):
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("BANTER_", "COMPOSE_")) or key.startswith("BANTER_BUILD_")}
    return {**clean, "BANTER_VERSION": version, **{k: str(v) for k, v in settings.items()}}


def build_images():
    """Builds all, and returns their tag."""
    version = f"test-{secrets.token_hex(4)}"
    run("docker", "compose", "-f", CLUSTER, "build", environment=_environment(version),
        timeout=1800)
    return version


def remove_images(*versions):
    for version in versions:
        run("docker", "image", "rm", "-f", *(f"{name}:{version}" for name in IMAGES), check=False)


class Stack:
    def __init__(self, version, *files, **settings):
        """`files`: of compose; by default that of one node. `settings`: as in .env."""
        base = free_port_base()
        self.project = f"banter-test-{secrets.token_hex(4)}"
        self._devices = []
        self._files = [part for file in files or (COMPOSE,) for part in ("-f", file)]
        self._settings = {
            "BANTER_HTTP_PORT": base, "BANTER_MQTT_PORT": base + 1, "BANTER_HTTPS_PORT": base + 2,
            "BANTER_METRICS_PORT": base + 3, "BANTER_MQTTS_PORT": base + 4, **settings}
        self.version = version
        self.http = f"http://127.0.0.1:{base}"
        self.ws = f"ws://127.0.0.1:{base}/mqtt"
        self.https, self.wss = f"https://127.0.0.1:{base + 2}", f"wss://127.0.0.1:{base + 2}/mqtt"
        self.mqtt_host, self.mqtt_port = "127.0.0.1", base + 1
        self.mqtts = f"127.0.0.1:{base + 4}"
        self.metrics = f"http://127.0.0.1:{base + 3}"

    # ---------------------------------------------------------------- life

    def environment(self):
        return _environment(self.version, **self._settings)

    def compose(self, *arguments, **options):
        return run("docker", "compose", "-p", self.project, *self._files, *arguments,
                   environment=self.environment(), **options)

    def configure(self, **settings):
        """For the next up()."""
        self._settings.update(settings)

    def up(self, *services):
        """Returns when everything is healthy, as Docker sees it."""
        self.compose("up", "--no-build", "--detach", "--wait", "--wait-timeout", "120", *services)

    def down(self, *options):
        self.compose("down", *options)

    def close(self):
        self.close_devices()
        self.compose("down", "--volumes", "--timeout", "5", check=False)

    def close_devices(self):
        while self._devices:
            self._devices.pop().disconnect()

    def logs(self):
        return self.compose("logs", "--tail", "60", check=False).stdout

    def wait_ready(self, timeout=30):
        def ready():
            try:
                return self.request("GET", "/readyz").status == 200
            except OSError:
                return False
        wait_until(ready, timeout, "readiness", interval=0.05)

    # ---------------------------------------------------------------- containers

    def container(self, service):
        return self.compose("ps", "--all", "--quiet", service).stdout.strip()

    def state(self, service):
        return inspect(self.container(service))

    def execute(self, service, *command, check=True, **options):
        return self.compose("exec", "-T", service, *command, check=check, **options)

    def kill(self, service):
        """SIGKILL to the container's first process, from outside: Docker then sees a crash. (What
        `docker kill` ends is not started again.)"""
        state = self.state(service)
        before = state["RestartCount"]
        docker("run", "--rm", "--privileged", "--pid", "host", "--user", "0", "--network", "none",
               "--entrypoint", "/bin/bash", f"banter-bridge:{self.version}", "-c",
               f"kill -KILL {state['State']['Pid']}")
        wait_until(lambda: self.state(service)["RestartCount"] > before
                   and self.state(service)["State"]["Running"], 30, f"restart of {service}")

    def sql(self, statement):
        return self.execute("database", "psql", "-X", "-A", "-t", "-U", "banter", "-d", "banter",
                            "-c", statement).stdout.strip()

    # ---------------------------------------------------------------- people

    def request(self, method, path, body=None, account=None, token=None, headers=None, timeout=30):
        token = account.access_token if account is not None and token is None else token
        return http.request(self.http, method, path, body, token, headers, timeout)

    def over_tls(self, authority, method, path, body=None, token=None,
                 accept="application/json"):
        """The same through HTTPS; `authority` is the file of the certificate to trust."""
        address = urllib.parse.urlsplit(self.https)
        connection = HTTPSConnection(address.hostname, address.port, timeout=30,
                                     context=ssl.create_default_context(cafile=authority))
        try:
            headers = {"Content-Type": "application/json", "Accept": accept}
            if token is not None:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               headers)
            answer = connection.getresponse()
            return http.Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def signup(self, name="user"):
        return Account(self, unique_handle(name), "correct horse battery").signup()

    def device(self, account, name="phone", **options):
        device = Device(self, account, name, **options)
        self._devices.append(device)
        return device

    def stream(self, path, account=None, headers=None, timeout=60):
        token = account.access_token if account is not None else None
        return http.stream(self.http, path, token, headers, timeout)


class ProxiedStack(Stack):
    """Whose people come in by HAProxy alone; `certificates` is the directory that it gets."""

    def __init__(self, version, certificates, *files, **settings):
        super().__init__(version, *files, BANTER_TLS_DIR=certificates, **settings)
        self.authority = certificates / "fullchain.pem"

    def request(self, method, path, body=None, account=None, token=None, headers=None, timeout=30):
        token = account.access_token if account is not None and token is None else token
        return self.over_tls(self.authority, method, path, body, token)

    def stream(self, path, account=None, headers=None, timeout=60):
        answer = self.over_tls(self.authority, "GET", path, None, account.access_token,
                               accept="application/x-ndjson")
        return answer.body.splitlines()

    def device(self, account, name="phone", **options):
        return super().device(account, name, tls=self.authority, **options)


def version_of_the_project():
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"^project\(banter VERSION ([\d.]+)", text, re.MULTILINE)[1]
