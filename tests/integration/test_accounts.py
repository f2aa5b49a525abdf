# SPDX-License-Identifier: MIT
"""Issue 2, item 1, over HTTP: sign-up, login, rotated refresh tokens, logout."""
import concurrent.futures
import pathlib
import secrets

import pytest

from support import System, tokens
from support.lifetime import kept, lent

PASSWORD = "correct horse battery"


def post(banter, path, body, **options):
    return banter.request("POST", path, body, **options)


def code_of(response):
    """The error code of a problem document (RFC 9457)."""
    assert response.headers["Content-Type"].startswith("application/problem+json"), response
    problem = response.json()
    assert problem["status"] == response.status
    assert problem["title"]
    return problem["code"]


def fresh_handle():
    return f"new-{secrets.token_hex(4)}"


def test_signup_opens_the_door(banter):
    handle = fresh_handle()
    response = post(banter, "/v1/signup", {"handle": handle, "password": PASSWORD,
                                           "name": "Alice Liddell", "email": "alice@example.org"})
    assert response.status == 201
    answer = response.json()
    assert set(answer) == {"user", "access_token", "refresh_token", "expires_in"}
    assert answer["expires_in"] > 0
    header, claims = tokens.parts(answer["access_token"])
    assert header["alg"] == "EdDSA" and header["kid"]
    assert claims["sub"] == handle
    assert claims["exp"] - claims["iat"] == answer["expires_in"]
    assert banter.request("GET", "/v1/conversations", token=answer["access_token"]).status == 200


def test_a_handle_is_taken_once_and_for_ever(banter):
    handle = fresh_handle()
    body = {"handle": handle, "password": PASSWORD}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(banter, "/v1/signup", body).status, range(8)))
    assert sorted(answers) == [201] + [409] * 7
    again = post(banter, "/v1/signup", {"handle": handle, "password": "another password"})
    assert (again.status, code_of(again)) == (409, "conflict")
    assert post(banter, "/v1/login", body).status == 200


@pytest.mark.parametrize("handle", [
    "", "a", "A1", "Alice", "-alice", ".alice", "_alice", "al ice", "alice/phone", "al+ce", "#",
    "+", "$sys", "@bob", "älice", "аlice", "alice\n", "alice\u0000", "a" * 33, None, 7, ["alice"]])
def test_signup_refuses_bad_handles(banter, handle):
    response = post(banter, "/v1/signup", {"handle": handle, "password": PASSWORD})
    assert (response.status, code_of(response)) == (400, "invalid")


@pytest.mark.parametrize("handle", ["a1", "0-._", "z" * 32])
def test_signup_takes_every_good_handle(banter, handle):
    taken = post(banter, "/v1/signup", {"handle": handle, "password": PASSWORD})
    assert taken.status in (201, 409)  # 409: an earlier test of this session had it


@pytest.mark.parametrize("fields, status", [
    ({"password": "short77"}, 400),
    ({"password": "eight888"}, 201),
    ({"password": "x" * 256}, 201),
    ({"password": "x" * 257}, 400),
    ({"password": None}, 400),
    ({}, 400),
    ({"password": "pass\u0000word"}, 400),
    ({"password": PASSWORD, "name": "n" * 129}, 400),
    ({"password": PASSWORD, "name": "名" * 128}, 201),
    ({"password": PASSWORD, "email": "e" * 250 + "@x.org"}, 400),
    ({"password": PASSWORD, "device": "no/slash"}, 400),
])
def test_signup_checks_every_field(banter, fields, status):
    response = post(banter, "/v1/signup", {"handle": fresh_handle(), **fields})
    assert response.status == status
    if status != 201:
        assert code_of(response) in ("invalid", "too_large")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"handle":"x1",}',
                                  b'{"handle":"x1","handle":"x2","password":"12345678"}'])
def test_signup_refuses_what_is_not_a_json_object(banter, body):
    response = post(banter, "/v1/signup", body, headers={"Content-Type": "application/json"})
    assert (response.status, code_of(response)) == (400, "invalid")


