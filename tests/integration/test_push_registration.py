# SPDX-License-Identifier: MIT
"""Push: who may register what, and when a registration ends."""
import pytest

from support.push import (assert_nobody_is_told, hook, post, pushing, register, registrations,
                          system)  # noqa: F401
from support.webhook import SECRET

pytestmark = pytest.mark.push


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
