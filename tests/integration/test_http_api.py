# SPDX-License-Identifier: MIT
"""The HTTP API beyond accounts and replay: posting, profiles, health, metrics, and the manners that
all routes share."""
import json
import re
import urllib.request
import uuid

import pytest

from support import wait_until

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(scope="module")
def people(shared_system):
    return shared_system.signup("alice"), shared_system.signup("bob")


def messages(to):
    return f"/v1/conversations/{to}/messages"


# ---------------------------------------------------------------- posting

def test_posting_answers_with_the_receipt(banter, people):
    alice, bob = people
    draft_id = str(uuid.uuid4())
    first = banter.request("POST", messages(f"@{bob.handle}"),
                           {"id": draft_id, "text": "hello"}, alice)
    assert first.status == 201
    receipt = first.json()
    assert set(receipt) == {"id", "conversation", "seq", "at"}
    again = banter.request("POST", messages(receipt["conversation"]),
                           {"id": draft_id, "text": "hello"}, alice)
    assert (again.status, again.json()) == (200, receipt)
    other = banter.request("POST", messages(receipt["conversation"]),
                           {"id": draft_id, "text": "something else"}, alice)
    assert (other.status, other.json()["code"]) == (409, "conflict")
    assert [e["text"] for e in banter.history(bob, receipt["conversation"])
            if e["id"] == draft_id] == ["hello"]


