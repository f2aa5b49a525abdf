# SPDX-License-Identifier: MIT
"""What the tests of conversations, their members and their end share. `ask` and `invariants` are
fixtures: a test module imports them by name."""
import json
import pathlib
import subprocess
import uuid

import pytest

from .device import MQTTv311, MQTTv5

CHECK = pathlib.Path(__file__).resolve().parents[3] / "schema" / "check.sql"


@pytest.fixture(params=["http", "mqtt5", "mqtt311"])
def ask(banter, request):
    """ask(account, command, **arguments) -> its response, through one of the doors."""
    devices = {}

    def through(account, command, **arguments):
        body = {"command": command, **arguments}
        if request.param == "http":
            return banter.control(account, body)[0]
        if account.handle not in devices:
            protocol = MQTTv5 if request.param == "mqtt5" else MQTTv311
            devices[account.handle] = banter.device(account, "control", protocol=protocol)
        return devices[account.handle].control(body)[0]
    return through


@pytest.fixture(autouse=True)
def invariants(banter):
    yield
    found = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", banter.postgres_dsn,
                            "-f", CHECK], text=True, capture_output=True, timeout=120, check=True)
    assert found.stdout == ""


def data(response):
    assert "error" not in response, response
    return response["data"]


def code(response):
    assert "data" not in response
    assert response["error"]["reason"]
    return response["error"]["code"]


def event_of(device, conversation, name, timeout=10):
    def matches(message):
        if message.topic != "me/event":
            return False
        event = json.loads(message.payload)
        return (event["event"], event.get("conversation")) == (name, conversation)
    message = device.wait_message(matches, timeout, f"{name} of {conversation}")
    return json.loads(message.payload)


def flush(device):
    """What was on its way to the device has come when this returns."""
    device.receipt(device.send(str(uuid.uuid4()), "flush"))


def roles(banter, account, conversation):
    listed = banter.data_of(account, {"command": "listMembers", "conversation": conversation})
    return {member["user"]: member["role"] for member in listed["members"]}
