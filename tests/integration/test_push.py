# SPDX-License-Identifier: MIT
"""Push: members who are not there are told of new messages, once per burst, whatever fails."""
import concurrent.futures
import time
import urllib.request
import uuid

import pytest

from support import System, wait_until
from support.webhook import SECRET, Webhook

pytestmark = pytest.mark.push

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
    yield system
    crashes = system.close()
    assert not crashes, crashes


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


# ---------------------------------------------------------------- who is told, of what

def test_a_member_who_is_away_is_told_within_two_seconds(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    receipt, at = post(system, alice, f"@{bob.handle}", "hello bob")
    telling = hook.wait(bob)[0]
    assert telling.at - at < TOLD_WITHIN
    assert telling.is_signed()
    assert telling.json["conversation"] == receipt["conversation"]
    assert telling.json["seq"] == 1
    assert telling.json["text"] == "hello bob"
    assert telling.json["from"] == alice.handle
    assert telling.json["badge"] == 1
    assert_quiet_after(system, hook, bob, 1)


def assert_quiet_after(system, hook, account, count):
    time.sleep(QUIET)
    wait_no_jobs(system)
    assert len(hook.of(account)) == count


def test_a_burst_is_told_once_by_its_newest_message(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(alice)
    at = time.monotonic()
    for n in range(30):
        phone.send(f"@{bob.handle}", f"text {n}")
    telling = hook.wait(bob)[0]
    assert telling.at - at < TOLD_WITHIN
    assert telling.json["text"] == "text 29"
    assert telling.json["badge"] == 30
    assert_quiet_after(system, hook, bob, 1)


def test_all_devices_of_a_user_are_told(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    for name in ("phone", "tablet"):
        body = {"provider": "webhook", "url": hook.url(f"{bob.handle}?{name}"), "secret": SECRET}
        system.request("POST", "/v1/push/registrations", body, bob).ok()
    post(system, alice, f"@{bob.handle}", "hello both")
    wait_until(lambda: len(hook.tellings) == 2, 5, "both")
    assert {t.path.split("?")[1] for t in hook.tellings} == {"phone", "tablet"}


def test_who_is_not_told(system, hook):
    alice, bob, muted, blocker, online, sender = (
        system.signup(name) for name in ("alice", "bob", "muted", "blocker", "online", "sender"))
    group = system.group(alice, [bob, muted, blocker, online, sender])
    everybody = (alice, bob, muted, blocker, online, sender)
    for account in everybody:
        register(system, hook, account)
    system.data_of(muted, {"command": "mute", "conversation": group,
                           "until": "2099-01-01T00:00:00Z"})
    system.data_of(blocker, {"command": "block", "user": sender.handle})
    system.device(online)
    _receipt, _at = post(system, sender, group, "hello team")
    assert hook.wait(bob)[0].json["text"] == "hello team"
    hook.wait(alice)
    assert_nobody_is_told(system, hook, muted, blocker, online, sender)
    assert len(hook.of(bob)) == 1 and len(hook.of(alice)) == 1
    system.data_of(muted, {"command": "mute", "conversation": group, "until": None})
    post(system, alice, group, "and now")
    for account in (bob, muted, blocker, sender):
        assert hook.wait(account, 2 if account is bob else 1)[-1].json["text"] == "and now"
    assert len(hook.of(alice)) == 1


def test_who_has_hidden_is_still_there(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(bob)
    phone.puback(phone.publish("send/me/presence", '{"state":"hidden"}'))
    post(system, alice, f"@{bob.handle}", "psst")
    assert_nobody_is_told(system, hook, bob)


def test_who_has_just_gone_is_told(system, hook):
    """The grace time of presence does not count."""
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(bob)
    phone.disconnect()
    time.sleep(0.3)
    post(system, alice, f"@{bob.handle}", "are you there?")
    hook.wait(bob, timeout=TOLD_WITHIN)


def test_who_reads_it_meanwhile_elsewhere_is_not_told(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    receipt, _at = post(system, alice, f"@{bob.handle}", "read me")
    wait_until(lambda: system.psql("SELECT 1 FROM banter.push_jobs"), 5, "a job")
    system.request("POST", f"/v1/conversations/{receipt['conversation']}/cursor", {"read": 1},
                   bob).ok()
    time.sleep(1)
    assert_nobody_is_told(system, hook, bob)


def test_who_comes_meanwhile_is_not_told(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    post(system, alice, f"@{bob.handle}", "knock knock")
    wait_until(lambda: system.psql("SELECT 1 FROM banter.push_jobs"), 5, "a job")
    system.device(bob)
    time.sleep(1)
    assert_nobody_is_told(system, hook, bob)


def test_only_texts_are_told(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    receipt, _at = post(system, alice, f"@{bob.handle}", "first")
    conversation = receipt["conversation"]
    system.request("POST", f"/v1/conversations/{conversation}/cursor", {"read": 1}, bob).ok()
    wait_no_jobs(system)
    register(system, hook, bob)
    for draft in ({"kind": "edit", "target": 1, "text": "other"},
                  {"kind": "reaction", "target": 1, "emoji": "👍"}, {"kind": "delete", "target": 1}):
        system.request("POST", f"/v1/conversations/{conversation}/messages",
                       {"id": str(uuid.uuid4()), **draft}, alice).ok()
    assert_nobody_is_told(system, hook, bob)


def test_what_is_told_is_the_text_as_it_is_then(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob, eve = system.signup("alice"), system.signup("bob"), system.signup("eve")
    register(system, hook, bob)
    register(system, hook, eve)
    group = system.group(alice, [bob, eve])
    post(system, alice, group, "teh first")
    post(system, alice, group, "a second that is taken back")
    for draft in ({"kind": "edit", "target": 2, "text": "the first"},
                  {"kind": "delete", "target": 3}):
        system.request("POST", f"/v1/conversations/{group}/messages",
                       {"id": str(uuid.uuid4()), **draft}, alice).ok()
    telling = hook.wait(bob)[0]
    assert (telling.json["seq"], telling.json["text"]) == (2, "the first")
    other = system.group(alice, [eve])
    post(system, alice, other, "taken back")
    system.request("POST", f"/v1/conversations/{other}/messages",
                   {"id": str(uuid.uuid4()), "kind": "delete", "target": 2}, alice).ok()
    wait_no_jobs(system)
    assert [t.json["text"] for t in hook.of(eve)] == ["the first"]


def test_a_deleted_conversation_tells_nobody(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    group = system.group(alice, [bob])
    post(system, alice, group, "soon gone")
    system.data_of(alice, {"command": "deleteConversation", "conversation": group})
    time.sleep(1.5)
    assert_nobody_is_told(system, hook, bob)


def test_who_was_removed_is_not_told(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    group = system.group(alice, [bob])
    post(system, alice, group, "a secret of ours")
    system.data_of(alice, {"command": "removeMember", "conversation": group, "user": bob.handle})
    time.sleep(1.5)
    assert_nobody_is_told(system, hook, bob)


def test_the_badge_counts_what_is_unread_anywhere(system, hook):
    alice, bob, eve = system.signup("alice"), system.signup("bob"), system.signup("eve")
    muted = system.group(alice, [bob])
    system.data_of(bob, {"command": "mute", "conversation": muted,
                         "until": "2099-01-01T00:00:00Z"})
    for n in range(3):
        post(system, alice, f"@{bob.handle}", f"{n}")
        post(system, alice, muted, f"{n}")
    wait_no_jobs(system)
    register(system, hook, bob)
    post(system, eve, f"@{bob.handle}", "one more")
    assert hook.wait(bob)[0].json["badge"] == 4


def test_privacy(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_TEXT="false")
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    receipt, _at = post(system, alice, f"@{bob.handle}", "between us")
    telling = hook.wait(bob)[0]
    assert telling.json["conversation"] == receipt["conversation"]
    assert b"between us" not in telling.body and alice.handle.encode() not in telling.body


# ---------------------------------------------------------------- when it fails

def test_a_provider_in_trouble_is_asked_again(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda telling: 503 if len(hook.of(bob)) < 3 else 204
    post(system, alice, f"@{bob.handle}", "hello")
    tellings = hook.wait(bob, 3)
    assert len({t.headers["webhook-id"] for t in tellings}) == 1
    assert_quiet_after(system, hook, bob, 3)


def test_retry_after_is_respected(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda t: (429, {"Retry-After": "3"}) if len(hook.of(bob)) == 1 else 204
    post(system, alice, f"@{bob.handle}", "hello")
    first, second = hook.wait(bob, 2)
    assert second.at - first.at >= 3


def test_what_comes_while_a_push_waits_joins_it(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda t: (503, {"Retry-After": "2"}) if len(hook.of(bob)) == 1 else 204
    post(system, alice, f"@{bob.handle}", "one")
    hook.wait(bob)
    for text in ("two", "three"):
        post(system, alice, f"@{bob.handle}", text)
        time.sleep(0.3)
    assert [t.json["text"] for t in hook.wait(bob, 2)] == ["one", "three"]
    assert_quiet_after(system, hook, bob, 2)


def test_what_comes_while_a_push_is_on_its_way_is_told_after_it(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)

    def slow(telling):
        if telling.json["text"] == "one":
            post(system, alice, f"@{bob.handle}", "two")
            time.sleep(0.7)
        return 204

    hook.plan = slow
    post(system, alice, f"@{bob.handle}", "one")
    assert [t.json["text"] for t in hook.wait(bob, 2)] == ["one", "two"]
    assert_quiet_after(system, hook, bob, 2)


def test_gone_removes_the_registration(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda telling: 410
    post(system, alice, f"@{bob.handle}", "hello")
    hook.wait(bob)
    wait_until(lambda: not registrations(system, bob), 5, "the end of the registration")
    post(system, alice, f"@{bob.handle}", "again")
    assert_quiet_after(system, hook, bob, 1)


def registrations(system, account):
    return system.request("GET", "/v1/push/registrations",
                          account=account).ok()["registrations"]


# ---------------------------------------------------------------- crashes

def test_the_bridge_killed_at_many_points_loses_no_push(make_system, hook):
    """Whoever wrote it, the newest message of every conversation is told at last, and what was
    told twice has the same id, so the receiver shows it once."""
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=200)
    alice = system.signup("alice")
    bobs = system.signup_many(12, "bob")
    for bob in bobs:
        register(system, hook, bob)
    hook.plan = lambda telling: time.sleep(0.05) or 204
    last = {}

    def write(bob, n):
        text = f"{bob.handle} {n}"
        draft = {"id": str(uuid.uuid4()), "text": text}
        for _attempt in range(100):
            try:
                answer = system.request("POST", f"/v1/conversations/@{bob.handle}/messages",
                                        draft, alice)
                if answer.status in (200, 201):
                    last[bob.handle] = text
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError("not stored")

    for kill in range(8):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda bob, k=kill: write(bob, k), bobs))
        time.sleep(0.05 + 0.12 * kill)
        pid = system.kill("bridge")
        system.wait_restarted("bridge", pid)
    system.wait_ready()
    wait_no_jobs(system, timeout=60)
    for bob in bobs:
        tellings = hook.of(bob)
        assert tellings[-1].json["text"] == last[bob.handle]
        ids = {}
        for telling in tellings:
            ids.setdefault(telling.json["seq"], set()).add(telling.headers["webhook-id"])
        assert all(len(same) == 1 for same in ids.values()), ids
        seqs = [t.json["seq"] for t in tellings]
        assert seqs == sorted(seqs)


# ---------------------------------------------------------------- giving up

def operate(system, *arguments):
    """./banter push …: its lines."""
    return system.operate("push", *arguments).splitlines()


def dead_letters(system, registration):
    lines = operate(system, "list", registration)
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def test_what_is_given_up_can_be_listed_tried_again_and_dropped(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    registration = register(system, hook, bob)
    hook.plan = lambda telling: 500
    receipt, _at = post(system, alice, f"@{bob.handle}", "hello")
    hook.wait(bob, 4)
    letter = wait_until(lambda: dead_letters(system, registration), 5, "a dead letter")[0]
    assert letter["conversation"] == receipt["conversation"]
    assert (letter["user"], letter["provider"], letter["attempts"]) == (bob.handle, "webhook", "4")
    assert letter["reason"] == "provider"
    assert_quiet_after(system, hook, bob, 4)

    hook.plan = lambda telling: 204
    assert operate(system, "requeue", registration) == ["1 requeued"]
    assert hook.wait(bob, 5)[-1].json["text"] == "hello"
    assert dead_letters(system, registration) == []

    hook.plan = lambda telling: 400  # for good: no second attempt
    post(system, alice, f"@{bob.handle}", "hello again")
    wait_until(lambda: dead_letters(system, registration), 5, "a dead letter")
    assert len(hook.of(bob)) == 6
    assert operate(system, "drop", registration) == ["1 dropped"]
    assert operate(system, "requeue", registration) == ["0 requeued"]


def test_what_was_read_before_it_is_tried_again_is_not_told(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    registration = register(system, hook, bob)
    hook.plan = lambda telling: 400
    receipt, _at = post(system, alice, f"@{bob.handle}", "hello")
    wait_until(lambda: dead_letters(system, registration), 5, "a dead letter")
    system.request("POST", f"/v1/conversations/{receipt['conversation']}/cursor", {"read": 1},
                   bob).ok()
    operate(system, "requeue", registration)
    assert_quiet_after(system, hook, bob, 1)


# ---------------------------------------------------------------- registrations

FCM = {"provider": "fcm", "token": "dQw4w9WgXcQ:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"}


@pytest.mark.parametrize("body, status, code", [
    ({}, 400, "invalid"),
    ({"provider": 7}, 400, "invalid"),
    ({"provider": "pigeon"}, 400, "invalid"),
    (FCM, 404, "not_found"),
    ({"provider": "apns", "token": "00fc13adff785122"}, 404, "not_found"),
    ({"provider": "webhook"}, 400, "invalid"),
    ({"provider": "webhook", "url": "http://127.0.0.1/"}, 400, "invalid"),
    ({"provider": "webhook", "url": "http://127.0.0.1/", "secret": "short"}, 400, "invalid"),
    ({"provider": "webhook", "url": "ftp://127.0.0.1/", "secret": SECRET}, 400, "invalid"),
    ({"provider": "webhook", "url": "nonsense", "secret": SECRET}, 400, "invalid"),
    ({"provider": "webhook", "url": "http://127.0.0.1/" + "x" * 2048, "secret": SECRET}, 400,
     "invalid"),
    ({"provider": "webhook", "url": "http://127.0.0.1/", "secret": "x" * 65}, 400, "invalid"),
    ({"provider": "webhook", "url": "http://127.0.0.1/", "secret": SECRET, "app": 1}, 400,
     "invalid"),
    ({"provider": "webhook", "url": "http://127.0.0.1/", "secret": SECRET, "app": "x" * 256}, 400,
     "invalid"),
])
def test_bad_registrations(system, body, status, code):
    alice = system.signup("alice")
    answer = system.request("POST", "/v1/push/registrations", body, alice)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert registrations(system, alice) == []


def test_registering_over_mqtt_and_http_is_the_same(system, hook):
    bob = system.signup("bob")
    phone = system.device(bob)
    command = {"command": "registerPush", "provider": "webhook", "url": hook.url(bob.handle),
               "secret": SECRET, "app": "org.example.chat"}
    made = phone.control(command)[0]["data"]["registration"]
    assert register(system, hook, bob) == made
    assert phone.control(command)[0]["data"]["registration"] == made
    listed = phone.control({"command": "listPush"})[0]["data"]["registrations"]
    assert [(r["registration"], r["provider"], r["device"], r["app"]) for r in listed] == [
        (made, "webhook", "phone", "org.example.chat")]
    assert phone.control({"command": "unregisterPush", "registration": made})[0]["data"] == {
        "registration": made}
    answer = system.request("DELETE", f"/v1/push/registrations/{made}", account=bob)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    answer = system.request("DELETE", "/v1/push/registrations/nonsense", account=bob)
    assert (answer.status, answer.json()["code"]) == (400, "invalid")
    assert registrations(system, bob) == []


def test_nobody_ends_the_registration_of_another(system, hook):
    bob, eve = system.signup("bob"), system.signup("eve")
    made = register(system, hook, bob)
    assert system.request("DELETE", f"/v1/push/registrations/{made}", account=eve).status == 404
    assert len(registrations(system, bob)) == 1


def test_an_address_moves_with_whoever_registers_it(system, hook):
    alice, bob, eve = system.signup("alice"), system.signup("bob"), system.signup("eve")
    body = {"provider": "webhook", "url": hook.url(bob.handle), "secret": SECRET}
    first = system.request("POST", "/v1/push/registrations", body, bob).ok()["registration"]
    second = system.request("POST", "/v1/push/registrations", body, eve).ok()["registration"]
    assert first != second
    assert registrations(system, bob) == [] and len(registrations(system, eve)) == 1
    post(system, alice, f"@{bob.handle}", "for bob")
    assert_nobody_is_told(system, hook, bob)
    post(system, alice, f"@{eve.handle}", "for eve")
    assert hook.wait(bob)[0].json["to"] == eve.handle


def test_the_least_recently_used_registration_goes(system, hook):
    bob = system.signup("bob")
    made = []
    for n in range(21):
        body = {"provider": "webhook", "url": hook.url(f"{bob.handle}/{n}"), "secret": SECRET}
        made.append(system.request("POST", "/v1/push/registrations", body,
                                   bob).ok()["registration"])
    assert {r["registration"] for r in registrations(system, bob)} == set(made[1:])


def login(system, account, **more):
    body = {"handle": account.handle, "password": account.password, **more}
    return system.request("POST", "/v1/login", body).ok()


def test_a_registration_ends_with_its_login(system, hook):
    bob = system.signup("bob")
    phone = login(system, bob, device="phone")
    laptop = login(system, bob, device="laptop")
    made = {}
    for name, tokens in (("phone", phone), ("laptop", laptop)):
        body = {"provider": "webhook", "url": hook.url(f"{bob.handle}/{name}"), "secret": SECRET}
        made[name] = system.request("POST", "/v1/push/registrations", body,
                                    token=tokens["access_token"]).ok()["registration"]
    assert {r["device"] for r in registrations(system, bob)} == {"phone", "laptop"}
    system.data_of(bob, {"command": "revokeDevice", "device": "phone"})
    assert [r["registration"] for r in registrations(system, bob)] == [made["laptop"]]
    assert system.request("POST", "/v1/logout",
                          {"refresh_token": laptop["refresh_token"]}).status == 204
    assert registrations(system, bob) == []


def test_a_registration_over_mqtt_ends_with_the_device(system, hook):
    bob = system.signup("bob")
    tokens = login(system, bob, device="phone")
    phone = system.device(bob, token=tokens["access_token"])
    phone.control({"command": "registerPush", "provider": "webhook", "url": hook.url(bob.handle),
                   "secret": SECRET})
    assert len(registrations(system, bob)) == 1
    system.data_of(bob, {"command": "revokeDevice", "device": "phone"})
    assert registrations(system, bob) == []


def test_web_push_has_a_key_that_stays(make_system):
    system = make_system(BANTER_PUSH_VAPID_SUBJECT="mailto:admin@example.org")
    key = system.request("GET", "/v1/push/vapid").ok()["key"]
    assert len(key) == 87
    path = system.data / "keys" / "vapid.key"
    assert path.stat().st_mode & 0o777 == 0o600
    system.wait_restarted("bridge", system.kill("bridge"))
    system.wait_ready()
    assert system.request("GET", "/v1/push/vapid").ok()["key"] == key


def test_without_push_there_is_none(banter):
    """And nothing is left for it to do."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    answer = banter.request("GET", "/v1/push/vapid")
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    answer = banter.request("POST", "/v1/push/registrations", FCM, alice)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    post(banter, alice, f"@{bob.handle}", "hello")
    assert banter.psql("SELECT count(*) FROM banter.push_outbox") == [["0"]]


def test_the_metrics_tell(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    post(system, alice, f"@{bob.handle}", "hello")
    hook.wait(bob)
    metrics = metrics_of(system)
    assert metrics['banter_push_sent_total{provider="webhook"}'] >= 1
    assert metrics['banter_push_latency_seconds_count{provider="webhook"}'] >= 1
    assert metrics['banter_push_failed_total{provider="webhook",reason="quota"}'] >= 0
    assert metrics['banter_push_overdue_seconds{provider="webhook"}'] < 10
    assert metrics["banter_push_outbox_age_seconds"] < 10


def metrics_of(system):
    with urllib.request.urlopen(system.status()["metrics"], timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}
