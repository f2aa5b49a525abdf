# SPDX-License-Identifier: MIT
"""Profiles: what users say of themselves, who may see it, and their pictures, whose bytes are
believed and nothing else."""
import json
import struct
import uuid
import zlib

import pytest

from support import MQTTv311, wait_until

KINDS = ("everyone", "contacts", "nobody")


@pytest.fixture(scope="module")
def people(shared_system):
    return shared_system.signup("alice"), shared_system.signup("bob")


def code_of(answer):
    return answer.status, answer.json()["code"]


def me(system, account):
    return system.request("GET", "/v1/me", account=account).ok()


def seen_by(system, reader, account):
    return system.request("GET", f"/v1/users/{account.handle}", account=reader).ok()


def patch(system, account, body):
    return system.request("PATCH", "/v1/me", body, account)


# ---------------------------------------------------------------- names and addresses

def test_a_new_profile(banter):
    alice = banter.signup("alice")
    profile = me(banter, alice)
    assert profile == {
        "user": alice.handle, "name": None, "avatar": None, "created_at": profile["created_at"],
        "email": None, "email_visibility": "nobody", "last_seen_visibility": "contacts",
        **({"last_seen": profile["last_seen"]} if "last_seen" in profile else {})}


def test_what_is_given_changes_and_nothing_else(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    changed = patch(banter, alice, {"name": "Alice 愛 🌸", "email": "alice@example.org"}).ok()
    assert (changed["name"], changed["email"]) == ("Alice 愛 🌸", "alice@example.org")
    assert me(banter, alice) == changed
    assert seen_by(banter, bob, alice)["name"] == "Alice 愛 🌸"
    assert patch(banter, alice, {}).ok() == changed
    assert patch(banter, alice, {"later": 1}).ok() == changed
    assert patch(banter, alice, {"email_visibility": "everyone"}).ok() == {
        **changed, "email_visibility": "everyone"}
    for empty in (None, ""):
        patch(banter, alice, {"name": "again"}).ok()
        assert patch(banter, alice, {"name": empty}).ok()["name"] is None
    assert me(banter, alice)["email"] == "alice@example.org"
    assert me(banter, bob)["name"] is None


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", {"name": 5}, {"name": "x" * 129}, {"name": "a\nb"}, {"name": ["a"]},
    {"email": "nobody"}, {"email": "a@b@c"}, {"email": "x" * 250 + "@example.org"},
    {"email_visibility": "friends"}, {"email_visibility": None}, {"last_seen_visibility": 1},
    {"name": "fine", "email": "not fine"}])
def test_bad_changes_change_nothing(banter, people, body):
    alice, _bob = people
    before = me(banter, alice)
    assert code_of(patch(banter, alice, body)) == (400, "invalid")
    assert me(banter, alice) == before


def test_profiles_over_mqtt(banter, people):
    alice, bob = people
    device = banter.device(alice)
    changed, own, other, unknown, bad, refused = device.control(
        {"command": "modifyProfile", "name": "Alice M."}, {"command": "getProfile"},
        {"command": "getProfile", "user": bob.handle},
        {"command": "getProfile", "user": "nobody-of-this-name"},
        {"command": "getProfile", "user": "No One"}, {"command": "modifyProfile", "email": "x"})
    assert changed["data"] == own["data"] == me(banter, alice)
    assert other["data"]["user"] == bob.handle and "email_visibility" not in other["data"]
    assert [r["error"]["code"] for r in (unknown, bad, refused)] == [
        "not_found", "invalid", "invalid"]
    patch(banter, alice, {"name": None}).ok()


def changes(device):
    """How often the device was told that the profile of its user has changed."""
    return sum(m.topic == "me/event" and json.loads(m.payload)["event"] == "profile_changed"
               for m in list(device.messages))