def test_an_idempotency_key_is_the_id_of_a_draft_without_one(banter, people):
    alice, bob = people
    key, path = str(uuid.uuid4()), messages(f"@{bob.handle}")
    headers = {"Idempotency-Key": key}
    first = banter.request("POST", path, {"text": "once"}, alice, headers=headers)
    again = banter.request("POST", path, {"text": "once"}, alice, headers=headers)
    assert (first.status, again.status) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["id"] == key
    own = banter.request("POST", path, {"id": key + "x", "text": "once"}, alice, headers=headers)
    assert (own.status, own.json()["id"]) == (201, key + "x")
    without = banter.request("POST", path, {"text": "no id at all"}, alice)
    assert (without.status, without.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("body, status, code", [
    (b"", 400, "invalid"), (b"{", 400, "invalid"), (b"[]", 400, "invalid"),
    ({"id": "a"}, 400, "invalid"), ({"id": "b", "text": ""}, 400, "invalid"),
    ({"id": "c", "text": 5}, 400, "invalid"), ({"id": 5, "text": "x"}, 400, "invalid"),
    ({"id": "d", "text": "x" * 100_001}, 413, "too_large"),
    ({"id": "e", "text": "a\0b"}, 400, "invalid")])
def test_bad_drafts(banter, people, body, status, code):
    alice, bob = people
    for headers in (None, {"Idempotency-Key": str(uuid.uuid4())}):
        response = banter.request("POST", messages(f"@{bob.handle}"), body, alice, headers=headers)
        assert (response.status, response.json()["code"]) == (status, code)


def test_posting_where_one_may_not(banter, people):
    alice, bob = people
    group = banter.group(bob, [])
    for to in (group, uuid.uuid4(), "@nobody-with-this-name", "nonsense", "%40", "a" * 200):
        response = banter.request("POST", messages(to), {"id": "x", "text": "x"}, alice)
        assert response.status in (403, 404), to
        assert response.json()["code"] in ("forbidden", "not_found")


def test_the_path_may_be_encoded(banter, people):
    alice, bob = people
    post = banter.request("POST", messages(f"%40{bob.handle}"),
                          {"id": str(uuid.uuid4()), "text": "x"}, alice)
    assert post.status == 201
    by_id, by_name = (banter.request("GET", f"/v1/conversations/{name}", account=alice).ok()
                      for name in (post.json()["conversation"], f"@{bob.handle}"))
    assert by_id == by_name


def test_streams_have_both_bounds(banter, people):
    alice, _bob = people
    group = banter.group(alice, [])
    for n in range(9):
        banter.request("POST", messages(group), {"id": f"{n}", "text": "x"}, alice).ok()
    for query, expected in (("", range(1, 11)), ("?limit=99999", range(1, 11)),
                            ("?after=3&before=6", [4, 5]), ("?before=3", [1, 2]),
                            ("?limit=4", [1, 2, 3, 4]), ("?after=8&limit=1", [9]),
                            ("?after=10", []), ("?after=5&before=5", [])):
        lines = banter.stream(messages(group) + query, alice)
        assert [json.loads(line)["seq"] for line in lines] == list(expected), query


# ---------------------------------------------------------------- profiles

def test_profiles(banter):
    handle = f"new-{uuid.uuid4().hex[:12]}"
    form = {"handle": handle, "password": "correct horse", "name": "Zoë 🙂",
            "email": "z@example.org"}
    session = banter.request("POST", "/v1/signup", form).ok()
    me = banter.request("GET", "/v1/me", token=session["access_token"]).ok()
    assert {k: me[k] for k in ("user", "name", "email")} == {
        "user": handle, "name": "Zoë 🙂", "email": "z@example.org"}
    other = banter.signup("eve")
    seen = banter.request("GET", f"/v1/users/{handle}", account=other).ok()
    assert seen == {"user": handle, "name": "Zoë 🙂", "avatar": None,
                    "created_at": me["created_at"]}
    for name in ("nobody-with-this-name", "Not.A.Handle", "%00", "x"):
        assert banter.request("GET", f"/v1/users/{name}", account=other).status == 404


def test_a_disabled_account(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    banter.psql(f"UPDATE banter.users SET disabled_at = now() WHERE handle = '{alice.handle}'")
    assert banter.request("GET", "/v1/me", account=alice).status == 403
    assert banter.request("GET", f"/v1/users/{alice.handle}", account=bob).status == 404
    body = {"handle": alice.handle, "password": alice.password}
    assert banter.request("POST", "/v1/login", body).status == 403
    assert banter.request("POST", "/v1/login", body | {"password": "not this"}).status == 401
    renewal = {"refresh_token": alice.refresh_token}
    assert banter.request("POST", "/v1/token", renewal).status == 401


def test_a_token_may_name_a_device(banter):
    alice = banter.signup("alice")
    body = {"handle": alice.handle, "password": alice.password, "device": "phone"}
    alice.accept(banter.request("POST", "/v1/login", body).ok())
    alice.accept(banter.request("POST", "/v1/token", {"refresh_token": alice.refresh_token}).ok())
    banter.device(alice, "phone")
    with pytest.raises(Exception):
        banter.device(alice, "laptop")
    assert banter.request("GET", "/v1/me", account=alice).status == 200


def test_sessions_per_user_have_a_bound(banter):
    alice = banter.signup("alice")
    first = alice.refresh_token
    user = f"(SELECT id FROM banter.users WHERE handle = '{alice.handle}')"
    banter.psql(f"""
        INSERT INTO banter.login_sessions (id, user_id, secret_hash, rotated_at, expires_at)
        SELECT gen_random_uuid(), {user}, '', now() + interval '1 s', now() + interval '1 h'
          FROM generate_series(1, 150)""")
    alice.login()
    assert banter.psql(f"SELECT count(*) FROM banter.login_sessions WHERE user_id = {user}"
                       ) == [["100"]]
    assert banter.request("POST", "/v1/token", {"refresh_token": first}).status == 401


def test_a_login_renews_a_hash_of_other_parameters(make_system):
    banter = make_system(BANTER_ARGON2_MEMORY_KIB=1024)
    alice = banter.signup("alice")

    def stored():
        return banter.psql(f"SELECT password_hash FROM banter.users "
                           f"WHERE handle = '{alice.handle}'")[0][0]
    assert "$m=1024,t=1," in stored()
    banter.down()
    banter.configure(BANTER_ARGON2_MEMORY_KIB=2048)
    banter.up()
    alice.login()
    wait_until(lambda: "$m=2048,t=1," in stored(), 10, "the new hash")
    renewed = stored()
    alice.login()
    assert stored() == renewed


# ---------------------------------------------------------------- manners

def test_every_answer_has_the_security_headers(banter, people):
    alice, _bob = people
    for path, account in (("/", None), ("/livez", None), ("/v1/nothing", None), ("/v1/me", None),
                          ("/v1/me", alice), ("/v1/conversations", alice), ("/%2", None)):
        response = banter.request("GET", path, account=account)
        for name, value in SECURITY.items():
            assert response.headers.get_all(name) == [value], (path, name)
        assert response.headers.get_all("Cache-Control") == ["no-store"]
        assert "Server" not in response.headers
        assert not any(name.startswith("Access-Control") for name in response.headers)


def test_request_ids(banter):
    ids = {banter.request("GET", "/livez").headers["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20
    for given, kept in (("abc-1.2_3", True), ("x" * 64, True), ("x" * 65, False), ("a b", False),
                        ("", False), ("a\tb", False), ("é", False)):
        response = banter.request("GET", "/livez",
                                  headers={"X-Request-Id": given.encode("latin-1")})
        assert (response.headers["X-Request-Id"] == given) is kept, given


def test_methods(banter, people):
    alice, _bob = people
    for path, allowed in (("/livez", "GET, HEAD, OPTIONS"), ("/v1/login", "POST, OPTIONS"),
                          (messages("@bob"), "GET, HEAD, POST, OPTIONS")):
        options = banter.request("OPTIONS", path)
        assert (options.status, options.headers["Allow"], options.body) == (204, allowed, b"")
        refused = banter.request("DELETE", path, account=alice)
        assert (refused.status, refused.headers["Allow"]) == (405, allowed)
        assert refused.json()["code"] == "invalid"
    assert banter.request("OPTIONS", "/v1/nothing").status == 404


def test_head_is_get_without_its_body(banter, people):
    alice, bob = people
    for path in ("/", "/v1/openapi.json", "/v1/me", f"/v1/users/{bob.handle}", "/v1/nothing"):
        get, head = (banter.request(method, path, account=alice) for method in ("GET", "HEAD"))
        assert head.status == get.status
        assert head.body == b""
        for name in ("Content-Length", "Content-Type"):
            assert head.headers[name] == get.headers[name], (path, name)


def test_bodies_are_json(banter, people):
    alice, _bob = people
    for kind, status in (("application/json", 200), ("application/json; charset=utf-8", 200),
                         ("Application/JSON", 200), ("text/plain", 415), ("application/jsonx", 415),
                         ("application/x-www-form-urlencoded", 415)):
        response = banter.request("POST", "/v1/sync", b"{}", alice, headers={"Content-Type": kind})
        assert response.status == status, kind


@pytest.mark.parametrize("query", ["?after", "?after=1&after=1", "?=1", "?a=b&&c=d", "?after=%ff",
                                   "?limit=1%00", "?limit=1%002"])
def test_ambiguous_queries_are_refused(banter, people, query):
    response = banter.request("GET", f"/v1/conversations{query}", account=people[0])
    assert (response.status, response.json()["code"]) == (400, "invalid")


# ---------------------------------------------------------------- the server itself

def test_every_documented_route_exists(banter):
    for path, operations in banter.request("GET", "/v1/openapi.json").ok()["paths"].items():
        for_operators = any("servers" in operation for operation in operations.values())
        ask = banter.ask_operators_port if for_operators else banter.request
        response = ask("OPTIONS", re.sub(r"\{.*\}", "x", path))
        allowed = set(response.headers["Allow"].lower().split(", "))
        documented = operations.keys() & {"get", "post", "put", "patch", "delete"}
        assert allowed - {"options", "head"} == documented, path


def test_index_health_and_keys(banter):
    assert banter.request("GET", "/").ok()["service"] == "banter"
    assert banter.request("GET", "/livez").ok() == {"status": "live"}
    assert banter.request("GET", "/readyz").ok() == {"status": "ready"}
    keys = banter.request("GET", "/.well-known/jwks.json")
    assert keys.headers["Cache-Control"].startswith("public")
    assert keys.ok() == json.loads((banter.data / "keys" / "jwks.json").read_text())


def metrics(banter):
    config = (banter.data / "bridge.conf").read_text()
    address = re.search(r"^metrics_listen (\S+)$", config, re.MULTILINE)[1]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_metrics(banter):
    before = metrics(banter)
    alice = banter.signup("alice")
    banter.request("POST", messages(f"@{alice.handle}"), {"id": "1", "text": "note"}, alice).ok()
    banter.request("POST", messages(f"@{alice.handle}"), {"id": "1", "text": "note"}, alice).ok()
    banter.request("GET", "/v1/nothing")
    after = metrics(banter)

    def grown(name):
        return float(after[name]) - float(before[name])
    assert grown("banter_signups_total") == 1
    assert grown("banter_drafts_stored_total") == 1
    assert grown("banter_drafts_duplicate_total") == 1
    assert grown('banter_http_responses_total{status="2xx"}') >= 2
    assert grown('banter_http_responses_total{status="4xx"}') >= 1
    assert after["banter_link_connected"] == "1"
    assert banter.request("GET", "/metrics").status == 404, "only on its own address"


def test_readiness_names_what_is_missing(fresh_banter):
    for name, words in (("broker", "plugin"), ("postgres", "database")):
        fresh_banter.stop(name)

        def unready():
            response = fresh_banter.request("GET", "/readyz")
            return response.status == 503 and words in response.json()["detail"] and response
        response = wait_until(unready, 20, f"no readiness without {name}")
        assert response.headers["Retry-After"]
        assert fresh_banter.request("GET", "/livez").status == 200
        fresh_banter.start(name)
        fresh_banter.wait_ready()


def test_without_postgres_everything_is_unavailable(fresh_banter):
    alice = fresh_banter.signup("alice")
    fresh_banter.stop("postgres")
    login = {"handle": alice.handle, "password": alice.password}
    for method, path, body in (("POST", "/v1/login", login), ("GET", "/v1/me", None),
                               ("GET", "/v1/conversations", None), ("POST", "/v1/sync", {}),
                               ("GET", messages(f"@{alice.handle}"), None)):
        response = fresh_banter.request(method, path, body, alice)
        assert (response.status, response.json()["code"]) == (503, "unavailable"), path
        assert response.headers["Retry-After"]
    fresh_banter.start("postgres")
    fresh_banter.wait_ready()
    assert fresh_banter.request("POST", "/v1/login", login).status == 200


@pytest.mark.slow
def test_a_post_waits_for_postgres_and_then_says_so(fresh_banter):
    """No answer within 30 seconds is an unknown outcome; posting again with the id resolves it."""
    alice = fresh_banter.signup("alice")
    path, draft = messages(f"@{alice.handle}"), {"id": "1", "text": "patience"}
    fresh_banter.stop("postgres")
    response = fresh_banter.request("POST", path, draft, alice, timeout=60)
    assert (response.status, response.json()["code"]) == (503, "unavailable")
    fresh_banter.start("postgres")
    fresh_banter.wait_ready()
    assert fresh_banter.request("POST", path, draft, alice, timeout=60).ok()["seq"] == 1
    assert len(fresh_banter.history(alice, f"@{alice.handle}")) == 1


def test_signup_can_be_closed(make_system):
    banter = make_system(BANTER_SIGNUP="false")
    form = {"handle": "alice", "password": "correct horse"}
    response = banter.request("POST", "/v1/signup", form)
    assert (response.status, response.json()["code"]) == (403, "forbidden")
