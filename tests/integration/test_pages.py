# SPDX-License-Identifier: MIT
"""The web client's files as the bridge serves them: exactly those, compressed where the browser
takes it, kept as long as their names promise, and with a policy that runs nothing else."""
import gzip
import pathlib
import shutil
import tempfile

import pytest

from support import http

pytestmark = pytest.mark.once

INDEX = b"<!doctype html><title>Banter</title>" + b" " * 2000
SCRIPT = b"export const x = 1;\n" * 200


@pytest.fixture(scope="module")
def web_root():
    """Not tmp_path: the user that runs the processes must be able to get there."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    root.chmod(0o755)
    (root / "assets").mkdir()
    for name, content in (("index.html", INDEX), ("assets/app-1a2b.js", SCRIPT)):
        (root / name).write_bytes(content)
        (root / f"{name}.gz").write_bytes(gzip.compress(content))
    (root / "icon.svg").write_bytes(b"<svg/>")
    (root / "notes.txt").write_bytes(b"not a page")
    yield root
    shutil.rmtree(root)


@pytest.fixture
def site(make_system, web_root):
    return make_system(BANTER_WEB_ROOT=web_root)


def test_pages(site):
    def get(path, method="GET", **headers):
        return http.request(site.http, method, path, headers={
            name.replace("_", "-"): value for name, value in headers.items()})

    plain = get("/", Accept="text/html")
    assert plain.status == 200 and plain.body == INDEX
    assert plain.headers["Content-Type"] == "text/html; charset=utf-8"
    assert plain.headers["Cache-Control"] == "no-cache"
    policy = plain.headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "script-src 'self'", "object-src 'none'",
                 "base-uri 'none'", "frame-ancestors 'none'", "connect-src 'self'"):
        assert rule in policy.split("; ")
    assert "unsafe" not in policy
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert plain.headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in plain.headers["Permissions-Policy"]

    packed = get("/index.html", Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == INDEX
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for answer, accepted in ((plain, ""), (packed, "gzip")):
        again = get("/index.html", Accept_Encoding=accepted, If_None_Match=answer.headers["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]
    changed = get("/index.html", If_None_Match='"0123"')
    assert changed.status == 200

    script = get("/assets/app-1a2b.js")
    assert script.body == SCRIPT
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    head = get("/assets/app-1a2b.js", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(SCRIPT))
    assert "Content-Encoding" not in get("/icon.svg", Accept_Encoding="gzip").headers

    refused = get("/assets/app-1a2b.js", method="POST")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    for path in ("/notes.txt", "/assets/", "/assets", "/index.html.gz", "/assets/../index.html",
                 "/assets/%2e%2e/index.html", "/..%2findex.html", "/%69ndex.html", "//index.html"):
        assert get(path).status in (400, 404), path
    # Programs still learn what this is, and where the API begins.
    assert get("/").ok()["service"] == "banter"
    assert get("/v1/nothing").status == 404


def test_invites_lead_into_the_client(site):
    alice = site.signup("alice")
    group = site.group(alice, [], title="<b>Team</b>")
    made = site.data_of(alice, {"command": "createInvite", "conversation": group})
    page = site.request("GET", made["url"], headers={"Accept": "text/html"})
    text = page.body.decode()
    assert f'content="0; url=/#{made["url"]}"' in text
    assert "&lt;b&gt;Team&lt;/b&gt;" in text and "<b>" not in text
    gone = site.request("GET", "/join/" + "A" * 22, headers={"Accept": "text/html"})
    assert gone.status == 404 and "not valid" in gone.body.decode()
    assert gone.headers["Content-Type"].startswith("text/html")
