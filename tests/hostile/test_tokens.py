# SPDX-License-Identifier: MIT
"""Forged, altered, expired and foreign access tokens over all ways in. The forger has the server's
own key, so each one is wrong in one thing only."""
import json
import time
import uuid

import pytest

from support import tokens
from support.forgeries import forgeries
from support.wire import CONNECT, packet

from test_connects import WAYS

SOURCE = "127.1.4.1"


class Forge:
    """All forgeries of one token, and some that are only for those who read much."""

    def __init__(self, siege):
        self._key = tokens.server_key(siege.system)
        self.genuine = siege.mallory.access_token
        self._header, self._claims = tokens.parts(self.genuine)
        self.table = {**dict(forgeries(self.genuine, self._key)), **dict(self._bombs()),
                      **dict(self._rewritten())}

    def _sign(self, header, claims):
        return tokens.sign(self._key, header, claims)

    def _with(self, raw):
        """Claims with these bytes before their end."""
        return self._sign(self._header, json.dumps(self._claims).encode()[:-1] + raw)

    def _bombs(self):
        deep = b"[" * 1000 + b"]" * 1000
        yield "deep claims", self._with(b',"x":' + deep + b"}")
        yield "deep header", self._sign(json.dumps(self._header).encode()[:-1] + b',"x":' + deep
                                        + b"}", self._claims)
        yield "claims that do not end", self._with(b"")
        yield "bytes behind the claims", self._with(b"}{}")
        yield "NUL in the claims", self._with(b',"x":"a\0b"}')
        yield "escaped NUL in a name", self._with(b',"\\u0000":1}')
        yield "escaped NUL in the handle", self._sign(self._header, {
            **self._claims, "sub": self._claims["sub"] + "\0x"})
        yield "a lone surrogate", self._with(b',"x":"\\ud800"}')
        yield "a number of 4000 digits", self._with(b',"x":' + b"9" * 2500 + b"}")
        yield "a BOM", self._sign(self._header, b"\xef\xbb\xbf"
                                  + json.dumps(self._claims).encode())
        yield "100 KB", "a." * 50_000
        yield "60 KB of signature", self.genuine + "A" * 55_000
        yield "a thousand dots", "." * 1000
        yield "percent signs", "%s%n%x" * 100
        yield "base64 with blanks", self.genuine.replace(".", " . ")
        yield "plain base64", self.genuine.replace("-", "+").replace("_", "/") + "="

    def _rewritten(self):
        claims, now = self._claims, int(time.time())
        for name, changes in {
                "of alice's handle": {"sub": "alice"},
                "of nobody's uid and handle": {"sub": "nobody-at-all", "uid": 2 ** 40},
                "session that is none": {"sid": "x"},
                "session that is a number": {"sid": 1},
                "session of another shape": {"sid": str(uuid.UUID(int=0)).upper() + "0"},
                "expired within the leeway's end": {"exp": now - 600},
                "from the future": {"nbf": now + 3600, "iat": now + 3600},
                "exp -2^63": {"exp": -2 ** 63},
                "exp true": {"exp": True},
                "exp null": {"exp": None},
                "exp a list": {"exp": [now + 600]},
                "uid 2^63": {"uid": 2 ** 63},
                "uid 2^64 and one": {"uid": 2 ** 64 + claims["uid"]},
                "uid a fraction": {"uid": claims["uid"] + 0.5},
                "handle with upper case": {"sub": claims["sub"].upper()},
                "handle with a slash": {"sub": claims["sub"] + "/phone"},
                "handle with a wildcard": {"sub": "+"},
                "an empty handle": {"sub": ""},
                "a handle of 33": {"sub": "a" * 33},
                "a device that is none": {"dev": "a/b", "device": "a/b"},
        }.items():
            yield name, self._sign(self._header, {**claims, **changes})


@pytest.fixture(scope="module")
def forge(besieged):
    return Forge(besieged)


