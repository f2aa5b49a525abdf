# SPDX-License-Identifier: MIT
"""HTTP on raw sockets: requests that could be read in two ways, paths and methods that lead
elsewhere, fields and parameters that are none. Behind each refused request another one is hidden,
which must never be answered."""
import json
import urllib.parse

import pytest

from support.bad_requests import CHUNKED, CLOSE, HOST, LIVE, LOGIN, REFUSED
from support.raw_http import exchange_hostile, statuses

from attacker import DEADLINE
from test_rights import NOBODYS

SOURCE = "127.1.6.1"
HIDDEN = LIVE + b"\r\n"


def exchange(siege, data):
    return exchange_hostile(siege.system.http, data, DEADLINE, SOURCE)


def refused(siege, data, status):
    found = exchange(siege, data)
    assert statuses(found) == [status], found[:500]
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head and b"Connection: close" in head, head
    assert json.loads(body)["status"] == status


def te(value, name=b"Transfer-Encoding"):
    return LOGIN + name + b": " + value + b"\r\n\r\n0\r\n\r\n"


SMUGGLED = {
    **REFUSED,
    "chunked with a blank before": (te(b"\x0bchunked"), 400),
    "chunked twice in one field": (te(b"chunked, chunked"), 501),
    "chunked and identity": (te(b"chunked, identity"), 501),
    "identity": (te(b"identity"), 501),
    "chunked in quotes": (te(b'"chunked"'), 501),
    "chunked with a parameter": (te(b"chunked;q=1"), 501),
    "chunked twice": (LOGIN + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400),
    "an empty coding": (te(b""), 501),
    "a length before chunked, elsewhere": (
        LOGIN + b"Content-Length: 6\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG", 400),
    "a length with a blank inside": (LOGIN + b"Content-Length: 1 0\r\n\r\n{}", 400),
    "a length of nothing": (LOGIN + b"Content-Length:\r\n\r\n{}", 400),
    "a length of 2.0": (LOGIN + b"Content-Length: 2.0\r\n\r\n{}", 400),
    "a length of 1e1": (LOGIN + b"Content-Length: 1e1\r\n\r\n{}", 400),
    "a length in full width digits": (LOGIN + b"Content-Length: \xef\xbc\x92\r\n\r\n{}", 400),
    "a length with a sign and a blank": (LOGIN + b"Content-Length: - 2\r\n\r\n{}", 400),
    "a field without a name": (LIVE + b": x\r\n\r\n", 400),
    "a field without a colon": (LIVE + b"nothing\r\n\r\n", 400),
    "a name with a bracket": (LIVE + b"X[]: y\r\n\r\n", 400),
    "a name with NUL": (LIVE + b"X\0: y\r\n\r\n", 400),
    "a name of UTF-8": (LIVE + "Höst: y\r\n\r\n".encode(), 400),
    "a folded length": (LOGIN + b"Content-Length:\r\n 2\r\n\r\n{}", 400),
    "a tab before the colon": (LOGIN + b"Content-Length\t: 2\r\n\r\n{}", 400),
    "CR alone in the request line": (b"GET /livez\r HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a tab in the request line": (b"GET\t/livez\tHTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two blanks in the request line": (b"GET  /livez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a blank behind the version": (b"GET /livez HTTP/1.1 \r\n" + HOST + b"\r\n", 400),
    "no version": (b"GET /livez\r\n" + HOST + b"\r\n", 400),
    "HTTP/0.9": (b"GET /livez HTTP/0.9\r\n" + HOST + b"\r\n", 505),
    "HTTP/1.10": (b"GET /livez HTTP/1.10\r\n" + HOST + b"\r\n", 400),
    "http/1.1": (b"GET /livez http/1.1\r\n" + HOST + b"\r\n", 400),
    "a method in lower case": (b"get /livez HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a method with NUL": (b"GE\0T /livez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a method of 1000": (b"G" * 1000 + b" /livez HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "PROPFIND": (b"PROPFIND /livez HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "TRACK": (b"TRACK /livez HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a target of an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a backslash in the target": (b"GET /a\\b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a fragment": (b"GET /livez#x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "NUL in the target": (b"GET /liv\0ez HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "markup in the target": (b"GET /<script> HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a HEAD with a body": (b"HEAD /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}",
                           400),
    "a GET with chunks": (LIVE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a chunk size of nothing": (CHUNKED + b"\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size with a blank": (CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size with an underscore": (CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size of nine digits": (CHUNKED + b"000000002\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk that is shorter": (CHUNKED + b"3\r\n{}\r\n0\r\n\r\n", 400),
    "a negative chunk": (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk with CR alone": (CHUNKED + b"2\r{}\r\n0\r\n\r\n", 400),
    "a last chunk with more": (CHUNKED + b"0\r\nX", 400),
    "a chunk size that overflows": (CHUNKED + b"ffffffffffffffff2\r\n", 400),
    "two types": (LOGIN + b"Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n\r\n{}",
                  400),
    "two idempotency keys": (LOGIN + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n"
                             b"Content-Length: 2\r\n\r\n{}", 400),
    "a field of 20 KB": (LIVE + b"Cookie: " + b"c" * 20_000 + b"\r\n\r\n", 431),
    "5000 fields": (LIVE + b"a:b\r\n" * 5000 + b"\r\n", 431),
    "a WebSocket's key on another path": (LIVE + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
                                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" * 10, 400),
    "MQTT": (b"\x10\x18\x00\x04MQTT\x04\x02\x00\x0a\x00\x0cbanter-probe\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_refused_and_closed(siege, name):
    data, status = SMUGGLED[name]
    refused(siege, data if status == 431 else data + HIDDEN, status)


# ---------------------------------------------------------------- paths

SECRETS = (b"BEGIN PRIVATE", b"root:", b"link_key", b"PRIVATE KEY")
TRAVERSALS = [
    "/../keys", "/..%2fkeys", "/%2e%2e/keys", "/%2e%2e%2fkeys", "/assets/../../keys",
    "/assets/..%2f..%2fkeys", "/assets/%2e%2e/%2e%2e/link.key", "/assets/....//link.key",
    "/assets/..;/link.key", "/assets/%5c..%5clink.key", "/assets/%252e%252e/link.key",
    "/assets/%c0%ae%c0%ae/link.key", "/assets/%00", "/index.html%00.js", "/assets//etc/passwd",
    "/etc/passwd", "/assets/%2fetc%2fpasswd", "/.git/config", "/.env", "/assets/.", "/assets/",
    "/./livez", "/livez/.", "/livez/", "/livez%2f", "/livez%00", "/livez;x=1", "/%6civez",
    "/LIVEZ", "/v1/../livez", "/v1/users/..", "/v1/users/../me", "/v1/users/%2e%2e%2fme",
    "/v1/users/alice%2favatar", "/v1//me", "/v1/me/", "/v2/me", "/v1/openapi.json/..", "/metrics",
    "/v1/metrics", "/debug", "/admin", "/v1/admin", "/server-status", "/v1/control/../control",
    "/.well-known/../livez", "/.well-known/", "/join/", "/join/..%2f..%2flivez", "/join/%00",
    "/join/" + "A" * 3000, "/v1/conversations/..", "/v1/conversations/%2e%2e/messages",
    "/v1/conversations/@../messages", "/v1/conversations/@/messages",
    "/v1/conversations/" + NOBODYS + "%00/messages", "/v1/conversations/" + NOBODYS + "0/messages",
    "/v1/conversations/1/messages", "/v1/invites/x", "/v1/devices/..", "/v1/devices/%2f",
    "/mqtt/..", "/mqtt%00", "/MQTT", "/mqttx",
]


@pytest.mark.parametrize("path", TRAVERSALS, ids=lambda p: p[:40])
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PUT"])
def test_paths_that_lead_elsewhere(siege, path, method):
    """None leads to anything that is not a route of its own: not found, refused, or not for this
    method; with a token and without."""
    token = b"Authorization: Bearer " + siege.mallory.access_token.encode() + b"\r\n"
    for authorization in (b"", token):
        found = exchange(siege, method.encode() + b" " + path.encode() + b" HTTP/1.1\r\n" + HOST
                         + CLOSE + authorization + b"\r\n")
        assert len(statuses(found)) == 1
        assert statuses(found)[0] in (400, 401, 404, 405, 414), found[:300]
        assert not any(secret in found for secret in SECRETS)


@pytest.mark.parametrize("field", [
    "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-Original-URL: /v1/me",
    "X-Rewrite-URL: /v1/me", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: " + "1.2.3.4, " * 500, "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1",
    "X-Forwarded-Proto: https", "Origin: https://evil.example", "Referer: https://evil.example",
    "Range: bytes=0-,0-,0-,0-,0-,0-", "If-None-Match: " + '"x",' * 1000, "Upgrade: websocket",
    "Connection: Upgrade, HTTP2-Settings", "Connection: Host", "TE: trailers, gzip;q=0.1",
    "Accept: " + "*/*," * 1000, "Accept-Language: " + "a," * 2000, "Content-Encoding: gzip",
    "Cookie: a=b; a=c; $Version=1", "Max-Forwards: 0", "Expect: 100-continue"])
def test_fields_that_change_nothing(siege, field):
    """The same answer as without: 401, or a refusal of the request as a whole."""
    found = exchange(siege, b"GET /v1/me HTTP/1.1\r\n" + HOST + CLOSE + field.encode()
                     + b"\r\n\r\n")
    assert len(statuses(found)) == 1 and statuses(found)[0] in (400, 401, 431), found[:300]
    assert b"evil.example" not in found and b"Access-Control-Allow" not in found


# ---------------------------------------------------------------- parameters

WRONG = ["-1", "1%00", NOBODYS + "%00", "%ed%a0%80", "0x10", "1e3", "1.5", "99999999999999999999",
         "9223372036854775808", "", " ", "%00",
         "%ff", "1;2", "1%0a", "'", "null", "NaN", "%F0%9F%91%8D", "x" * 1500]
QUERIES = {
    "/v1/conversations/@{mallory}/messages?limit={}": (400, 404),
    "/v1/conversations/@{mallory}/messages?after={}": (400, 404),
    "/v1/conversations/@{mallory}/messages?before={}": (400, 404),
    "/v1/conversations/@{mallory}/messages?view={}": (400, 404),
    "/v1/conversations?limit={}": (400,),
    "/v1/conversations?after={}": (400,),
    "/v1/users?search=x&limit={}": (400,),
    "/v1/search?q=x&limit={}": (400,),
    "/v1/search?q=x&conversation={}": (400, 404),
    "/v1/search?q=x&after={}": (400,),
    "/v1/search?q=x&next={}": (400,),
    "/v1/users/{}": (400, 404),
    "/v1/users/{}/avatar": (400, 404),
    "/v1/conversations/{}": (400, 404),
    "/v1/conversations/{}/members": (400, 404),
    "/join/{}": (400, 404),
}


@pytest.mark.parametrize("query", QUERIES)
def test_parameters(siege, query):
    wrong = []
    for value in WRONG:
        path = query.replace("{mallory}", siege.mallory.handle).replace("{}", value)
        if " " in path or not value and query.endswith("/{}"):
            continue
        answer = siege.system.request("GET", path, account=siege.mallory, source=SOURCE)
        if answer.status not in QUERIES[query] + (414,):
            wrong.append((path[:100], answer))
    assert not wrong


@pytest.mark.parametrize("query", [
    "limit=1&limit=2", "limit=1&after=1&before=1", "unknown=1", "&&&=&", "a" * 3000, "limit",
    "=1", "%", "limit=%31%00", "x=" + "&x=" * 1000])
def test_queries(siege, query):
    """400 or not looked at; answered either way."""
    found = exchange(siege, b"GET /v1/conversations?" + query.encode() + b" HTTP/1.1\r\n" + HOST
                     + CLOSE + b"Authorization: Bearer " + siege.mallory.access_token.encode()
                     + b"\r\n\r\n")
    assert len(statuses(found)) == 1 and statuses(found)[0] in (200, 400, 414), found[:300]


SQL = ["' OR '1'='1", "'; DROP TABLE banter.users; --", "\\'", "$1", "%", "_", "\\",
       "a' UNION SELECT",
       "') OR pg_sleep(10) --", "1; SELECT pg_sleep(10)", "E'\\x00'", "|/tmp/x", "{}", "(((((((",
       "a:*",
       "!&|<->", "\u0000".encode().decode(), "*" * 200, '"' * 200]


@pytest.mark.parametrize("words", SQL, ids=range(len(SQL)))
def test_searching_for_sql(siege, words):
    """Words like others, or refused; and answered at once."""
    for path in ("/v1/search?q=", "/v1/users?search="):
        answer = siege.system.request("GET", path + urllib.parse.quote(words, safe=""),
                                      account=siege.mallory, source=SOURCE)
        assert answer.status in (200, 400), answer
        if answer.status == 200:
            assert not answer.json().get("hits") and not answer.json().get("users")


# ---------------------------------------------------------------- bodies

BODIES = {
    "a picture that is text": ("PUT", "/v1/me/avatar", b"hello", (400, 415)),
    "SVG": ("PUT", "/v1/me/avatar", b"<svg xmlns='http://www.w3.org/2000/svg'/>", (400, 415)),
    "a PNG of nothing": ("PUT", "/v1/me/avatar", b"\x89PNG\r\n\x1a\n", (400, 415)),
    "a PNG with a chunk of 4 GB": ("PUT", "/v1/me/avatar", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR"
                                   + b"\0" * 17, (400, 415)),
    "a GIF without end": ("PUT", "/v1/me/avatar", b"GIF89a\xff\xff\xff\xff\x80\0\0", (400, 415)),
    "a JPEG of markers": ("PUT", "/v1/me/avatar", b"\xff\xd8" + b"\xff\xe1\xff\xff" * 100,
                          (400, 415)),
    "a WebP of 4 GB": ("PUT", "/v1/me/avatar", b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\xff" * 40,
                       (400, 415)),
    "no body": ("POST", "/v1/login", b"", (400,)),
    "a form": ("POST", "/v1/login", b"handle=a&password=b", (400,)),
    "a handle of SQL": ("POST", "/v1/login", b'{"handle":"\' OR 1=1","password":"long enough"}',
                        (400, 401)),
    "a handle with a slash": ("POST", "/v1/signup", b'{"handle":"a/b","password":"long enough"}',
                              (400,)),
    "a handle with a wildcard": ("POST", "/v1/signup", b'{"handle":"a+","password":"long enough"}',
                                 (400,)),
    "a handle of the bell's": ("POST", "/v1/signup",
                               b'{"handle":"banter-bell","password":"long enough"}',
                               (201, 400, 409)),
    "a handle of Cyrillic": ("POST", "/v1/signup",
                             '{"handle":"аlice","password":"long enough"}'.encode(), (400,)),
    "a password of 257": ("POST", "/v1/signup", b'{"handle":"hostile","password":"'
                          + b"x" * 257 + b'"}', (400, 413)),
    "a password of 7": ("POST", "/v1/signup", b'{"handle":"hostile","password":"1234567"}', (400,)),
    "an e-mail of lines": ("POST", "/v1/signup", b'{"handle":"hostile","password":"long enough",'
                           b'"email":"a@b.example\\nBcc: c@d.example"}', (400,)),
    "alice's handle": ("POST", "/v1/signup", b'{"handle":"{alice}","password":"long enough"}',
                       (409,)),
    "17 KB of login": ("POST", "/v1/login", b'{"handle":"' + b"a" * 17_000 + b'"}', (413,)),
    "a message to alice's and bob's": ("POST", "/v1/conversations/{c}/messages",
                                       b'{"id":"h","text":"HOSTILE"}', (404,)),
    "their log": ("GET", "/v1/conversations/{c}/messages", b"", (404,)),
    "their members": ("GET", "/v1/conversations/{c}/members", b"", (404,)),
    "their invites": ("GET", "/v1/conversations/{c}/invites", b"", (404,)),
    "their conversation": ("GET", "/v1/conversations/{c}", b"", (404,)),
    "their cursor": ("POST", "/v1/conversations/{c}/cursor", b'{"read":1}', (404,)),
    "a device of alice's": ("DELETE", "/v1/devices/phone5", b"", (200, 404)),
    "a registration of nobody": ("DELETE", f"/v1/push/registrations/{NOBODYS}", b"", (404,)),
    "an invite of nobody": ("DELETE", f"/v1/invites/{NOBODYS}", b"", (404,)),
    "a webhook inside": ("POST", "/v1/push/registrations",
                         b'{"provider":"webhook","url":"http://127.0.0.1:9464/metrics",'
                         b'"secret":"0123456789abcdef"}', (400, 404)),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(siege, name):
    method, path, body, allowed = BODIES[name]
    path = path.replace("{c}", siege.conversation)
    body = body.replace(b"{alice}", siege.alice.handle.encode())
    answer = siege.system.request(method, path, body or None, siege.mallory, source=SOURCE)
    assert answer.status in allowed, answer


@pytest.mark.parametrize("count", [100, 1000])
def test_pipelines_of_good_and_bad(siege, count):
    """What comes before the bad one is answered in order, and nothing behind it."""
    found = exchange(siege, HIDDEN * count + b"GARBAGE\r\n\r\n" + HIDDEN * count)
    assert statuses(found) == [200] * count + [400]