def test_login_tells_nobody_which_part_was_wrong(banter):
    alice = banter.signup("alice")
    wrong = post(banter, "/v1/login", {"handle": alice.handle, "password": "not the password"})
    nobody = post(banter, "/v1/login", {"handle": fresh_handle(), "password": PASSWORD})
    assert (wrong.status, code_of(wrong)) == (401, "unauthorized")
    assert (nobody.status, nobody.json()) == (wrong.status, wrong.json())


def test_the_password_is_compared_exactly(banter):
    alice = banter.signup("alice")
    for password in (alice.password[:-1], alice.password + "x", alice.password.upper(), ""):
        response = post(banter, "/v1/login", {"handle": alice.handle, "password": password})
        assert response.status in (400, 401)


def test_passwords_are_stored_as_argon2id_only(banter):
    alice = banter.signup("alice")
    [[stored]] = banter.psql(
        f"SELECT password_hash FROM banter.users WHERE handle = '{alice.handle}'")
    assert stored.startswith("$argon2id$")


def test_refresh_tokens_rotate(banter):
    alice = banter.signup("alice")
    answer = post(banter, "/v1/token", {"refresh_token": alice.refresh_token})
    assert answer.status == 200
    second = answer.json()
    assert second["refresh_token"] != alice.refresh_token
    assert second["user"] == alice.handle
    assert banter.request("GET", "/v1/conversations", token=second["access_token"]).status == 200
    third = post(banter, "/v1/token", {"refresh_token": second["refresh_token"]}).ok()
    assert third["refresh_token"] not in (alice.refresh_token, second["refresh_token"])


def test_using_an_old_refresh_token_ends_the_login(banter):
    alice = banter.signup("alice")
    other = banter.request("POST", "/v1/login",
                           {"handle": alice.handle, "password": alice.password}).ok()
    stolen = alice.refresh_token
    newest = post(banter, "/v1/token", {"refresh_token": stolen}).ok()["refresh_token"]
    replay = post(banter, "/v1/token", {"refresh_token": stolen})
    assert (replay.status, code_of(replay)) == (401, "unauthorized")
    assert post(banter, "/v1/token", {"refresh_token": newest}).status == 401
    # Only that login: the user's other one lives on.
    assert post(banter, "/v1/token", {"refresh_token": other["refresh_token"]}).status == 200


def test_a_lost_answer_costs_no_login(banter):
    """With an Idempotency-Key the exchange may be repeated for some seconds; what the first answer
    carried is void then. Without the key, or with another one, it is a reuse like any other."""
    for key, status in (("one", 200), ("two", 401), (None, 401)):
        alice = banter.signup("alice")
        body = {"refresh_token": alice.refresh_token}
        lost = post(banter, "/v1/token", body, headers={"Idempotency-Key": "one"}).ok()
        again = post(banter, "/v1/token", body, headers={"Idempotency-Key": key} if key else None)
        assert again.status == status
        if status == 200:
            second = again.json()["refresh_token"]
            assert len({alice.refresh_token, lost["refresh_token"], second}) == 3
            third = post(banter, "/v1/token", {"refresh_token": second}).ok()["refresh_token"]
            assert post(banter, "/v1/token", {"refresh_token": third}).status == 200
        assert post(banter, "/v1/token",
                    {"refresh_token": lost["refresh_token"]}).status == 401


def test_two_at_once_cannot_both_use_a_refresh_token(banter):
    alice = banter.signup("alice")
    body = {"refresh_token": alice.refresh_token}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(banter, "/v1/token", body).status, range(6)))
    assert answers.count(200) <= 1
    assert set(answers) <= {200, 401}


def test_logout_ends_the_refresh_token(banter):
    alice = banter.signup("alice")
    body = {"refresh_token": alice.refresh_token}
    assert post(banter, "/v1/logout", body).status in (200, 204)
    assert post(banter, "/v1/token", body).status == 401
    assert post(banter, "/v1/logout", body).status in (200, 204)  # twice is fine
    alice.login()
    assert post(banter, "/v1/token", {"refresh_token": alice.refresh_token}).status == 200


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 5000, "a.b.c", None, 5])
def test_refresh_refuses_nonsense(banter, token):
    assert post(banter, "/v1/token", {"refresh_token": token}).status in (400, 401)


