/* SPDX-License-Identifier: MIT */
/* heads.c - see heads.h. A conversation that is still being handed out waits for the next time: its
 * head would look like a loss. */
#include "heads.h"

#include "core.h"
#include "wire/topic.h"

#include <inttypes.h>

static void send(struct core *c, const struct user *u)
{
    buf_char(&c->json, '}');
    if (c->json.failed)
        return; /* the devices learn of later entries the next time */
    for (const struct session *s = u->sessions; s; s = s->next_of_user) {
        if (!s->superseded && s->kick_turn == 0)
            fanout_publish(c, s, TOPIC_HEADS, buf_slice(&c->json), slice_of(NULL, 0));
    }
}

static void add(struct core *c, const struct conversation *conversation)
{
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&conversation->id, id);
    buf_char(&c->json, c->json.length == 0 ? '{' : ',');
    buf_printf(&c->json, "\"%s\":%" PRId64, id, conversation->delivered);
}

static void send_heads(struct core *c, struct user *u)
{
    u->changed = false;
    buf_reset(&c->json);
    for (uint32_t i = 0; i < u->memberships.count; i++) {
        struct membership *membership = &u->memberships.items[i];

        if (!membership->changed)
            continue;
        if (membership->conversation->backlog) {
            u->changed = true; /* still due */
            continue;
        }
        membership->changed = false;
        add(c, membership->conversation);
        if (c->json.length >= HEADS_CHUNK_BYTES) {
            send(c, u);
            buf_reset(&c->json);
        }
    }
    if (c->json.length > 0)
        send(c, u);
}

void heads_scan(struct core *c)
{
    size_t count = c->sessions.by_uid.count / HEADS_SCAN_ROUNDS + 1;

    if (c->now_ms < c->heads_ms)
        return;
    c->heads_ms = c->now_ms + HEADS_SCAN_MS;
    if (count > c->sessions.by_uid.count)
        count = c->sessions.by_uid.count;
    for (size_t i = 0; i < count; i++) {
        struct user *u = sessions_scan_users(&c->sessions);

        if (u->changed && c->now_ms >= u->heads_ms)
            send_heads(c, u);
    }
}