def test_own_devices_hear_of_changes(banter):
    """Whichever door they came through; and of nothing that changed nothing."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    banter.data_of(alice, {"command": "createDirect", "user": bob.handle})
    phone, laptop = banter.device(alice), banter.device(alice, "laptop", protocol=MQTTv311)
    bobs = banter.device(bob)
    doors = (
        lambda: patch(banter, alice, {"name": "Alice"}).ok(),
        lambda: phone.control({"command": "modifyProfile", "email": "alice@example.org"}),
        lambda: banter.control(alice, {"command": "modifyProfile", "email_visibility": "contacts"}),
        lambda: patch(banter, alice, {"last_seen_visibility": "nobody"}).ok(),
        lambda: put(banter, alice, png()).ok(),
        lambda: put(banter, alice, GIF).ok(),
        lambda: banter.request("DELETE", "/v1/me/avatar", account=alice).ok(),
    )
    for count, change in enumerate(doors, 1):
        change()
        for device in (phone, laptop):
            wait_until(lambda device=device: changes(device) == count, 10, f"change {count}")
    for nothing in ({}, {"name": "Alice"}, {"email_visibility": "contacts", "email": None}):
        seen = changes(phone) + ("email" in nothing)
        patch(banter, alice, nothing).ok()
        wait_until(lambda seen=seen: changes(phone) == seen, 10, "nothing more")
    banter.request("DELETE", "/v1/me/avatar", account=alice).ok()
    assert patch(banter, alice, {"name": 5}).status == 400
    phone.say(f"@{bob.handle}", "flush")
    assert changes(phone) == len(doors) + 1 and changes(bobs) == 0


# ---------------------------------------------------------------- who sees what

@pytest.fixture
def circle(banter):
    """alice; a friend of hers through a direct conversation, one through a group; a stranger."""
    alice = banter.signup("alice")
    friend, fellow, stranger = banter.signup_many(3, "other")
    banter.data_of(alice, {"command": "createDirect", "user": friend.handle})
    banter.group(alice, [fellow])
    patch(banter, alice, {"email": "alice@example.org"}).ok()
    return alice, friend, fellow, stranger


@pytest.mark.parametrize("visibility", KINDS)
def test_visibility(banter, circle, visibility):
    alice, friend, fellow, stranger = circle
    last_seen = "2026-11-22T10:00:00.123Z"
    banter.psql(f"UPDATE banter.users SET last_seen = '{last_seen}' "
                f"WHERE handle = '{alice.handle}'")
    patch(banter, alice, {"email_visibility": visibility, "last_seen_visibility": visibility}).ok()
    wanted = {"everyone": (friend, fellow, stranger), "contacts": (friend, fellow), "nobody": ()}
    for reader in (friend, fellow, stranger):
        shown = seen_by(banter, reader, alice)
        if reader in wanted[visibility]:
            assert (shown["email"], shown["last_seen"]) == ("alice@example.org", last_seen)
        else:
            assert not shown.keys() & {"email", "last_seen"}
        assert not shown.keys() & {"email_visibility", "last_seen_visibility"}
    assert me(banter, alice)["email"] == "alice@example.org"


def test_contacts_end_with_their_last_conversation(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    patch(banter, alice, {"email": "alice@example.org", "email_visibility": "contacts"}).ok()
    group = banter.group(alice, [bob])
    assert "email" in seen_by(banter, bob, alice)
    banter.data_of(bob, {"command": "leave", "conversation": group})
    assert "email" not in seen_by(banter, bob, alice)


def test_users_who_are_not_there(banter, people):
    alice, _bob = people
    gone = banter.signup("gone")
    banter.psql(f"UPDATE banter.users SET disabled_at = now() WHERE handle = '{gone.handle}'")
    for path in (f"/v1/users/{gone.handle}", "/v1/users/nobody-of-this-name", "/v1/users/No%20One",
                 f"/v1/users/{gone.handle}/avatar", "/v1/users/%ff"):
        assert code_of(banter.request("GET", path, account=alice)) == (404, "not_found"), path
    assert code_of(banter.request("GET", "/v1/me", account=gone)) == (403, "forbidden")
    assert code_of(patch(banter, gone, {"name": "x"})) == (403, "forbidden")
    assert code_of(put(banter, gone, png())) == (403, "forbidden")
    assert code_of(banter.request("DELETE", "/v1/me/avatar", account=gone)) == (403, "forbidden")


# ---------------------------------------------------------------- pictures

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width=2, height=3, filler=0):
    """A picture of one color; `filler` makes it longer by a second chunk of data."""
    rows = zlib.compress(b"\0" * height * (1 + 3 * width)) if width * height < 100 else b"x"
    extra = chunk(b"IDAT", b"x" * filler) if filler else b""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + extra
            + chunk(b"IEND", b""))


GIF = (b"GIF89a\2\0\3\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\2\0\3\0\0\2\3\x84\x8f\x59\0;")
JPEG = (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xc0\0\x0b\x08\0\3\0\2\1\1\x11\0"
        b"\xff\xda\0\x08\1\1\0\0\x3f\0\x12\x34\xff\0\x56\xff\xd9")
WEBP = (b"RIFF" + struct.pack("<I", 20) + b"WEBPVP8L" + struct.pack("<I", 7)
        + b"\x2f\1\x80\0\0\x10\7\0")
HTML = b"<!DOCTYPE html><script>alert(1)</script>"


def put(system, account, body, **headers):
    return system.request("PUT", "/v1/me/avatar", body, account, headers=headers or None)


def get(system, reader, account, **headers):
    return system.request("GET", f"/v1/users/{account.handle}/avatar", account=reader,
                          headers={key.replace("_", "-"): value for key, value in headers.items()})


@pytest.mark.parametrize("image, kind", [(png(), "image/png"), (GIF, "image/gif"),
                                         (JPEG, "image/jpeg"), (WEBP, "image/webp")],
                         ids=["png", "gif", "jpeg", "webp"])
def test_pictures(banter, people, image, kind):
    alice, bob = people
    answer = put(banter, alice, image, **{"Content-Type": "image/svg+xml"}).ok()
    assert answer["type"] == kind
    assert me(banter, alice)["avatar"] == answer["avatar"] == seen_by(banter, bob, alice)["avatar"]
    for picture in (get(banter, bob, alice),
                    banter.request("GET", "/v1/me/avatar", account=alice)):
        assert (picture.status, picture.body) == (200, image)
        assert {name: picture.headers.get_all(name) for name in (
            "Content-Type", "X-Content-Type-Options", "Content-Security-Policy", "Cache-Control",
            "Content-Disposition", "Cross-Origin-Resource-Policy", "ETag")} == {
                "Content-Type": [kind], "X-Content-Type-Options": ["nosniff"],
                "Content-Security-Policy": ["default-src 'none'; frame-ancestors 'none'; sandbox"],
                "Cache-Control": ["private, no-cache"], "Content-Disposition": ["inline"],
                "Cross-Origin-Resource-Policy": ["same-origin"],
                "ETag": [f'"{answer["avatar"]}"']}


def test_a_picture_that_is_known_is_not_sent_again(banter, people):
    alice, bob = people
    first = put(banter, alice, png()).ok()["avatar"]
    known = get(banter, bob, alice, If_None_Match=f'"{first}"')
    assert (known.status, known.body, known.headers["ETag"]) == (304, b"", f'"{first}"')
    second = put(banter, alice, GIF).ok()["avatar"]
    assert second != first
    changed = get(banter, bob, alice, If_None_Match=f'"{first}"')
    assert (changed.status, changed.body) == (200, GIF)
    for other in ("*", "x", '"', f'W/"{second}"', f'"{uuid.uuid4()}"'):
        assert get(banter, bob, alice, If_None_Match=other).status == 200


def test_a_picture_is_taken_away(banter, people):
    alice, bob = people
    put(banter, alice, png()).ok()
    for _ in range(2):
        removed = banter.request("DELETE", "/v1/me/avatar", account=alice)
        assert (removed.status, removed.body) == (204, b"")
        assert code_of(get(banter, bob, alice)) == (404, "not_found")
        assert me(banter, alice)["avatar"] is None


def test_files_of_former_pictures_are_gone(fresh_banter):
    alice = fresh_banter.signup("alice")
    for image in (png(), GIF, JPEG):
        last = put(fresh_banter, alice, image).ok()["avatar"]
    def files():
        return [path for path in (fresh_banter.data / "blobs").rglob("*") if path.is_file()]
    wait_until(lambda: [path.name for path in files()] == [last], 10, "one file")
    [file] = files()
    assert file.read_bytes() == JPEG
    assert file.stat().st_mode & 0o077 == 0
    old = fresh_banter.kill("bridge")
    fresh_banter.wait_restarted("bridge", old)
    fresh_banter.wait_ready()
    assert get(fresh_banter, alice, alice).body == JPEG
    fresh_banter.request("DELETE", "/v1/me/avatar", account=alice).ok()
    wait_until(lambda: not files(), 10, "no file")


def test_what_hides_behind_a_picture_is_cut_off(banter, people):
    alice, bob = people
    for image in (png(), GIF, JPEG, WEBP):
        put(banter, alice, image + HTML + b"PK\3\4").ok()
        assert get(banter, bob, alice).body == image


def riff(*chunks):
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
                              for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def exif(tiff):
    return b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff


def test_what_a_picture_tells_of_its_making_is_taken_out(banter, people):
    """Place, time and maker; the picture's own bytes stay, and a JPEG its orientation."""
    alice, bob = people
    place = b"GPS: 52.5N 13.4E"
    turned = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    lossless = (b"VP8L", b"\x2f\1\x80\0\0\x10\7")
    flags, no_flags = (bytes([f]) + b"\0\0\0\1\0\0\2\0\0" for f in (0x0c, 0))
    cases = (
        (png()[:33] + chunk(b"eXIf", place) + chunk(b"tEXt", b"Comment\0" + place) + png()[33:],
         png()),
        (JPEG[:2] + exif(turned + place) + b"\xff\xfe\0\x12" + place + JPEG[2:],
         JPEG[:2] + exif(turned) + JPEG[2:]),
        (GIF[:-1] + b"!\xfe\x10" + place + b"\0;", GIF),
        (riff((b"VP8X", flags), lossless, (b"EXIF", place), (b"XMP ", place + b"!")),
         riff((b"VP8X", no_flags), lossless)))
    for image, expected in cases:
        assert place in image and place not in expected
        put(banter, alice, image).ok()
        assert get(banter, bob, alice).body == expected