def test_refresh_tokens_are_not_in_the_database(banter):
    alice = banter.signup("alice")
    rows = banter.psql("SELECT table_name FROM information_schema.tables "
                       "WHERE table_schema = 'banter' AND table_type = 'BASE TABLE'")
    for [table] in rows:
        [[found]] = banter.psql(f"SELECT count(*) FROM banter.{table} t "
                                f"WHERE t::text LIKE '%{alice.refresh_token}%'")
        assert found == "0", table


@pytest.fixture(scope="module")
def dear_system():
    yield from kept(System(BANTER_ARGON2_MEMORY_KIB=65536, BANTER_ARGON2_PASSES=20))


@pytest.fixture
def dear_banter(dear_system, request):
    """Where a password costs a second or so of a processor."""
    yield from lent(dear_system, request)


def test_login_does_not_stall_the_loop(dear_banter):
    """Hashing takes expensive parameters; other requests are answered meanwhile."""
    banter = dear_banter
    alice = banter.signup("alice")
    body = {"handle": alice.handle, "password": alice.password}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        logins = [pool.submit(post, banter, "/v1/login", body) for _ in range(2)]
        answered = 0
        while not all(login.done() for login in logins):
            assert banter.request("GET", "/livez").status == 200
            answered += 1
    assert all(login.result().status == 200 for login in logins)
    assert answered >= 5, "the event loop waited for the hashing"


def processor_time(pid):
    """Of the process and its threads so far, in ticks: however many others there are."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_it_costs_the_same_whether_somebody_exists(dear_banter):
    """So how long an answer takes says nothing, either of who exists or of who may log in."""
    alice, gone = dear_banter.signup("alice"), dear_banter.signup("gone")
    dear_banter.psql("UPDATE banter.users SET disabled_at = now()"
                     f" WHERE handle = '{gone.handle}'")
    pid = dear_banter.pid("bridge")
    costs = {}
    for who, handle, password in (("wrong", alice.handle, "not the password"),
                                  ("unknown", fresh_handle(), PASSWORD),
                                  ("disabled", gone.handle, "not the password"),
                                  ("no handle", "Not A Handle!", PASSWORD),
                                  ("no password", alice.handle, "")):
        before = processor_time(pid)
        response = post(dear_banter, "/v1/login", {"handle": handle, "password": password})
        costs[who] = processor_time(pid) - before
        assert (response.status, code_of(response)) == (401, "unauthorized")
    assert min(costs.values()) > max(costs.values()) / 2, costs
    taken = processor_time(pid)
    assert post(dear_banter, "/v1/signup",
                {"handle": alice.handle, "password": PASSWORD}).status == 409
    taken = processor_time(pid) - taken
    assert taken > max(costs.values()) / 2, (taken, costs)


def test_protected_routes_want_a_token(banter):
    alice = banter.signup("alice")
    for token in (None, "", "nonsense", alice.refresh_token, alice.access_token[:-4] + "AAAA"):
        for method, path in (("GET", "/v1/conversations"), ("POST", "/v1/control"),
                             ("POST", "/v1/sync")):
            response = banter.request(method, path, {} if method == "POST" else None, token=token)
            assert (response.status, code_of(response)) == (401, "unauthorized")
            assert "Bearer" in response.headers["WWW-Authenticate"]
    assert banter.request("GET", "/v1/conversations", account=alice).status == 200


def test_no_secret_reaches_a_log(banter):
    alice = banter.signup("alice")
    banter.device(alice)
    banter.request("POST", "/v1/login", {"handle": alice.handle, "password": "wrong canary 7713"})
    for name in ("bridge", "broker", "postgres"):
        log = banter.log(name)
        for secret in (alice.access_token, alice.refresh_token, alice.password,
                       "wrong canary 7713"):
            assert secret not in log, f"{name}.log"
