# SPDX-License-Identifier: MIT
"""Logins as devices: listed, revoked, and refused at once while others of the user go on."""
import pytest

from support import MQTTv311, Refused
from support.promise import PATIENCE, promised


WITHIN_S = 1  # connections end, whoever ended the login


def devices_of(banter, account):
    return banter.data_of(account, {"command": "listDevices"})["devices"]


def refresh(banter, login):
    return banter.request("POST", "/v1/token", {"refresh_token": login.refresh_token})


def is_refused(banter, login, name):
    """By the HTTP API, by the broker, and when it asks for new tokens."""
    over_http = banter.request("GET", "/v1/me", account=login)
    with pytest.raises(Refused):
        banter.device(login, name)
    return (over_http.status, over_http.json()["code"]) == (401, "unauthorized") and \
        refresh(banter, login).status == 401


def is_well(banter, login, device):
    device.say(f"@{login.handle}", "still here")
    return device.connected and banter.request("GET", "/v1/me", account=login).status == 200 and \
        refresh(banter, login).status == 200


def test_logins_are_listed(banter):
    alice = banter.signup("alice")
    alice.another_login("phone")
    alice.another_login("laptop")
    found = devices_of(banter, alice)
    assert [device.get("device") for device in found] == ["laptop", "phone", None]
    assert len({device["login"] for device in found}) == 3
    assert all(d["created_at"] <= d["last_used_at"] < d["expires_at"] for d in found)
    assert banter.request("GET", "/v1/devices", account=alice).ok()["devices"] == found
    assert devices_of(banter, banter.signup("bob"))[0]["login"] not in [d["login"] for d in found]


def test_a_renewal_is_a_use(banter):
    alice = banter.signup("alice")
    phone = alice.another_login("phone")
    alice.another_login("laptop")
    refresh(banter, phone)
    assert [d.get("device") for d in devices_of(banter, alice)] == ["phone", "laptop", None]


def test_a_revoked_device_is_out_at_once_and_the_other_stays(banter):
    alice = banter.signup("alice")
    lost, kept = alice.another_login("phone"), alice.another_login("laptop")
    phone = banter.device(lost, "phone", protocol=MQTTv311)
    laptop = banter.device(kept, "laptop")
    with promised(banter, WITHIN_S):
        answer = laptop.control({"command": "revokeDevice", "device": "phone"})[0]
        assert answer["data"] == {"revoked": 1}
        phone.wait_closed(PATIENCE)
    assert {"event": "closing", "reason": "revoked"} in phone.events()
    assert is_refused(banter, lost, "phone")
    assert is_well(banter, kept, laptop)
    assert [d.get("device") for d in devices_of(banter, alice)] == ["laptop", None]


def test_revoking_over_http_and_again(banter):
    alice = banter.signup("alice")
    lost = alice.another_login("phone")
    banter.device(lost, "phone")
    for wanted in (1, 0):
        answer = banter.request("DELETE", "/v1/devices/phone", account=alice).ok()
        assert answer == {"revoked": wanted}
    assert is_refused(banter, lost, "phone")


def test_a_login_without_a_device_goes_by_its_id(banter):
    alice = banter.signup("alice")
    nameless = alice.another_login()
    device = banter.device(nameless, "kiosk")
    login = devices_of(banter, alice)[0]["login"]
    with promised(banter, WITHIN_S):
        answer = banter.request("DELETE", f"/v1/devices/{login}", account=alice).ok()
        assert answer == {"revoked": 1}
        device.wait_closed(PATIENCE)
    assert is_refused(banter, nameless, "kiosk")
    assert banter.request("GET", "/v1/me", account=alice).status == 200


def test_nobody_revokes_another_users_logins(banter):
    alice, mallory = banter.signup("alice"), banter.signup("mallory")
    phone = alice.another_login("phone")
    login = devices_of(banter, alice)[0]["login"]
    for name in ("phone", login):
        data = banter.data_of(mallory, {"command": "revokeDevice", "device": name})
        assert data == {"revoked": 0}
    assert banter.request("GET", "/v1/me", account=phone).status == 200


@pytest.mark.parametrize("device", [None, "", "a b", "x" * 33, 7, "A" * 36])
def test_what_is_no_device(banter, device):
    alice = banter.signup("alice")
    command = {"command": "revokeDevice"} | ({} if device is None else {"device": device})
    assert banter.control(alice, command)[0]["error"]["code"] == "invalid"


def test_logout_ends_connections_and_access_tokens(banter):
    alice = banter.signup("alice")
    gone, kept = alice.another_login("phone"), alice.another_login("laptop")
    phone, laptop = banter.device(gone, "phone"), banter.device(kept, "laptop")
    body = {"refresh_token": gone.refresh_token}
    with promised(banter, WITHIN_S):
        assert banter.request("POST", "/v1/logout", body).status == 204
        phone.wait_closed(PATIENCE)
    assert is_refused(banter, gone, "phone")
    assert is_well(banter, kept, laptop)


def test_a_stolen_refresh_token_ends_connections_too(banter):
    alice = banter.signup("alice")
    stolen = alice.another_login("phone")
    phone = banter.device(stolen, "phone")
    assert refresh(banter, stolen).status == 200
    with promised(banter, WITHIN_S):
        assert refresh(banter, stolen).status == 401  # used before
        phone.wait_closed(PATIENCE)
    assert is_refused(banter, stolen, "phone")


def test_what_ends_behind_the_bridges_back_is_found(banter):
    alice = banter.signup("alice")
    phone = banter.device(alice.another_login("phone"), "phone")
    with promised(banter, WITHIN_S) as promise:
        banter.psql("DELETE FROM banter.login_sessions WHERE device = 'phone' AND user_id = "
                    f"(SELECT id FROM banter.users WHERE handle = '{alice.handle}')")
        promise.begins()
        phone.wait_closed(PATIENCE)
    assert is_refused(banter, phone.account, "phone")


@pytest.mark.parametrize("process", ["bridge", "broker"])
def test_a_revocation_outlives_processes(banter, process):
    alice = banter.signup("alice")
    lost = alice.another_login("phone")
    assert banter.request("DELETE", "/v1/devices/phone", account=alice).ok() == {"revoked": 1}
    banter.wait_restarted(process, banter.kill(process))
    banter.wait_ready()
    banter.device(alice, "laptop")  # the plugin has been told all that comes before its user
    assert is_refused(banter, lost, "phone")
    assert banter.request("GET", "/v1/me", account=alice).status == 200
