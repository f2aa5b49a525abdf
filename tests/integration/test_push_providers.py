# SPDX-License-Identifier: MIT
"""Push over FCM, APNs and Web Push from one end to the other. The stand-ins of tests/push verify
every token, signature and encryption as the real services do; what they find fails the test."""
import json
import pathlib
import subprocess
import threading

import pytest

from support import wait_until
from support.push import post, registrations, wait_no_jobs

pytestmark = pytest.mark.push

STANDINS = pathlib.Path(__file__).resolve().parents[1] / "push" / "standins.mjs"
FCM_TOKEN = "dGVzdA:APA91b-registration_token"
APNS_TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"


class StandIns:
    def __init__(self):
        self._process = subprocess.Popen(["node", STANDINS], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        first = json.loads(self._process.stdout.readline())
        self.settings = {f"BANTER_PUSH_{key.upper()}": value
                         for key, value in first["settings"].items()}
        self.subscription = first["subscription"]
        self.heard = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.heard.append(json.loads(line))

    def wait(self, provider):
        return wait_until(lambda: next((one for one in self.heard
                                        if one.get("provider") == provider), None),
                          10, f"a push over {provider}")

    def close(self):
        """What they found wrong."""
        self._process.stdin.close()
        self._reader.join(timeout=20)
        self._process.wait(timeout=20)
        return self.heard[-1]["faults"]


@pytest.fixture
def standins():
    made = StandIns()
    yield made
    assert made.close() == []


@pytest.mark.parametrize("text", ["true", "false"], ids=["with text", "without"])
def test_all_providers(make_system, standins, text):
    system = make_system(**standins.settings, BANTER_PUSH_TEXT=text)
    alice, bob = system.signup("alice"), system.signup("bob")
    for body in ({"provider": "fcm", "token": FCM_TOKEN},
                 {"provider": "apns", "token": APNS_TOKEN, "app": "org.example.other"},
                 {"provider": "web", **standins.subscription}):
        system.request("POST", "/v1/push/registrations", body, bob).ok()
    receipt, _at = post(system, alice, f"@{bob.handle}", "grüße an alle 👋")

    fcm = standins.wait("fcm")["content"]
    assert fcm["token"] == FCM_TOKEN
    assert fcm["data"]["conversation"] == receipt["conversation"]
    assert (fcm["data"]["seq"], fcm["data"]["badge"]) == ("1", "1")
    apns = standins.wait("apns")
    assert apns["path"] == f"/3/device/{APNS_TOKEN}"
    assert apns["headers"]["apns-topic"] == "org.example.other"
    assert (apns["content"]["seq"], apns["content"]["aps"]["badge"]) == (1, 1)
    web = standins.wait("web")["content"]
    assert (web["conversation"], web["seq"]) == (receipt["conversation"], 1)
    if text == "true":
        assert fcm["notification"]["body"] == "grüße an alle 👋"
        assert apns["content"]["aps"]["alert"]["body"] == "grüße an alle 👋"
        assert (web["text"], web["from"]) == ("grüße an alle 👋", alice.handle)
    else:
        assert "grüße" not in json.dumps(standins.heard, ensure_ascii=False)
        assert alice.handle not in json.dumps(standins.heard)
    wait_no_jobs(system)
    assert len(standins.heard) == 3


BAD = [
    {"provider": "fcm", "token": ""},
    {"provider": "fcm", "token": "a b"},
    {"provider": "apns", "token": "not hex"},
    {"provider": "web", "endpoint": "https://push.example.org/1"},
    {"provider": "web", "endpoint": "https://push.example.org/1", "keys": "none"},
    {"provider": "web", "endpoint": "https://push.example.org/1", "keys": {"p256dh": "AAAA"}},
    {"provider": "web", "endpoint": "https://push.example.org/1",
     "keys": {"p256dh": "AAAA", "auth": "AAAA"}},
]


def test_addresses_that_no_provider_has(make_system, standins):
    system = make_system(**standins.settings)
    alice = system.signup("alice")
    for body in BAD:
        answer = system.request("POST", "/v1/push/registrations", body, alice)
        assert (answer.status, answer.json()["code"]) == (400, "invalid"), body
    assert registrations(system, alice) == []