@pytest.mark.parametrize("body", [
    b"", b"x", HTML, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"<?xml version='1.0'?><svg/>", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n" + HTML, b"GIF89a" + HTML,
    b"\xff\xd8\xff\xe0" + HTML, b"RIFF\xff\0\0\0WEBP" + HTML, png()[:-1], GIF[:-1], JPEG[:-1],
    WEBP[:-1], b" " + png(), png(width=0), b"{}"])
def test_what_is_no_picture(banter, people, body):
    alice, bob = people
    kept = put(banter, alice, GIF).ok()["avatar"]
    for headers in ({}, {"Content-Type": "image/png"}, {"Content-Type": "application/json"}):
        assert code_of(put(banter, alice, body, **headers)) == (415, "invalid")
    assert me(banter, alice)["avatar"] == kept
    assert get(banter, bob, alice).body == GIF


def test_sizes(banter, people):
    alice, bob = people
    room = (1 << 20) - len(png(filler=1)) + 1
    largest = png(filler=room)
    assert len(largest) == 1 << 20
    put(banter, alice, largest).ok()
    assert get(banter, bob, alice).body == largest
    assert code_of(put(banter, alice, png(filler=room + 1))) == (413, "too_large")
    put(banter, alice, png(4096, 4096)).ok()
    for sides in ((4097, 1), (1, 4097), (1 << 31, 1)):
        assert code_of(put(banter, alice, png(*sides))) == (413, "too_large"), sides


def test_pictures_need_a_token(banter, people):
    for method, path in (("GET", f"/v1/users/{people[0].handle}/avatar"), ("PATCH", "/v1/me"),
                         ("GET", "/v1/me/avatar"), ("PUT", "/v1/me/avatar"),
                         ("DELETE", "/v1/me/avatar")):
        assert code_of(banter.request(method, path)) == (401, "unauthorized")
