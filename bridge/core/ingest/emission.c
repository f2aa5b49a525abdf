/* SPDX-License-Identifier: MIT */
/* emission.c - MEMBER and ENTRY frames of committed drafts. */
#include "core/ingest/emission.h"

#include "core/herald.h"
#include "wire/entry.h"

#include <assert.h>

void emission_init(struct emission *e, struct herald *herald, struct directs *directs)
{
    *e = (struct emission){.herald = herald, .directs = directs};
    buf_init(&e->json, LINK_BODY_MAX);
}

void emission_finish(struct emission *e)
{
    buf_finish(&e->json);
}

/* Also when the conversation was there already: whoever made it may not have told the plugin yet,
 * or may have died before. To a member of old the frame says nothing new. Both always have the same
 * role: a block makes readers of both. */
static void write_members(struct emission *e, const struct submission *s)
{
    struct frame_member f = {
        .conversation = s->conversation,
        .kind = CONVERSATION_DIRECT,
        .uid = s->uid_a,
        .role = s->role,
        .last_seq = s->outcome.seq - 1,
    };

    herald_member(e->herald, &f);
    if (s->uid_b == s->uid_a)
        return;
    f.uid = s->uid_b;
    herald_member(e->herald, &f);
}

static void write_entry(struct emission *e, const struct submission *s)
{
    const struct entry entry = {
        .conversation = s->conversation,
        .seq = s->outcome.seq,
        .at_ms = s->outcome.at_ms,
        .from = slice_str(s->handle),
        .id = s->id,
        .kind = s->kind,
        .text = s->text,
        .reply_to = s->reply_to,
        .target = s->target,
        .data = submission_data(s),
    };

    buf_reset(&e->json);
    entry_write(&e->json, &entry);
    assert(!e->json.failed); /* an escaped text of TEXT_MAX_BYTES fits */
    herald_entry(e->herald, &(struct frame_entry){.conversation = s->conversation,
                                                  .seq = s->outcome.seq,
                                                  .sender = s->uid,
                                                  .sender_device = slice_str(s->device),
                                                  .payload = buf_slice(&e->json)});
}

void emission_write(struct emission *e, const struct submission *s)
{
    if (s->outcome.code != CODE_OK || s->twin)
        return;
    if (s->is_direct && !directs_is_known(e->directs, &s->conversation)) {
        write_members(e, s);
        directs_remember(e->directs, &s->conversation);
    }
    if (herald_is_heard(e->herald) && !s->erased)
        write_entry(e, s);
}
