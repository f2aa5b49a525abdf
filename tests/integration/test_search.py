# SPDX-License-Identifier: MIT
"""Search: messages in many languages, in one's own conversations only, fresh soon after they were
posted, whatever crashes; users by the beginnings of their handles and names."""
import json
import urllib.parse
import uuid

import pytest

from support import wait_until


@pytest.fixture(scope="module")
def people(shared_system):
    return shared_system.signup("alice"), shared_system.signup("bob")


def post(system, account, to, text):
    return system.request("POST", f"/v1/conversations/{to}/messages",
                          {"id": str(uuid.uuid4()), "text": text}, account).ok()


def ask(system, account, **query):
    return system.request("GET", "/v1/search?" + urllib.parse.urlencode(query), account=account)


def found(system, account, timeout=20, **query):
    """The hits' texts, newest first, once the index has seen all that there is."""
    def fresh():
        answer = ask(system, account, **query)
        if answer.status == 503:  # its connections come back a little later than the writer's
            return None
        return answer.json() if answer.ok()["pending"] == 0 else None
    return [hit["text"] for hit in wait_until(fresh, timeout, "a fresh index")["hits"]]


def code_of(answer):
    return answer.status, answer.json()["code"]


# ---------------------------------------------------------------- languages

LANGUAGES = [
    # text, queries that find it, queries that do not
    ("Die Straße nach München ist gesperrt.", ["strasse", "STRASSE münchen", "München", "gesperrt"],
     ["stra", "munchen", "sperren"]),
    ("Running late, don't wait!", ["running", "RUNNING late", "don't", "wait!"], ["run", "runs"]),
    ("السَّلَامُ عَلَيْكُمْ يا صديقي", ["السلام", "عليكم صديقي", "السَّلام"], ["سلام"]),
    ("שָׁלוֹם לכולם", ["שלום", "לכולם"], ["של"]),
    ("कल मिलते हैं दोस्तों", ["मिलते", "कल दोस्तों"], ["मिल"]),
    ("พรุ่งนี้เจอกันที่สนามบิน", ["พรุ่งนี้", "สนามบิน", "เจอกัน"], ["โรงแรม"]),
    ("我们明天在北京大学见面。", ["北京", "北京大学", "明天", "见"], ["东京", "京北"]),
    ("𠮷野家で牛丼を食べた", ["𠮷野家", "牛丼", "食べた"], ["吉野家"]),
    ("東京タワーに行きましょう", ["東京", "タワー", "ﾀﾜｰ", "行き"], ["京東"]),
    ("서울에서 만나요", ["서울", "서울에서", "만나"], ["부산"]),
    ("Привет, Мир! Ёлка", ["привет", "МИР", "ёлка"], ["прив"]),
    ("Καλημέρα ΚΌΣΜΕ", ["κόσμε", "ΚΑΛΗΜΈΡΑ"], ["κόσμος"]),
    ("deploy done 🚀🎉", ["🚀", "🎉 done", "🚀🎉"], ["🔥"]),
    ("family 👩\u200d👩\u200d👧 👍🏽 from 🇸🇪", ["👧", "👍", "👍🏿", "🇸🇪"], ["🇩🇪", "🇪🇸"]),
    ("price: 1,234.50€ (see item_7/x-ray)", ["1", "234", "item", "ray", "x-ray"], ["1234"]),
    ("q'uo\"te \\ & | ! <-> :* ('end')", ["q'uo", "end", "\"te\"", "'end'"], ["quote"]),
]


@pytest.fixture(scope="module")
def library(shared_system, people):
    """A group with one message for each language."""
    alice, bob = people
    group = shared_system.group(alice, [bob])
    for text, _hit, _miss in LANGUAGES:
        post(shared_system, bob, group, text)
    return group


@pytest.mark.parametrize("text, hits, misses", LANGUAGES, ids=[row[0][:12] for row in LANGUAGES])
def test_languages(banter, people, library, text, hits, misses):
    alice, _bob = people
    for query in hits:
        assert text in found(banter, alice, q=query, conversation=library), query
    for query in misses:
        assert text not in found(banter, alice, q=query, conversation=library), query


