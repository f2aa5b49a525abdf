# SPDX-License-Identifier: MIT
"""Issue 2, item 6 and rule 6: text comes out as it went in, byte for byte."""
import json
import unicodedata

import pytest

from support import MQTTv311, MQTTv5, mosquitto_pub

FULL = 100_000


def filled(sample):
    """The sample repeated to exactly 100,000 characters (code points)."""
    return (sample * (FULL // len(sample) + 1))[:FULL]


TEXTS = {
    "ASCII": "The quick brown fox jumps over the lazy dog. 0123456789 <>&'`~",
    "emoji": "😀🙂🥲🫠🤖👻",
    "emoji with joiners": "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 👨🏽\u200d🚀 🧑🏿\u200d🤝\u200d🧑🏻 🇸🇪",
    "skin tones and keycaps": "👍🏻👍🏼👍🏽👍🏾👍🏿 1️⃣ #️⃣ ❤️ ❤︎",
    "Arabic": "السَّلَامُ عَلَيْكُمْ، كَيْفَ حَالُكَ؟ ١٢٣",
    "Hebrew": "שָׁלוֹם עוֹלָם, מַה שְּׁלוֹמְךָ?",
    "mixed directions": "abc \u202eright to left\u202c עברית 123 \u2067isolate\u2069 \u200f\u200e",
    "Chinese": "漢字與汉字，𠀀𪜶𫝀𫠝㐀",
    "Japanese": "ひらがなカタカナ漢字ｶﾀｶﾅ、。「」ガか\u3099",
    "Korean": "한국어 조합형 \u1112\u1161\u11ab",
    "combining marks": "Z\u0351\u036b\u0343a\u0328\u0323l\u0334g\u0321o\u0338 "
                       "é e\u0301 ô\u0323 o\u0302\u0323",
    "Indic and Thai": "नमस्ते क्षि தமிழ் ภาษาไทย བོད་ཡིག",
    "planes": "\U0001f600\U00020000\U000e0001\U0010ffff\ufffd\ufffe\uffff\ufeff\u00ad\u2028\u2029",
    "JSON's own": "\"\\/{}[],:\t\n\r \\u0041 \\n \\\" \u007f\u0080\u009f",
}


@pytest.fixture
def people(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    return (banter.device(alice), banter.device(bob, protocol=MQTTv5),
            banter.device(bob, "old", protocol=MQTTv311))


@pytest.mark.parametrize("name", TEXTS)
def test_100_000_characters_of(banter, people, name):
    phone, *others = people
    text = filled(TEXTS[name])
    assert len(text) == FULL
    raw = text.encode("utf-8")
    receipt = phone.say(f"@{others[0].account.handle}", text, timeout=20)
    conversation = receipt["conversation"]
    for other in others:
        other.wait_entry(conversation, seq=1, timeout=20)
        [payload] = [m.payload for m in other.messages if m.topic.startswith("chat/")]
        assert json.loads(payload)["text"].encode("utf-8") == raw
        assert json_string(text) in payload, "escaped more than JSON needs"
    path = f"/v1/conversations/{conversation}/messages"
    [line] = banter.stream(path, phone.account)
    assert json.loads(line)["text"].encode("utf-8") == raw
    [entry] = banter.history(phone.account, conversation)
    assert entry["text"].encode("utf-8") == raw
    [synced] = others[0].sync({conversation: 0})
    assert synced["entries"][0]["text"].encode("utf-8") == raw
    # The resend is compared with what was stored: still the same draft.
    assert phone.say(conversation, text, id=receipt["id"], timeout=20) == receipt


def json_string(text):
    """The text inside a JSON string with nothing escaped but what RFC 8259 demands."""
    return json.dumps(text[:100], ensure_ascii=False)[1:-1].encode("utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_escaped_and_raw_are_the_same_text(banter, people, name):
    """A client may send \\u escapes, surrogate pairs included."""
    phone, other, _old = people
    text = TEXTS[name]
    phone.publish(f"send/@{other.account.handle}", json.dumps({"id": "esc", "text": text}))
    receipt = phone.receipt("esc")
    assert other.wait_entry(receipt["conversation"], id="esc")["text"] == text
    assert phone.say(f"@{other.account.handle}", text, id="esc") == receipt


def test_nothing_is_normalized(banter, people):
    phone, other, _old = people
    forms = [unicodedata.normalize(form, "Å é ﬁ ｶﾞ 한") for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len(set(forms)) > 2
    for form in (*forms, " leading", "trailing ", "\n", "\t", " ", "a\r\nb", "\u00a0", "\u200b"):
        receipt = phone.say(f"@{other.account.handle}", form)
        assert other.wait_entry(receipt["conversation"], seq=receipt["seq"])["text"] == form


def test_the_limit_counts_characters_not_bytes(banter, people):
    phone, other, _old = people
    to = f"@{other.account.handle}"
    for one in ("x", "é", "語", "😀", "\n", '"'):
        assert "seq" in phone.receipt(phone.send(to, one * FULL), timeout=20)
        refused = phone.receipt(phone.send(to, one * (FULL + 1)), timeout=20)
        assert refused["error"]["code"] == "too_large"
    assert "seq" in phone.receipt(phone.send(to, "last"))


def test_titles_and_names_are_real_text_too(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    for title in ("家族 👩\u200d👩\u200d👧\u200d👦", 'quote " and \\ slash', "שלום", "語" * 128):
        group = banter.group(alice, [bob], title=title)
        [entry] = banter.history(bob, group)
        assert entry["title"] == title
        assert banter.data_of(bob, {"command": "getConversation",
                                    "conversation": group})["title"] == title


def test_a_long_text_through_a_shell(banter, people):
    """mosquitto_pub takes it from its standard input."""
    phone, other, _old = people
    text = filled(TEXTS["emoji with joiners"])
    draft = json.dumps({"id": "shell", "text": text}, ensure_ascii=False)
    done = mosquitto_pub(banter, phone.account, f"send/@{other.account.handle}", draft, "-q", "1")
    assert done.returncode == 0, done.stderr
    message = other.wait_message(lambda m: m.topic.startswith("chat/"), timeout=20)
    assert json.loads(message.payload)["text"] == text
