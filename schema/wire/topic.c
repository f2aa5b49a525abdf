/* SPDX-License-Identifier: MIT */
/* topic.c - see topic.h. Topics are cut at their separators and compared whole: no pattern is ever
 * built from a name. */
#include "wire/topic.h"

#include "base/utf8.h"
#include "wire/limits.h"
#include "wire/names.h"

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

struct publish_topic topic_parse_publish(struct slice topic)
{
    struct publish_topic t = {.kind = PUBLISH_REFUSED};

    if (is_equal(topic, TOPIC_CONTROL)) {
        t.kind = PUBLISH_CONTROL;
    } else if (!skip_prefix(&topic, "send/")) {
        t.kind = PUBLISH_REFUSED;
    } else if (is_equal(topic, TOPIC_SYNC)) {
        t.kind = PUBLISH_SYNC;
    } else if (skip_prefix(&topic, "@")) {
        if (handle_is_valid(topic)) {
            t.kind = PUBLISH_DRAFT_TO_USER;
            t.handle = topic;
        }
    } else if (uuid_parse(&t.conversation, topic)) {
        t.kind = PUBLISH_DRAFT;
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