@pytest.mark.parametrize("query", [
    "'", "\"", "\\", "a' | 'b", "!a", "a:*", "a <-> b", "(", "a & ", "') --", "%", "' OR 1=1 --",
    "\u202e", "a\u0301", "/0190f3a1-0000-7000-8000-000000000000", "x" * 256])
def test_no_query_is_more_than_words(banter, people, library, query):
    alice, _bob = people
    answer = ask(banter, alice, q=query)
    assert answer.status == 200 or code_of(answer) == (400, "invalid")


def test_operators_are_not_operators(banter, people):
    alice, bob = people
    for text in ("zephyr alone", "quartz alone", "zephyr and quartz"):
        post(banter, alice, f"@{bob.handle}", text)
    for query in ("zephyr quartz", "zephyr & quartz", "zephyr | quartz", "zephyr !quartz"):
        assert found(banter, alice, q=query) == ["zephyr and quartz"], query


# ---------------------------------------------------------------- whose, which, when

def test_only_own_conversations_are_searched(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    group = banter.group(alice, [bob])
    post(banter, alice, group, "the xylophone is hidden")
    post(banter, alice, f"@{alice.handle}", "my own xylophone")
    assert len(found(banter, alice, q="xylophone")) == 2
    assert found(banter, bob, q="xylophone") == ["the xylophone is hidden"]
    assert found(banter, eve, q="xylophone") == []
    assert code_of(ask(banter, eve, q="xylophone", conversation=group)) == (404, "not_found")
    assert found(banter, eve, q=f"/{group} xylophone") == []
    banter.data_of(alice, {"command": "addMembers", "conversation": group,
                           "members": [eve.handle]})
    assert found(banter, eve, q="xylophone") == ["the xylophone is hidden"]
    banter.data_of(alice, {"command": "removeMember", "conversation": group, "user": eve.handle})
    assert ask(banter, eve, q="xylophone").ok()["hits"] == []
    assert code_of(ask(banter, eve, q="xylophone", conversation=group)) == (404, "not_found")


def test_filters(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    where = [(alice, group), (bob, group), (alice, f"@{bob.handle}"), (bob, f"@{alice.handle}")]
    times = [post(banter, sender, to, f"marble {number}")["at"]
             for number, (sender, to) in enumerate(where)]
    assert len(set(times)) == 4
    assert found(banter, alice, q="marble") == ["marble 3", "marble 2", "marble 1", "marble 0"]
    assert found(banter, alice, q="marble", conversation=group) == ["marble 1", "marble 0"]
    assert found(banter, bob, q="marble", conversation=f"@{alice.handle}") == [
        "marble 3", "marble 2"]
    assert found(banter, alice, q="marble", **{"from": bob.handle}) == ["marble 3", "marble 1"]
    assert found(banter, alice, q="marble", **{"from": "nobody-of-this-name"}) == []
    assert found(banter, alice, q="marble", after=times[2]) == ["marble 3", "marble 2"]
    assert found(banter, alice, q="marble", before=times[2]) == ["marble 1", "marble 0"]
    assert found(banter, alice, q="marble", after=times[1], before=times[3]) == [
        "marble 2", "marble 1"]
    assert found(banter, alice, q="marble", before=times[2].replace("Z", "+00:00")) == [
        "marble 1", "marble 0"]


def test_hits(banter, people):
    alice, bob = people
    receipt = post(banter, alice, f"@{bob.handle}", "look at this obelisk")
    found(banter, bob, q="obelisk")
    assert ask(banter, bob, q="obelisk").ok() == {
        "hits": [{"conversation": receipt["conversation"], "seq": receipt["seq"],
                  "at": receipt["at"], "from": alice.handle, "text": "look at this obelisk"}],
        "pending": 0, "more": False}


def test_pages(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    device = banter.device(alice)
    drafts = [device.send(to, f"pebble {number}") for number, to in
              enumerate([group, f"@{bob.handle}"] * 25)]
    for draft in drafts:
        device.receipt(draft)
    found(banter, bob, q="pebble")
    texts, query = [], {"q": "pebble", "limit": 7}
    while True:
        page = ask(banter, bob, **query).ok()
        texts += [hit["text"] for hit in page["hits"]]
        assert page["more"] is ("next" in page)
        if not page["more"]:
            break
        assert len(page["hits"]) == 7
        query["next"] = page["next"]
    assert sorted(texts) == sorted(f"pebble {number}" for number in range(50))


def test_long_texts_make_short_pages(banter, people):
    alice, bob = people
    for _ in range(5):
        post(banter, alice, f"@{bob.handle}", "bulky " + "語" * 99_990)
    assert len(found(banter, alice, timeout=60, q="bulky")) < 5
    page, texts = ask(banter, alice, q="bulky").ok(), 0
    while True:
        texts += len(page["hits"])
        if not page["more"]:
            break
        page = ask(banter, alice, q="bulky", next=page["next"]).ok()
    assert texts == 5


@pytest.mark.parametrize("query, status, code", [
    ({}, 400, "invalid"), ({"q": ""}, 400, "invalid"), ({"q": "…!"}, 400, "invalid"),
    ({"q": "a\nb"}, 400, "invalid"), ({"q": b"\xff"}, 400, "invalid"),
    ({"q": "x" * 257}, 413, "too_large"), ({"q": "a", "limit": 0}, 400, "invalid"),
    ({"q": "a", "limit": 1001}, 400, "invalid"), ({"q": "a", "after": "now"}, 400, "invalid"),
    ({"q": "a", "before": "2026-02-30T00:00:00Z"}, 400, "invalid"),
    ({"q": "a", "from": "No One"}, 400, "invalid"), ({"q": "a", "next": "x"}, 400, "invalid"),
    ({"q": "a", "next": f"1.{uuid.uuid4()}."}, 400, "invalid"),
    ({"q": "a", "next": f"9999999999999999.{uuid.uuid4()}.1"}, 400, "invalid"),
    ({"q": "a", "conversation": "x"}, 404, "not_found"),
    ({"q": "a", "conversation": str(uuid.uuid4())}, 404, "not_found")])
def test_bad_searches(banter, people, query, status, code):
    assert code_of(ask(banter, people[0], **query)) == (status, code)


def test_search_over_mqtt(banter, people):
    alice, bob = people
    receipt = post(banter, bob, f"@{alice.handle}", "a crimson teapot")
    found(banter, alice, q="crimson")
    device = banter.device(alice)
    messages, users, refused = device.control(
        {"command": "searchMessages", "query": "TEAPOT", "from": bob.handle},
        {"command": "searchUsers", "query": bob.handle}, {"command": "searchMessages"})
    assert [hit["seq"] for hit in messages["data"]["hits"]] == [receipt["seq"]]
    assert [user["user"] for user in users["data"]["users"]] == [bob.handle]
    assert refused["error"]["code"] == "invalid"


# ---------------------------------------------------------------- the index

def index_of(system, conversation):
    """What the index holds of a conversation: {seq: words}."""
    return {int(seq): words for seq, words in system.psql(
        f"SELECT seq, words FROM banter.search WHERE conversation = '{conversation}'")}


def test_nothing_is_lost_when_the_bridge_is_killed(fresh_banter):
    alice, bob = fresh_banter.signup("alice"), fresh_banter.signup("bob")
    device = fresh_banter.device(alice)
    drafts = [device.send(f"@{bob.handle}", f"survivor {number} {'x ' * 50}")
              for number in range(400)]
    conversation = device.receipt(drafts[0])["conversation"]
    for _ in range(2):
        old = fresh_banter.kill("bridge")
        fresh_banter.wait_restarted("bridge", old)
        fresh_banter.wait_ready()
    for draft in drafts:
        device.receipt(draft, timeout=30)
    found(fresh_banter, bob, timeout=60, q="survivor")
    assert sorted(index_of(fresh_banter, conversation)) == list(range(1, 401))
    assert found(fresh_banter, bob, q="survivor 250") == [f"survivor 250 {'x ' * 50}"]


def test_what_was_there_before_is_found_after_a_start(fresh_banter):
    """The walk over all conversations, without anybody who asks."""
    alice, bob = fresh_banter.signup("alice"), fresh_banter.signup("bob")
    receipt = post(fresh_banter, alice, f"@{bob.handle}", "an old lantern")
    fresh_banter.stop("bridge")
    fresh_banter.psql("TRUNCATE banter.search, banter.search_progress")
    fresh_banter.start("bridge")
    fresh_banter.wait_ready()
    wait_until(lambda: index_of(fresh_banter, receipt["conversation"]), 20, "the index")


def test_the_index_catches_up_after_the_database_was_away(fresh_banter):
    alice, bob = fresh_banter.signup("alice"), fresh_banter.signup("bob")
    post(fresh_banter, alice, f"@{bob.handle}", "before the storm")
    old = fresh_banter.kill("postgres")
    fresh_banter.wait_restarted("postgres", old)
    fresh_banter.wait_ready()
    post(fresh_banter, alice, f"@{bob.handle}", "after the storm")
    assert found(fresh_banter, alice, timeout=60, q="storm") == [
        "after the storm", "before the storm"]


def test_a_message_that_cannot_be_indexed_holds_up_nothing(fresh_banter):
    alice, bob = fresh_banter.signup("alice"), fresh_banter.signup("bob")
    post(fresh_banter, alice, f"@{bob.handle}", "good first")
    fresh_banter.psql(
        "ALTER TABLE banter.search ADD CONSTRAINT poison CHECK (NOT words @@ 'poison'::tsquery)")
    for text in ("good second", "bad poison", "good third"):
        post(fresh_banter, alice, f"@{bob.handle}", text)
    assert found(fresh_banter, alice, timeout=60, q="good") == [
        "good third", "good second", "good first"]
    assert found(fresh_banter, alice, q="bad") == []
    assert "a message will not be found" in fresh_banter.log("bridge")


@pytest.mark.parametrize("function, told", [("index_slice", True), ("index_entries", False)])
def test_who_was_slower_than_another_node_changes_nothing(banter, people, function, told):
    """And is told where that was. What nodes of earlier releases call does the same, silently."""
    alice, bob = people
    group = banter.group(alice, [bob])
    seq = post(banter, alice, group, "a quick otter")["seq"]
    found(banter, alice, q="otter", conversation=group)
    before = index_of(banter, group)
    progress = f"SELECT indexed_seq FROM banter.search_progress WHERE conversation = '{group}'"

    def record(read_from, read_to):
        rows = banter.psql(
            f"SELECT banter.{function}('{{{group},{uuid.uuid4()}}}', '{{{read_from},0}}',"
            f" '{{{read_to},0}}', '{{{group}}}', '{{{seq}}}', '{{{seq}}}',"
            " ARRAY['''slow'' ''otter'''])")
        return [row for row in rows if any(row)]

    assert record(seq - 1, seq) == ([[group]] if told else [])
    assert (index_of(banter, group), banter.psql(progress)) == (before, [[str(seq)]])
    assert record(seq, seq) == []
    assert "'slow'" in index_of(banter, group)[seq]


def test_the_longest_texts_are_indexed(banter, people):
    alice, bob = people
    device = banter.device(alice)
    for text in ("\ufdfa" * 99_992, "".join(chr(0x20000 + n % 40_000) for n in range(99_992))):
        device.say(f"@{bob.handle}", "thimble " + text, timeout=20)
    assert len(found(banter, alice, timeout=60, q="thimble", limit=1)) == 1
    assert len(found(banter, alice, q=chr(0x20000) + chr(0x20001), limit=2)) == 1


# ---------------------------------------------------------------- edits and deletions

@pytest.fixture
def talk(banter):
    """alice's device, bob, and a conversation with one message of alice's, which is indexed."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    device = banter.device(alice)
    receipt = device.say(f"@{bob.handle}", "the first walrus")
    assert found(banter, bob, q="walrus") == ["the first walrus"]
    return device, bob, receipt["conversation"]


def say(device, conversation, **draft):
    draft = {"id": str(uuid.uuid4()), **draft}
    device.publish(f"send/{conversation}", json.dumps(draft))
    receipt = device.receipt(draft["id"])
    assert "seq" in receipt, receipt
    return receipt


def test_edits(banter, talk):
    device, bob, conversation = talk
    for text in ("the second walrus", "the third penguin"):
        edit = say(device, conversation, kind="edit", target=1, text=text)
    assert found(banter, bob, q="walrus") == []
    assert found(banter, bob, q="penguin") == ["the third penguin"]
    [hit] = ask(banter, bob, q="penguin").ok()["hits"]
    assert (hit["seq"], hit["edited_at"]) == (1, edit["at"])
    assert hit["at"] < hit["edited_at"]
    say(device, conversation, kind="edit", target=1, text="…")
    assert found(banter, bob, q="penguin") == []
    assert index_of(banter, conversation) == {}
    say(device, conversation, kind="edit", target=1, text="walrus again")
    assert found(banter, bob, q="walrus") == ["walrus again"]


def test_deletions(banter, talk):
    device, bob, conversation = talk
    say(device, conversation, kind="edit", target=1, text="an edited walrus")
    device.say(conversation, "another walrus")
    say(device, conversation, kind="delete", target=1)
    assert "an edited walrus" not in [  # at once, whatever the index knows
        hit["text"] for hit in ask(banter, bob, q="walrus").ok()["hits"]]
    assert found(banter, bob, q="walrus") == ["another walrus"]
    assert list(index_of(banter, conversation)) == [3]


def test_reactions_are_not_messages(banter, talk):
    device, bob, conversation = talk
    say(device, conversation, kind="reaction", target=1, emoji="🦭")
    assert found(banter, bob, q="🦭") == []
    assert found(banter, bob, q="walrus") == ["the first walrus"]


def test_a_log_read_at_once_is_the_same_as_one_read_entry_by_entry(fresh_banter):
    alice, bob = fresh_banter.signup("alice"), fresh_banter.signup("bob")
    device = fresh_banter.device(alice)
    conversation = device.say(f"@{bob.handle}", "number 1 apple")["conversation"]
    for number in range(2, 41):
        device.say(conversation, f"number {number} apple")
        if number % 3 == 0:
            say(device, conversation, kind="edit", target=1, text=f"edit {number} cherry")
    for target in range(2, 10):
        [entry] = fresh_banter.history(alice, conversation, after=target - 1, limit=1)
        if entry["kind"] == "text":
            say(device, conversation, kind="delete", target=target)
    found(fresh_banter, bob, q="apple")
    step_by_step = index_of(fresh_banter, conversation)
    assert 30 < len(step_by_step) < 40
    fresh_banter.stop("bridge")
    fresh_banter.psql("TRUNCATE banter.search, banter.search_progress")
    fresh_banter.start("bridge")
    fresh_banter.wait_ready()
    found(fresh_banter, bob, q="apple")
    assert index_of(fresh_banter, conversation) == step_by_step
    assert found(fresh_banter, bob, q="cherry") == ["edit 39 cherry"]


# ---------------------------------------------------------------- users

def users(system, account, query, **more):
    parameters = urllib.parse.urlencode({"search": query, **more})
    return system.request("GET", f"/v1/users?{parameters}", account=account)


def test_users_by_handle_and_name(banter):
    seeker = banter.signup("seeker")
    mark = uuid.uuid4().hex[:6]
    names = {}
    for handle, name in (
            (f"q{mark}", "Ægir"), (f"q{mark}-b", None), (f"zz{mark}a", f"Q{mark} Last"),
            (f"zz{mark}b", f"Ｑ{mark} wide"), (f"zz{mark}c", f"Éa{mark}"),
            (f"zz{mark}d", f"王{mark}")):
        banter.request("POST", "/v1/signup", {"handle": handle, "password": "correct horse",
                                              **({"name": name} if name else {})}).ok()
        names[handle] = name
    answer = users(banter, seeker, f"Q{mark}").ok()
    assert [user["user"] for user in answer["users"]] == [
        f"q{mark}", f"q{mark}-b", f"zz{mark}a", f"zz{mark}b"]
    assert answer["more"] is False
    assert {user["user"]: user["name"] for user in answer["users"]}.items() <= names.items()
    assert all(set(user) == {"user", "name", "avatar"} for user in answer["users"])
    assert [u["user"] for u in users(banter, seeker, f"éA{mark}").ok()["users"]] == [f"zz{mark}c"]
    assert [u["user"] for u in users(banter, seeker, f"e\u0301a{mark}").ok()["users"]] == [
        f"zz{mark}c"]
    assert [u["user"] for u in users(banter, seeker, f"王{mark[:2]}").ok()["users"]] == [
        f"zz{mark}d"]
    page = users(banter, seeker, f"q{mark}", limit=2).ok()
    assert ([u["user"] for u in page["users"]], page["more"]) == ([f"q{mark}", f"q{mark}-b"], True)
    banter.psql(f"UPDATE banter.users SET disabled_at = now() WHERE handle = 'q{mark}'")
    assert f"q{mark}" not in [u["user"] for u in users(banter, seeker, f"q{mark}").ok()["users"]]


def test_who_blocks_or_is_blocked_is_not_found(banter):
    """By either of the two, by handle or name; by everybody else as ever."""
    mark = uuid.uuid4().hex[:6]
    seekers = [banter.signup("seeker") for _ in range(2)]
    others = [banter.signup(f"q{mark}{letter}") for letter in "abc"]
    banter.request("PATCH", "/v1/me", {"name": f"Q{mark}"}, others[2]).ok()

    def found_by(seeker, **more):
        page = users(banter, seeker, f"q{mark}", **more).ok()
        return [user["user"] for user in page["users"]], page["more"]

    everybody = sorted(other.handle for other in others)
    assert found_by(seekers[0]) == (everybody, False)
    banter.data_of(seekers[0], {"command": "block", "user": everybody[0]})
    banter.data_of(others[2], {"command": "block", "user": seekers[0].handle})
    assert found_by(seekers[0]) == (everybody[1:2], False)
    assert found_by(seekers[0], limit=1) == (everybody[1:2], False)
    assert found_by(seekers[1]) == (everybody, False)
    assert seekers[0].handle not in [
        user["user"] for user in users(banter, others[0], seekers[0].handle).ok()["users"]]
    banter.data_of(seekers[0], {"command": "unblock", "user": everybody[0]})
    assert found_by(seekers[0]) == (everybody[:2], False)


def test_patterns_are_not_patterns(banter, people):
    for query in ("%", "_", "a%", "\\", "' OR true --", "[a-z]", ".*"):
        assert users(banter, people[0], query).ok()["users"] == [], query


@pytest.mark.parametrize("query, status, code", [
    ("", 400, "invalid"), ("a\tb", 400, "invalid"), (b"\xff", 400, "invalid"),
    ("x" * 257, 413, "too_large")])
def test_bad_searches_for_users(banter, people, query, status, code):
    assert code_of(users(banter, people[0], query)) == (status, code)


def test_search_needs_a_token(banter):
    for path in ("/v1/search?q=a", "/v1/users?search=a"):
        assert code_of(banter.request("GET", path)) == (401, "unauthorized")


def test_the_index_shows_in_the_metrics(banter):
    values = dict(line.rsplit(" ", 1) for line in banter.metrics().splitlines()
                  if not line.startswith("#"))
    assert int(values["banter_indexed_entries_total"]) > 0
    assert int(values["banter_index_skipped_total"]) == 0


def test_answers_are_json_that_says_what_it_found(banter, people):
    alice, _bob = people
    post(banter, alice, f"@{alice.handle}", 'tricky "quotes" \\ and \u2028 separators gizmo')
    found(banter, alice, q="gizmo")
    body = ask(banter, alice, q="gizmo").body
    assert json.loads(body)["hits"][0]["text"] == 'tricky "quotes" \\ and \u2028 separators gizmo'
