/* SPDX-License-Identifier: MIT */
/* signals.c - see signals.h. */
#include "signals.h"

#include "announce.h"
#include "core.h"
#include "wire/json.h"

#include <string.h>

enum { STATE_MAX_LENGTH = 16 };

/* Everybody reads and so has a cursor, which in a channel nobody else sees. Channels have no
 * typing, and neither have readers. */
static bool may_send(struct core *c, const struct user *u, enum signal_kind kind,
                     const struct uuid *id)
{
    const struct conversation *conversation = members_find(&c->members, id);
    const struct membership *membership = conversation ? members_of(u, conversation) : NULL;

    if (u->attach != ATTACH_DONE || !membership || membership->role < ROLE_READER)
        return false;
    return kind == SIGNAL_CURSOR ||
           (membership->role >= ROLE_MEMBER && membership->kind != CONVERSATION_CHANNEL);
}

enum ingest_answer signals_send(struct core *c, struct session *session, enum signal_kind kind,
                                const struct uuid *conversation, struct slice payload)
{
    const struct user *u = session->user;
    struct frame_signal f = {
        .kind = kind,
        .uid = u->uid,
        .handle = slice_str(u->handle),
        .device = slice_str(session_device(session)),
        .conversation = *conversation,
        .payload = payload,
    };

    if (rates_signal(c, session) > 0)
        return INGEST_LIMITED;
    if (payload.length > SIGNAL_PAYLOAD_MAX || !may_send(c, u, kind, conversation) ||
        !link_is_up(&c->link) || !link_has_room(&c->link))
        return INGEST_REFUSED;
    frame_write_signal(link_out(&c->link), &f);
    c->stats.signals++;
    return INGEST_TAKEN;
}

/* SESSION_DOWN: it says nothing that is known. */
static enum session_state read_state(struct slice payload)
{
    static const char *const names[] = {
        [SESSION_ONLINE] = "online", [SESSION_AWAY] = "away", [SESSION_HIDDEN] = "hidden"};
    enum session_state state = SESSION_DOWN;
    char value[STATE_MAX_LENGTH + 1];

    if (!json_peek_string(payload, "state", value, STATE_MAX_LENGTH))
        return SESSION_DOWN;
    for (unsigned i = SESSION_ONLINE; i <= SESSION_HIDDEN; i++) {
        if (strcmp(value, names[i]) == 0)
            state = (enum session_state)i;
    }
    return state;
}

enum ingest_answer signals_presence(struct core *c, struct session *session, struct slice payload)
{
    enum session_state state;

    if (rates_signal(c, session) > 0)
        return INGEST_LIMITED;
    if (payload.length > SIGNAL_PAYLOAD_MAX)
        return INGEST_REFUSED;
    state = read_state(payload);
    return state != SESSION_DOWN && announce_said(c, session, state) ? INGEST_TAKEN
                                                                     : INGEST_REFUSED;
}

void signals_out(struct core *c, const struct frame_signal_out *f)
{
    const struct conversation *conversation = members_find(&c->members, &f->conversation);

    /* Who is a member may be old news until everybody is attached again. */
    if (conversation && c->resyncing == 0)
        fanout_signal(c, conversation, f);
}