def knock(siege, way, password):
    wire = siege.dial(*way, source=SOURCE)
    code = wire.knock(packet(CONNECT, 0, wire.body(password=password)))
    wire.socket.close()
    return code


@WAYS
def test_over_mqtt(siege, forge, way):
    assert knock(siege, way, forge.genuine) == 0
    wrong = {}
    for name, token in forge.table.items():
        code = knock(siege, way, token[:60_000])
        if code not in (None, 0x87 if way[0] == 5 else 5):
            wrong[name] = code
    assert not wrong, "let in, or told something else"


def printable(token):
    return bool(token.strip()) and token.isprintable()


def test_over_http(siege, forge):
    wrong = {}
    for name, token in forge.table.items():
        if not printable(token):
            continue
        answer = siege.system.request("GET", "/v1/me", token=token, source=SOURCE)
        if answer.status not in (401, 403, 431):  # 403: signed by the server, for nobody it has
            wrong[name] = answer
    assert not wrong


@pytest.mark.parametrize("header", [
    "", "Bearer", "Bearer ", "bearer x", "Basic YWxpY2U6eA==", "Digest x", "{0}", "Bearer  {0}",
    "Bearer {0} {0}", "Bearer {0},Bearer {0}", "Token {0}", "BEARER{0}", "Bearer\t{0}x",
    "Bearer {0}\t", "Bearer ={0}"])
def test_authorization_fields(siege, header):
    """401, but for the forms that RFC 9110 allows."""
    value = header.format(siege.mallory.access_token)
    answer = siege.system.request("GET", "/v1/me", headers={"Authorization": value}, source=SOURCE)
    allowed = (200, 401) if value.strip() in (f"Bearer {siege.mallory.access_token}",
                                              f"Bearer  {siege.mallory.access_token}") else (401,)
    assert answer.status in allowed, answer


@pytest.mark.parametrize("where", ["query", "cookie", "form", "proxy"])
def test_tokens_in_other_places_count_for_nothing(siege, where):
    token = siege.mallory.access_token
    headers = {"cookie": {"Cookie": f"access_token={token}; token={token}"},
               "proxy": {"Proxy-Authorization": f"Bearer {token}", "X-Access-Token": token,
                         "X-User": siege.alice.handle}}.get(where, {})
    path = f"/v1/me?access_token={token}" if where == "query" else "/v1/me"
    assert siege.system.request("GET", path, headers=headers, source=SOURCE).status in (401, 400)


def test_wrong_passwords_look_alike_and_are_slowed_down(siege):
    """Of somebody and of nobody: the same answers, then 429 for both. alice's own login, from where
    she is, works."""
    answers = {}
    for handle in (siege.alice.handle, "nobody-has-this-one"):
        answers[handle] = [siege.system.request(
            "POST", "/v1/login", {"handle": handle, "password": "wrong password"},
            source="127.1.4.2") for _ in range(12)]
    first, second = ([(a.status, a.body if a.status == 401 else b"") for a in found]
                     for found in answers.values())
    assert first == second
    assert [status for status, _ in first][0] == 401 and first[-1][0] == 429
    siege.alice.login()


@pytest.mark.parametrize("body", [
    {"refresh_token": ""}, {"refresh_token": "x"}, {"refresh_token": "A" * 43},
    {"refresh_token": None}, {"refresh_token": ["x"]}, {"refresh_token": "x" * 10_000},
    {"refresh_token": "' OR 1=1 --"}, {}, [], {"refresh_token": 7},
    {"refresh_token": "\x00"}, {"refresh_token": "\ud800"}])
@pytest.mark.parametrize("path", ["/v1/token", "/v1/logout"])
def test_refresh_tokens_that_are_guesses(siege, path, body):
    answer = siege.system.request("POST", path, body, source=SOURCE)
    allowed = (204, 400, 401, 413) if path == "/v1/logout" else (400, 401, 413)
    assert answer.status in allowed, answer
