# SPDX-License-Identifier: MIT
"""Issue 2, item 2: the commands, through both doors, and groups of 100."""
import json
import uuid

import pytest

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support import MQTTv311, MQTTv5

LIMIT = 100


def error_of(response):
    assert "data" not in response
    assert response["error"]["reason"]
    return response["error"]["code"]


@pytest.fixture(params=["http", "mqtt5", "mqtt311"])
def ask(banter, request):
    """ask(account, *commands) through one of the doors: the answers must not depend on which."""
    if request.param == "http":
        return banter.control
    protocol = MQTTv5 if request.param == "mqtt5" else MQTTv311
    devices = {}

    def through_mqtt(account, *commands):
        if account.handle not in devices:
            devices[account.handle] = banter.device(account, "control", protocol=protocol)
        return devices[account.handle].control(*commands)
    return through_mqtt


# ---------------------------------------------------------------- groups

def test_the_life_of_a_group(banter, ask):
    alice, bob, eve, dan = (banter.signup(name) for name in ("alice", "bob", "eve", "dan"))
    phone = {account.handle: banter.device(account) for account in (alice, bob, eve, dan)}

    [made] = ask(alice, {"command": "createGroup", "title": "Team", "correlationData": "c-1",
                         "members": [bob.handle, eve.handle, bob.handle, alice.handle]})
    group = made["data"]["conversation"]
    assert made == {"command": "createGroup", "correlationData": "c-1",
                    "data": {"conversation": group}}
    assert uuid.UUID(group).version == 7
    for account in (alice, bob, eve):
        created = phone[account.handle].wait_entry(group, seq=1)
        assert (created["kind"], created["from"], created["title"]) == (
            "created", alice.handle, "Team")
        assert sorted(created["members"]) == sorted([bob.handle, eve.handle])

    assert phone[bob.handle].say(group, "hello team")["seq"] == 2
    for account in (alice, eve):
        phone[account.handle].wait_entry(group, seq=2, text="hello team")

    [added] = ask(alice, {"command": "addMembers", "conversation": group,
                          "members": [dan.handle, bob.handle]})
    assert added["data"]["conversation"] == group
    for account in (alice, bob, eve, dan):
        entry = phone[account.handle].wait_entry(group, seq=3)
        assert (entry["kind"], entry["from"], entry["members"]) == (
            "members_added", alice.handle, [dan.handle])
    assert phone[dan.handle].say(group, "thanks")["seq"] == 4

    # Nobody new: nothing happens.
    [added] = ask(alice, {"command": "addMembers", "conversation": group,
                          "members": [dan.handle]})
    assert "error" not in added

    [removed] = ask(alice, {"command": "removeMember", "conversation": group,
                            "user": eve.handle})
    assert removed["data"]["conversation"] == group
    entry = phone[bob.handle].wait_entry(group, seq=5)
    assert (entry["kind"], entry["members"]) == ("member_removed", [eve.handle])

    [left] = ask(alice, {"command": "leave", "conversation": group})
    assert "error" not in left
    entry = phone[dan.handle].wait_entry(group, seq=6)
    assert (entry["kind"], entry["from"]) == ("member_left", alice.handle)
    heir = entry["owner"]
    assert heir in (bob.handle, dan.handle)
    [members] = ask(bob, {"command": "listMembers", "conversation": group})
    assert {m["user"]: m["role"] for m in members["data"]["members"]} == {
        handle: "owner" if handle == heir else "member" for handle in (bob.handle, dan.handle)}

    # Those who are out hear nothing more, see nothing, and cannot post.
    assert phone[dan.handle].say(group, "who is left?")["seq"] == 7
    phone[bob.handle].wait_entry(group, seq=7)
    for account, last in ((alice, 5), (eve, 4)):
        seqs = [e["seq"] for e in phone[account.handle].entries(group)]
        assert max(seqs) <= last, account
        refused = phone[account.handle].receipt(phone[account.handle].send(group, "let me in"))
        assert refused["error"]["code"] == "not_found"
        [listing] = ask(account, {"command": "listMembers", "conversation": group})
        assert error_of(listing) == "not_found"
        assert banter.request("GET", f"/v1/conversations/{group}/messages",
                              account=account).status == 404
    assert [e["seq"] for e in banter.history(bob, group)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_removed_member_may_come_back(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    group = banter.group(alice, [bob])
    banter.data_of(alice, {"command": "removeMember", "conversation": group, "user": bob.handle})
    phone.say(group, "while you were out")
    banter.data_of(alice, {"command": "addMembers", "conversation": group,
                           "members": [bob.handle]})
    receipt = phone.say(group, "welcome back")
    other.wait_entry(group, seq=receipt["seq"])
    assert other.say(group, "here again")["seq"] == receipt["seq"] + 1
    seqs = [e["seq"] for e in other.entries(group)]
    assert 3 not in seqs and seqs == sorted(set(seqs))


def test_the_last_one_to_leave_leaves_an_empty_group(banter, ask):
    alice = banter.signup("alice")
    [made] = ask(alice, {"command": "createGroup"})
    group = made["data"]["conversation"]
    [left] = ask(alice, {"command": "leave", "conversation": group})
    assert "error" not in left
    [again] = ask(alice, {"command": "leave", "conversation": group})
    assert error_of(again) == "not_found"


def test_groups_of_100(banter):
    people = banter.signup_many(LIMIT + 1)
    owner, others = people[0], people[1:]
    group = banter.group(owner, others[:LIMIT - 1])
    full = {"command": "addMembers", "conversation": group, "members": [others[-1].handle]}
    assert error_of(banter.control(owner, full)[0]) == "limit_reached"
    too_many = {"command": "createGroup", "members": [p.handle for p in others]}
    assert error_of(banter.control(owner, too_many)[0]) == "limit_reached"

    devices = [banter.device(person) for person in people[:LIMIT]]
    outside = banter.device(others[-1])
    receipts = [devices[n].say(group, f"from {n}") for n in (0, 1, LIMIT - 1)]
    assert [r["seq"] for r in receipts] == [2, 3, 4]
    for n, device in enumerate(devices):
        expected = [r["seq"] for sender, r in zip((0, 1, LIMIT - 1), receipts) if sender != n]
        device.wait_entry(group, seq=expected[-1], timeout=20)
        assert [e["seq"] for e in device.entries(group)] == expected
    assert not outside.entries(group)

    # One goes, one comes.
    banter.data_of(owner, {"command": "removeMember", "conversation": group,
                           "user": others[0].handle})
    assert "error" not in banter.control(owner, full)[0]
    outside.wait_entry(group, seq=6)

    # All of them, page by page.
    listed, after = [], None
    while True:
        command = {"command": "listMembers", "conversation": group, "limit": 30}
        if after:
            command["after"] = after
        page = banter.data_of(owner, command)
        listed += [m["user"] for m in page["members"]]
        if not page["more"]:
            break
        assert len(page["members"]) == 30
        after = listed[-1]
    gone = others[0].handle
    assert sorted(listed) == sorted(p.handle for p in people if p.handle != gone)
    assert len(set(listed)) == LIMIT


def test_the_group_limit_is_configurable(make_system):
    banter = make_system(BANTER_GROUP_MEMBERS_MAX=3)
    people = banter.signup_many(4)
    group = banter.group(people[0], people[1:3])
    response = banter.control(people[0], {"command": "addMembers", "conversation": group,
                                          "members": [people[3].handle]})[0]
    assert error_of(response) == "limit_reached"


# ---------------------------------------------------------------- listing

def test_list_conversations(banter, ask):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    groups = [banter.group(alice, [bob], title=f"Group {n}") for n in range(5)]
    direct = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    [listing] = ask(alice, {"command": "listConversations"})
    found = {c["conversation"]: c for c in listing["data"]["conversations"]}
    assert set(found) == {*groups, direct}
    assert listing["data"]["more"] is False
    assert found[direct]["kind"] == "direct" and found[direct]["user"] == bob.handle
    for n, group in enumerate(groups):
        assert found[group]["kind"] == "group" and found[group]["title"] == f"Group {n}"
        assert (found[group]["role"], found[group]["last_seq"]) == ("owner", 1)

    seen, after = [], None
    while True:
        command = {"command": "listConversations", "limit": 2}
        if after:
            command["after"] = after
        [page] = ask(alice, command)
        ids = [c["conversation"] for c in page["data"]["conversations"]]
        assert len(ids) <= 2
        seen += ids
        if not page["data"]["more"]:
            break
        after = ids[-1]
    assert sorted(seen) == sorted(found)

    [one] = ask(bob, {"command": "getConversation", "conversation": groups[0]})
    assert (one["data"]["conversation"], one["data"]["role"]) == (groups[0], "member")
    [nothing] = ask(banter.signup("new"), {"command": "listConversations"})
    assert nothing["data"] == {"conversations": [], "more": False}


def test_rest_routes_say_what_the_commands_say(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    for path, command in (
            ("/v1/conversations", {"command": "listConversations"}),
            ("/v1/conversations?limit=1", {"command": "listConversations", "limit": 1}),
            (f"/v1/conversations/{group}", {"command": "getConversation", "conversation": group}),
            (f"/v1/conversations/{group}/members",
             {"command": "listMembers", "conversation": group}),
            (f"/v1/conversations/{group}/members?limit=1",
             {"command": "listMembers", "conversation": group, "limit": 1})):
        assert banter.request("GET", path, account=bob).ok() == banter.data_of(bob, command), path


# ---------------------------------------------------------------- refusals

def test_refusals(banter, ask):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    group = banter.group(alice, [bob])
    direct = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    unknown = str(uuid.uuid4())
    cases = [
        # who, command, code
        (alice, {"command": "createGroup", "members": ["nobody-has-this"]}, "not_found"),
        (alice, {"command": "createGroup", "members": "bob"}, "invalid"),
        (alice, {"command": "createGroup", "members": [7]}, "invalid"),
        (alice, {"command": "createGroup", "members": ["NOT A HANDLE"]}, "invalid|not_found"),
        (alice, {"command": "createGroup", "title": 5}, "invalid"),
        (alice, {"command": "createGroup", "title": "t" * 129}, "invalid|too_large"),
        (alice, {"command": "createDirect"}, "invalid"),
        (alice, {"command": "createDirect", "user": "nobody-has-this"}, "not_found"),
        (alice, {"command": "addMembers", "conversation": group}, "invalid"),
        (alice, {"command": "addMembers", "conversation": group, "members": []}, "invalid|ok"),
        (alice, {"command": "addMembers", "conversation": group,
                 "members": ["nobody-has-this"]}, "not_found"),
        (alice, {"command": "addMembers", "conversation": "not-a-uuid",
                 "members": [bob.handle]}, "invalid|not_found"),
        (alice, {"command": "addMembers", "conversation": group.upper(),
                 "members": [bob.handle]}, "invalid|not_found"),
        (alice, {"command": "addMembers", "conversation": unknown,
                 "members": [bob.handle]}, "not_found"),
        (alice, {"command": "addMembers", "conversation": direct,
                 "members": [eve.handle]}, "forbidden"),
        (bob, {"command": "addMembers", "conversation": group,
               "members": [eve.handle]}, "forbidden"),
        (eve, {"command": "addMembers", "conversation": group,
               "members": [eve.handle]}, "not_found"),
        (bob, {"command": "removeMember", "conversation": group,
               "user": alice.handle}, "forbidden"),
        (eve, {"command": "removeMember", "conversation": group, "user": bob.handle}, "not_found"),
        (alice, {"command": "removeMember", "conversation": group,
                 "user": eve.handle}, "not_found"),
        (alice, {"command": "removeMember", "conversation": group,
                 "user": "nobody-has-this"}, "not_found"),
        (alice, {"command": "removeMember", "conversation": direct,
                 "user": bob.handle}, "forbidden"),
        (alice, {"command": "removeMember", "conversation": group}, "invalid"),
        (alice, {"command": "leave"}, "invalid"),
        (alice, {"command": "leave", "conversation": unknown}, "not_found"),
        (alice, {"command": "leave", "conversation": direct}, "forbidden"),
        (eve, {"command": "leave", "conversation": group}, "not_found"),
        (alice, {"command": "listMembers"}, "invalid"),
        (eve, {"command": "listMembers", "conversation": group}, "not_found"),
        (eve, {"command": "getConversation", "conversation": group}, "not_found"),
        (alice, {"command": "getConversation", "conversation": unknown}, "not_found"),
        (alice, {"command": "listConversations", "limit": 0}, "invalid"),
        (alice, {"command": "listConversations", "limit": 1001}, "invalid|too_large"),
        (alice, {"command": "listConversations", "limit": "ten"}, "invalid"),
        (alice, {"command": "listConversations", "after": "x"}, "invalid"),
        (alice, {"command": "dropTables"}, "invalid|not_found"),
        (alice, {"command": ""}, "invalid|not_found"),
    ]
    wrong = []
    for who, command, code in cases:
        [response] = ask(who, {**command, "correlationData": "k"})
        got = response.get("error", {}).get("code", "ok")
        assert response["command"] == command["command"]
        assert response["correlationData"] == "k"
        if got not in code.split("|"):
            wrong.append((command, code, response))
    assert not wrong
    # Nothing of it changed anything.
    assert [e["kind"] for e in banter.history(alice, group)] == ["created"]


def test_each_command_stands_alone(banter, ask):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    responses = ask(
        alice,
        {"command": "createGroup", "title": "one", "correlationData": "1"},
        {"command": "leave", "conversation": str(uuid.uuid4()), "correlationData": "2"},
        {"command": "nonsense", "correlationData": "3"},
        {"command": "createGroup", "title": "two", "members": [bob.handle],
         "correlationData": "4"})
    assert [r.get("correlationData") for r in responses] == ["1", "2", "3", "4"]
    assert ["error" in r for r in responses] == [False, True, True, False]
    titles = {c["title"] for c in
              banter.data_of(alice, {"command": "listConversations"})["conversations"]}
    assert titles == {"one", "two"}


def test_a_hundred_commands_and_not_one_more(banter):
    alice = banter.signup("alice")
    command = {"command": "createGroup", "title": "many"}
    responses = banter.control(alice, *[command] * 100)
    assert len({r["data"]["conversation"] for r in responses}) == 100
    body = {"commands": [command] * 101}
    answer = banter.request("POST", "/v1/control", body, alice)
    codes = [r["error"]["code"] for r in answer.json()["responses"]] if answer.status == 200 else [
        answer.json()["code"]]
    assert len(codes) == 1 and codes[0] in ("too_large", "invalid", "limit_reached")


ENVELOPES = [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"commands":{}}', b'{"commands":[]}',
             b'{"commands":[7]}', b'{"commands":["leave"]}', b'{"commands":[{}]}',
             b'{"commands":[{"command":7}]}', b'{"commands":[{"command":"leave"},',
             b'{"commands":[{"command":"\xff"}]}', b'{"commands":[{"command":"a\\u0000b"}]}',
             b'{"commands":' + b"[" * 5000 + b"]" * 5000 + b"}"]


@pytest.mark.parametrize("envelope", ENVELOPES, ids=range(len(ENVELOPES)))
def test_what_is_no_envelope_is_answered(banter, envelope):
    alice = banter.signup("alice")
    phone = banter.device(alice)
    phone.publish("$CONTROL/chat/v1", envelope)
    message = phone.wait_message(lambda m: m.topic == "$CONTROL/chat/v1/response")
    responses = json.loads(message.payload)["responses"]
    assert [r["error"]["code"] for r in responses] in (["invalid"], ["not_found"]) or not responses
    answer = banter.request("POST", "/v1/control", envelope, alice,
                            headers={"Content-Type": "application/json"})
    assert answer.status in (200, 400)


# ---------------------------------------------------------------- answers over MQTT

def test_answers_go_to_the_asking_device_alone(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    asking, silent, other = banter.device(alice, "a"), banter.device(alice, "b"), banter.device(bob)
    for device in (silent, other):
        device.subscribe("$CONTROL/chat/v1/response")
    asking.control({"command": "listConversations"})
    silent.control({"command": "listConversations"})
    other.control({"command": "listConversations"})
    for device in (asking, silent, other):
        answers = [m for m in device.messages if m.topic == "$CONTROL/chat/v1/response"]
        assert len(answers) == 1


def test_mqtt5_response_topic_and_correlation_data(banter):
    phone = banter.device(banter.signup("alice"))
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = "my/answers/here"
    properties.CorrelationData = bytes(range(128))
    phone.response_topics.add("my/answers/here")
    phone.publish("$CONTROL/chat/v1", '{"commands":[{"command":"listConversations"}]}',
                  properties=properties)
    message = phone.wait_message(lambda m: m.topic == "my/answers/here")
    assert message.properties.CorrelationData == bytes(range(128))
    assert "data" in json.loads(message.payload)["responses"][0]


@pytest.mark.parametrize("topic", ["$SYS/broker/uptime", "$CONTROL/dynamic-security/v1",
                                   "banter/bell", "t" * 257])
def test_answers_are_not_sent_to_strange_topics(banter, topic):
    """Whatever the Response Topic names, the answer reaches the asker or nobody."""
    phone, eve = banter.device(banter.signup("alice")), banter.device(banter.signup("eve"))
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = topic
    phone.response_topics.add(topic)
    phone.publish("$CONTROL/chat/v1", '{"commands":[{"command":"listConversations"}]}',
                  properties=properties)
    phone.control({"command": "listConversations"})  # answered after it
    assert all(m.topic in ("me/ready", "$CONTROL/chat/v1/response", "banter/bell")
               for m in phone.messages)
    eve.control({"command": "listConversations"})
    assert {m.topic for m in eve.messages} == {"me/ready", "$CONTROL/chat/v1/response"}


def test_commands_need_the_right_topic(banter):
    phone = banter.device(banter.signup("alice"))
    for topic in ("$CONTROL/chat/v2", "$CONTROL/chat", "$CONTROL/chat/v1/response",
                  "$CONTROL/dynamic-security/v1"):
        phone.publish(topic, '{"commands":[{"command":"listConversations"}]}')
    phone.control({"command": "listConversations"})
    assert sum(m.topic == "$CONTROL/chat/v1/response" for m in phone.messages) == 1
