/* SPDX-License-Identifier: MIT */
/* topic.c - see topic.h. Topics are cut at their separators and compared whole: no pattern is ever
 * built from a name. */
#include "wire/topic.h"

#include "base/utf8.h"
#include "wire/limits.h"
#include "wire/names.h"

#include <assert.h>
#include <string.h>

static bool is_equal(struct slice s, const char *string)
{
    return slice_equal(s, slice_str(string));
}

/* Takes `prefix` off the front of *s. */
static bool skip_prefix(struct slice *s, const char *prefix)
{
    size_t length = strlen(prefix);

    if (s->length < length || memcmp(s->data, prefix, length) != 0)
        return false;
    *s = slice_of(s->data + length, s->length - length);
    return true;
}

/* `rest` is what follows send/. */
static void parse_conversation(struct slice rest, struct publish_topic *t)
{
    struct slice after;

    if (rest.length < UUID_TEXT_LENGTH ||
        !uuid_parse(&t->conversation, slice_of(rest.data, UUID_TEXT_LENGTH)))
        return;
    after = slice_of(rest.data + UUID_TEXT_LENGTH, rest.length - UUID_TEXT_LENGTH);
    if (after.length == 0)
        t->kind = PUBLISH_DRAFT;
    else if (is_equal(after, "/typing"))
        t->kind = PUBLISH_TYPING;
    else if (is_equal(after, "/cursor"))
        t->kind = PUBLISH_CURSOR;
}

struct publish_topic topic_parse_publish(struct slice topic)
{
    struct publish_topic t = {.kind = PUBLISH_REFUSED};

    if (is_equal(topic, TOPIC_CONTROL)) {
        t.kind = PUBLISH_CONTROL;
    } else if (!skip_prefix(&topic, "send/")) {
        t.kind = PUBLISH_REFUSED;
    } else if (is_equal(topic, TOPIC_SYNC)) {
        t.kind = PUBLISH_SYNC;
    } else if (is_equal(topic, "me/presence")) {
        t.kind = PUBLISH_PRESENCE;
    } else if (skip_prefix(&topic, "@")) {
        if (handle_is_valid(topic)) {
            t.kind = PUBLISH_DRAFT_TO_USER;
            t.handle = topic;
        }
    } else {
        parse_conversation(topic, &t);
    }
    return t;
}

bool topic_subscribe_is_allowed(struct slice filter)
{
    const char *slash = filter.length ? memchr(filter.data, '/', filter.length) : NULL;
    struct slice first =
        slice_of(filter.data, slash ? (size_t)(slash - filter.data) : filter.length);

    return is_equal(first, "chat") || is_equal(first, "me") ||
           is_equal(filter, TOPIC_CONTROL_RESPONSE);
}

bool topic_parse_presence(struct slice filter, struct slice *handle)
{
    *handle = filter;
    return skip_prefix(handle, "presence/") && handle_is_valid(*handle);
}

bool topic_is_valid_response(struct slice topic)
{
    size_t count;

    if (topic.length < 1 || topic.length > RESPONSE_TOPIC_MAX_LENGTH || !utf8_count(topic, &count))
        return false;
    for (size_t i = 0; i < topic.length; i++) {
        char c = topic.data[i];

        if (c == '+' || c == '#' || c == '\0')
            return false;
    }
    return topic.data[0] != '$' || is_equal(topic, TOPIC_CONTROL_RESPONSE);
}

void topic_format_chat(const struct uuid *conversation, char topic[TOPIC_CHAT_LENGTH + 1])
{
    memcpy(topic, "chat/", 5);
    uuid_format(conversation, topic + 5);
}

void topic_format_signal(const struct uuid *conversation, enum signal_kind kind,
                         char topic[TOPIC_SIGNAL_MAX_LENGTH + 1])
{
    topic_format_chat(conversation, topic);
    memcpy(topic + TOPIC_CHAT_LENGTH, kind == SIGNAL_TYPING ? "/typing" : "/cursor", 8);
}

void topic_format_presence(struct slice handle, char topic[TOPIC_PRESENCE_MAX_LENGTH + 1])
{
    assert(handle.length <= HANDLE_MAX_LENGTH);
    memcpy(topic, "presence/", 9);
    memcpy(topic + 9, handle.data, handle.length);
    topic[9 + handle.length] = '\0';
}
