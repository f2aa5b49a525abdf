/* SPDX-License-Identifier: MIT */
/* signals.c - see signals.h. */
#include "signals.h"

#include "announce.h"
#include "core.h"
#include "wire/json.h"

#include <string.h>

enum { STATE_MAX_LENGTH = 16 };

/* Whether the session may send one more signal now; counts it. */
static bool take(struct core *c, struct session *session)
{
    uint64_t given = (c->now_ms - session->signal_ms) / SIGNALS_INTERVAL_MS;

    if (given >= session->signals_taken) {
        session->signals_taken = 0;
        session->signal_ms = c->now_ms;
    } else {
        session->signals_taken = (uint8_t)(session->signals_taken - given);
        session->signal_ms += given * SIGNALS_INTERVAL_MS;
    }
    if (session->signals_taken >= SIGNALS_BURST) {
        c->stats.signals_dropped++;
        return false;
    }
    session->signals_taken++;
    return true;
}

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

bool signals_send(struct core *c, struct session *session, enum signal_kind kind,
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

    if (!take(c, session) || payload.length > SIGNAL_PAYLOAD_MAX ||
        !may_send(c, u, kind, conversation) || !link_is_up(&c->link) || !link_has_room(&c->link))
        return false;
    frame_write_signal(link_out(&c->link), &f);
    c->stats.signals++;
    return true;
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

bool signals_presence(struct core *c, struct session *session, struct slice payload)
{
    enum session_state state;

    if (!take(c, session) || payload.length > SIGNAL_PAYLOAD_MAX)
        return false;
    state = read_state(payload);
    return state != SESSION_DOWN && announce_said(c, session, state);
}

void signals_out(struct core *c, const struct frame_signal_out *f)
{
    const struct conversation *conversation = members_find(&c->members, &f->conversation);

    /* Who is a member may be old news until everybody is attached again. */
    if (conversation && c->resyncing == 0)
        fanout_signal(c, conversation, f);
}
