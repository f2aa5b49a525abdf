# SPDX-License-Identifier: MIT
"""Logs: every line can be taken apart, a request's id leads from its answer to its lines, a refused
draft is named, and nothing of what people write, nor what opens doors, is in them."""
import json
import re

import pytest

from support import System, wait_until
from support.lifetime import kept, lent
from support.faults import stopped

pytestmark = pytest.mark.once

VALUE = r'"(?:[^"\\]|\\.)*"|[^ "=]+'
LINE = re.compile(rf'ts=\S+Z level=(?:debug|info|warning|error) area=\S+ msg="(?:[^"\\]|\\.)*"'
                  rf'(?: [a-z_]+=(?:{VALUE}))*')
CANARY = "canary-5512"


@pytest.fixture(scope="module")
def logged():
    yield from kept(System(BANTER_LOG_LEVEL="debug"))


@pytest.fixture
def system(logged, request):
    yield from lent(logged, request)


def members(line):
    """{name: value} of a line, without what quotes and escapes ASCII."""
    return {name: re.sub(r'\\(["\\])', r"\1", value.strip('"'))
            for name, value in re.findall(rf"(\w+)=({VALUE})", line)}


def lines_with(system, process, part):
    """The lines of the log that have this; waits for one."""
    def found():
        return [line for line in system.log(process).splitlines() if part in line]
    return wait_until(found, 30, f"{part} in {process}.log")


def test_a_request_is_found_by_its_id(system):
    alice, bob = system.signup("alice"), system.signup("bob")
    group = system.group(alice, [bob])
    path = f"/v1/conversations/{group}/messages"
    given = {"X-Request-Id": f"mine-{alice.handle}"}
    answer = system.request("GET", f"{path}?after=0", account=alice, headers=given)
    assert answer.headers["X-Request-Id"] == given["X-Request-Id"]
    (line,) = lines_with(system, "bridge", given["X-Request-Id"])
    found = members(line)
    assert found["area"] == "http" and found["level"] == "debug"
    assert found["method"] == "GET" and found["user"] == alice.handle
    assert found["route"] == "/v1/conversations/{conversation}/messages"
    assert found["status"] == "200"
    assert int(found["us"]) > 0
    refused = system.request("GET", path, account=system.signup("eve"))
    assert refused.status == 404
    (line,) = lines_with(system, "bridge", f"request={refused.headers['X-Request-Id']} ")
    assert members(line)["code"] == "not_found"


def test_a_fault_of_ours_is_a_warning(system):
    alice = system.signup("alice")
    given = {"X-Request-Id": f"fault-{alice.handle}"}
    with stopped(system, "postgres"):
        answer = system.request("GET", "/v1/conversations", account=alice, headers=given)
        assert answer.status == 503
        (line,) = lines_with(system, "bridge", f"request={given['X-Request-Id']} ")
        assert members(line).items() >= {"level": "warning", "status": "503",
                                         "code": "unavailable"}.items()
        polled = system.request("GET", "/readyz")
        assert polled.status == 503
        (line,) = lines_with(system, "bridge", f"request={polled.headers['X-Request-Id']} ")
        assert members(line)["level"] == "debug"


def test_refused_drafts_are_named(system):
    alice, bob = system.signup("alice"), system.signup("bob")
    group = system.group(alice, [bob])
    phone, stranger = system.device(alice), system.device(system.signup("eve"))

    hostile = f'{alice.handle} "x" \\ ts=0 \u202e'
    phone.send(group, CANARY, id=hostile, kind="edit", target=99)  # which is not there
    assert "error" in phone.receipt(hostile)
    (line,) = lines_with(system, "bridge", f'draft="{alice.handle} ')
    assert members(line).items() >= {"area": "ingest", "user": alice.handle, "device": "phone",
                                     "conversation": group, "code": "invalid"}.items()

    stranger.send(group, CANARY, id=f"over-{alice.handle}")
    assert "error" in stranger.receipt(f"over-{alice.handle}")
    (line,) = lines_with(system, "broker", f"draft=over-{alice.handle}")
    assert members(line).items() >= {"user": stranger.account.handle, "device": "phone",
                                     "conversation": group, "code": "not_found"}.items()

    given = {"X-Request-Id": f"post-{alice.handle}"}
    body = {"id": f"http-{alice.handle}", "text": CANARY, "kind": "edit", "target": 99}
    answer = system.request("POST", f"/v1/conversations/{group}/messages", body, alice,
                            headers=given)
    assert answer.status == 400
    drafts = [members(line) for line in lines_with(system, "bridge", given["X-Request-Id"])]
    assert {found["area"] for found in drafts} == {"ingest", "http"}
    (named,) = [found for found in drafts if found["area"] == "ingest"]
    assert named["draft"] == f"http-{alice.handle}" and named["user"] == alice.handle


def search_everywhere(system, account, device):
    """For the canary, in each of the ways there are, and so that it is found."""
    def found():
        return system.request("GET", f"/v1/search?q={CANARY}", account=account).ok()["hits"]
    assert CANARY in wait_until(found, 20, "the message in the index")[0]["text"]
    system.request("GET", f"/v1/search?q=x&from={CANARY}", account=account).ok()
    system.request("GET", f"/v1/users?search={CANARY}", account=account).ok()
    for command in ("searchMessages", "searchUsers"):
        system.data_of(account, {"command": command, "query": CANARY})
        assert "data" in device.control({"command": command, "query": CANARY})[0]


def be_refused_with_it(system, account, device):
    """Where the canary is not what it should be: each answer, and nothing is done."""
    for path, status in ((f"/v1/search?q={CANARY}&limit=none", 400),
                         (f"/v1/search?q=x&next={CANARY}", 400),
                         (f"/v1/search?q=x&conversation={CANARY}", 404),
                         (f"/v1/users?search={CANARY}&limit=none", 400),
                         (f"/v1/users/{CANARY}", 404), (f"/{CANARY}?{CANARY}", 404)):
        assert system.request("GET", path, account=account).status == status, path
    system.request("GET", f"/join/{CANARY}")  # a page, if there is one
    assert system.request("GET", "/v1/me", token=CANARY).status == 401
    body = {"handle": account.handle, "password": CANARY}
    assert system.request("POST", "/v1/login", body).status == 401
    assert system.request("POST", "/v1/token", {"refresh_token": CANARY}).status == 401
    assert "error" in device.control({"command": CANARY, "query": CANARY})[0]


def test_what_no_log_has(system):
    """And every line of the bridge's can be taken apart."""
    alice, bob = system.signup("alice"), system.signup("bob")
    group = system.group(alice, [bob])
    device = system.device(alice)
    device.say(group, CANARY)
    invite = system.data_of(alice, {"command": "createInvite", "conversation": group})["invite"]
    system.request("GET", f"/join/{invite}")
    search_everywhere(system, alice, device)
    be_refused_with_it(system, alice, device)
    last = system.request("GET", "/livez").headers["X-Request-Id"]
    lines_with(system, "bridge", f"request={last} ")
    secrets = (CANARY, invite, alice.access_token, alice.refresh_token, alice.password)
    logs = [path.stem for path in (system.data / "log").glob("*.log")]
    assert {"bridge", "broker", "postgres"} <= set(logs)
    for process in logs:
        log = system.log(process)
        for secret in secrets:
            assert secret not in log, process
    lines = system.log("bridge").splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert json.dumps(lines).isascii()
