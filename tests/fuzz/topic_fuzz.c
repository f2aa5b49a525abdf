/* SPDX-License-Identifier: MIT */
/* topic_fuzz.c - topics, filters, names and UUIDs: what is accepted can be written back. */
#include "fuzz/fuzz.h"

#include "base/utf8.h"
#include "wire/limits.h"
#include "wire/names.h"
#include "wire/topic.h"

static void check_publish(struct slice topic)
{
    struct publish_topic t = topic_parse_publish(topic);
    char chat[TOPIC_CHAT_LENGTH + 1];

    if (t.kind == PUBLISH_DRAFT) {
        topic_format_chat(&t.conversation, chat);
        must(slice_equal(slice_str(chat + 5), slice_of(topic.data + 5, topic.length - 5)));
    } else if (t.kind == PUBLISH_DRAFT_TO_USER) {
        must(handle_is_valid(t.handle) && t.handle.length + 6 == topic.length);
    }
    must(t.kind == PUBLISH_REFUSED || !topic_subscribe_is_allowed(topic));
}

static void check_presence(struct slice filter)
{
    char topic[TOPIC_PRESENCE_MAX_LENGTH + 1];
    struct slice handle;

    if (!topic_parse_presence(filter, &handle))
        return;
    topic_format_presence(handle, topic);
    must(slice_equal(slice_str(topic), filter) && !topic_subscribe_is_allowed(filter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size), handle, device;
    size_t count;

    check_publish(input);
    check_presence(input);
    if (topic_is_valid_response(input))
        must(utf8_count(input, &count) && size <= RESPONSE_TOPIC_MAX_LENGTH);
    if (client_id_split(input, &handle, &device))
        must(handle.length + 1 + device.length == size && size <= CLIENT_ID_MAX_LENGTH);
    if (draft_id_is_valid(input))
        must(utf8_count(input, &count) && count <= DRAFT_ID_MAX_CHARACTERS);
    must(utf8_count(utf8_prefix(input, size / 2), &count));
    return 0;
}
