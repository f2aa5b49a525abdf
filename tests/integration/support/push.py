# SPDX-License-Identifier: MIT
"""What the tests of push share: a system whose provider is a webhook of the test, and what is asked
of it. `pushing`, `system` and `hook` are fixtures: import them by name."""
import time
import uuid

import pytest

from .lifetime import kept
from .system import System
from .waiting import wait_until
from .webhook import SECRET, Webhook

SETTINGS = {"BANTER_PUSH_WEBHOOKS": "true", "BANTER_PUSH_ALLOW_PRIVATE": "true",
            "BANTER_PUSH_RETRY_MS": 100, "BANTER_PUSH_ATTEMPTS_MAX": 4,
            "BANTER_PUSH_TIMEOUT_MS": 1000}
TOLD_WITHIN = 2.0  # seconds after the message
QUIET = 1.5        # long enough for a push that should not come to have come


@pytest.fixture(scope="module")
def pushing():
    """One system for the tests here that leave it as it was."""
    system = System(**SETTINGS)
    system.wait_ready()
    wait_settled(system)
    yield from kept(system)


def wait_settled(system):
    """After a start nobody is told before the plugin has said who is here."""
    alice, bob = system.signup("alice"), system.signup("bob")
    webhook = Webhook()
    register(system, webhook, bob)
    post(system, alice, f"@{bob.handle}", "hello")
    webhook.wait(bob)
    webhook.close()


@pytest.fixture
def system(pushing, request):
    request.node.banter_system = pushing
    pushing.wait_ready()
    yield pushing
    pushing.close_devices()


@pytest.fixture
def hook():
    webhook = Webhook()
    yield webhook
    webhook.close()


def register(system, hook, account, **more):
    body = {"provider": "webhook", "url": hook.url(account.handle), "secret": SECRET, **more}
    return system.request("POST", "/v1/push/registrations", body,
                          account).ok()["registration"]


def post(system, account, to, text, **fields):
    """Returns the receipt, and when it came."""
    receipt = system.request("POST", f"/v1/conversations/{to}/messages",
                             {"id": str(uuid.uuid4()), "text": text, **fields}, account).ok()
    return receipt, time.monotonic()


def wait_no_jobs(system, timeout=20):
    def empty():
        rows = system.psql("SELECT (SELECT count(*) FROM banter.push_outbox),"
                           " (SELECT count(*) FROM banter.push_jobs)")
        return rows[0] == ["0", "0"]
    wait_until(empty, timeout, "an empty queue", interval=0.1)


def assert_nobody_is_told(system, hook, *accounts):
    time.sleep(QUIET)
    wait_no_jobs(system)
    for account in accounts:
        assert hook.of(account) == [], account


def assert_quiet_after(system, hook, account, count):
    time.sleep(QUIET)
    wait_no_jobs(system)
    assert len(hook.of(account)) == count


def registrations(system, account):
    return system.request("GET", "/v1/push/registrations",
                          account=account).ok()["registrations"]
