/* SPDX-License-Identifier: MIT */
/* topic_test.c - what may be published, subscribed and answered to, and everything that looks
 * alike.
 */
#include "unit/unit.h"

#include "wire/limits.h"
#include "wire/topic.h"

#define CONVERSATION "018f3b2e-7c1d-7abc-9def-0123456789ab"
#define CHAT "chat/" CONVERSATION

static void test_publish(void **state)
{
    static const struct {
        const char *topic;
        enum publish_kind kind;
    } cases[] = {
        {"send/" CONVERSATION, PUBLISH_DRAFT},
        {"send/@bob", PUBLISH_DRAFT_TO_USER},
        {"send/me/sync", PUBLISH_SYNC},
        {"$CONTROL/chat/v1", PUBLISH_CONTROL},
        {"", PUBLISH_REFUSED},
        {"send", PUBLISH_REFUSED},
        {"send/", PUBLISH_REFUSED},
        {"/send/@bob", PUBLISH_REFUSED},
        {"Send/@bob", PUBLISH_REFUSED},
        {"send//@bob", PUBLISH_REFUSED},
        {"send/bob", PUBLISH_REFUSED},
        {"send/@", PUBLISH_REFUSED},
        {"send/@b", PUBLISH_REFUSED},
        {"send/@Bob", PUBLISH_REFUSED},
        {"send/@bob/", PUBLISH_REFUSED},
        {"send/@bob/typing", PUBLISH_REFUSED},
        {"send/@@bob", PUBLISH_REFUSED},
        {"send/@+", PUBLISH_REFUSED},
        {"send/@#", PUBLISH_REFUSED},
        {"send/@b\xc3\xb6"
         "b",
         PUBLISH_REFUSED},
        {"send/+", PUBLISH_REFUSED},
        {"send/#", PUBLISH_REFUSED},
        {"send/" CONVERSATION "/", PUBLISH_REFUSED},
        {"send/" CONVERSATION "/typing", PUBLISH_TYPING},
        {"send/" CONVERSATION "/typing/", PUBLISH_REFUSED},
        {"send/" CONVERSATION "/typin", PUBLISH_REFUSED},
        {"send/" CONVERSATION "/cursor", PUBLISH_CURSOR},
        {"send/" CONVERSATION "/cursors", PUBLISH_REFUSED},
        {"send/@bob/cursor", PUBLISH_REFUSED},
        {"send/" CONVERSATION "typing", PUBLISH_REFUSED},
        {"send/" CONVERSATION "/#", PUBLISH_REFUSED},
        {"send/018F3B2E-7C1D-7ABC-9DEF-0123456789AB", PUBLISH_REFUSED},
        {"send/me", PUBLISH_REFUSED},
        {"send/me/", PUBLISH_REFUSED},
        {"send/me/sync/", PUBLISH_REFUSED},
        {"send/me/synch", PUBLISH_REFUSED},
        {"send/me/presence", PUBLISH_PRESENCE},
        {"send/me/presence/", PUBLISH_REFUSED},
        {"send/me/presences", PUBLISH_REFUSED},
        {"me/sync", PUBLISH_REFUSED},
        {"me/receipt", PUBLISH_REFUSED},
        {"chat/" CONVERSATION, PUBLISH_REFUSED},
        {"banter/bell", PUBLISH_REFUSED},
        {"$CONTROL/chat/v1/", PUBLISH_REFUSED},
        {"$CONTROL/chat/v1/response", PUBLISH_REFUSED},
        {"$CONTROL/chat/v2", PUBLISH_REFUSED},
        {"$CONTROL/dynamic-security/v1", PUBLISH_REFUSED},
        {"$control/chat/v1", PUBLISH_REFUSED},
        {"$SYS/broker/version", PUBLISH_REFUSED},
        {"$share/g/send/@bob", PUBLISH_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (topic_parse_publish(slice_str(cases[i].topic)).kind != cases[i].kind)
            fail_msg("%s", cases[i].topic);
    }
    assert_int_equal(topic_parse_publish(slice_of(NULL, 0)).kind, PUBLISH_REFUSED);
    assert_int_equal(topic_parse_publish(slice_of("send/@bob\0", 10)).kind, PUBLISH_REFUSED);
}

static void test_publish_names_the_target(void **state)
{
    struct slice topic = slice_str("send/@bob");
    struct publish_topic to_user = topic_parse_publish(topic);
    struct publish_topic draft = topic_parse_publish(slice_str("send/" CONVERSATION));
    struct publish_topic typing = topic_parse_publish(slice_str("send/" CONVERSATION "/typing"));
    char chat[TOPIC_CHAT_LENGTH + 1];

    (void)state;
    assert_true(slice_equal(to_user.handle, slice_str("bob")));
    assert_ptr_equal(to_user.handle.data, topic.data + 6);
    topic_format_chat(&draft.conversation, chat);
    assert_string_equal(chat, "chat/" CONVERSATION);
    assert_int_equal(strlen(chat), TOPIC_CHAT_LENGTH);
    assert_true(uuid_equal(&typing.conversation, &draft.conversation));
}

static void test_signals(void **state)
{
    struct publish_topic draft = topic_parse_publish(slice_str("send/" CONVERSATION));
    char topic[TOPIC_SIGNAL_MAX_LENGTH + 1];

    (void)state;
    topic_format_signal(&draft.conversation, SIGNAL_TYPING, topic);
    assert_string_equal(topic, CHAT "/typing");
    topic_format_signal(&draft.conversation, SIGNAL_CURSOR, topic);
    assert_string_equal(topic, CHAT "/cursor");
}

/* One user at a time: no pattern. */
static void test_presence(void **state)
{
    static const char *const good[] = {"presence/bob", "presence/0.a_-b"};
    static const char *const bad[] = {"",
                                      "presence",
                                      "presence/",
                                      "presence/#",
                                      "presence/+",
                                      "presence/b",
                                      "presence/Bob",
                                      "presence/bob/",
                                      "presence/bob/#",
                                      "presence/bob/+",
                                      "presence//bob",
                                      "/presence/bob",
                                      "+/bob",
                                      "Presence/bob",
                                      "$share/g/presence/bob",
                                      "presence/@bob"};
    char topic[TOPIC_PRESENCE_MAX_LENGTH + 1];
    struct slice handle;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(topic_parse_presence(slice_str(good[i]), &handle));
        topic_format_presence(handle, topic);
        assert_string_equal(topic, good[i]);
        assert_false(topic_subscribe_is_allowed(slice_str(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(topic_parse_presence(slice_str(bad[i]), &handle));
    assert_false(topic_parse_presence(slice_of(NULL, 0), &handle));
    assert_false(topic_parse_presence(slice_of("presence/bob\0", 13), &handle));
}

static void test_subscribe(void **state)
{
    static const char *const good[] = {
        "chat/#", "chat", "chat/+",   CHAT,         "me/#",
        "me",     "me/+", "chat/+/x", "me/receipt", "$CONTROL/chat/v1/response"};
    static const char *const bad[] = {"",
                                      "#",
                                      "+",
                                      "+/#",
                                      "/chat/#",
                                      "/",
                                      "chatter/#",
                                      "cha",
                                      "Chat/#",
                                      "mee",
                                      "m",
                                      "+/receipt",
                                      "send/#",
                                      "banter/#",
                                      "banter/bell",
                                      "$share/g/chat/#",
                                      "$share/chat/#",
                                      "$SYS/#",
                                      "$CONTROL/#",
                                      "$CONTROL/chat/v1",
                                      "$CONTROL/chat/+/response",
                                      "$CONTROL/chat/v1/response/x",
                                      "$CONTROL/chat/v1/#"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(topic_subscribe_is_allowed(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(topic_subscribe_is_allowed(slice_str(bad[i])));
    assert_false(topic_subscribe_is_allowed(slice_of(NULL, 0)));
    assert_false(topic_subscribe_is_allowed(slice_of("chat\0/#", 7)));
}

static void test_response_topics(void **state)
{
    static const char *const good[] = {
        "me/answers", "x", "/", "my/own/topic", "d\xc3\xa9j\xc3\xa0", "$CONTROL/chat/v1/response"};
    static const char *const bad[] = {"",           "a/#",    "+",
                                      "a/+/b",      "$SYS/x", "$CONTROL/chat/v1",
                                      "$share/g/x", "\xff",   "\xed\xa0\x80"};
    char longest[RESPONSE_TOPIC_MAX_LENGTH + 1];

    (void)state;
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(topic_is_valid_response(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(topic_is_valid_response(slice_str(bad[i])));
    assert_false(topic_is_valid_response(slice_of("a\0b", 3)));
    assert_true(topic_is_valid_response(slice_of(longest, RESPONSE_TOPIC_MAX_LENGTH)));
    assert_false(topic_is_valid_response(slice_of(longest, RESPONSE_TOPIC_MAX_LENGTH + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish),   cmocka_unit_test(test_publish_names_the_target),
        cmocka_unit_test(test_signals),   cmocka_unit_test(test_presence),
        cmocka_unit_test(test_subscribe), cmocka_unit_test(test_response_topics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
