/* SPDX-License-Identifier: MIT */
/* announce.c - see announce.h. New sessions go to the front of the list of all sessions, so those
 * from `unannounced` on are the ones that were there when the link came up. */
#include "announce.h"

#include "core.h"

enum { ANNOUNCED_PER_TURN = 4096 };

static void tell(struct core *c, const struct session *session, enum session_state state, bool said)
{
    struct frame_session f = {
        .uid = session->user->uid,
        .handle = slice_str(session->user->handle),
        .device = slice_str(session_device(session)),
        .state = state,
        .said = said,
    };

    frame_write_session(link_out(&c->link), &f);
}

static void tell_up(struct core *c, const struct session *session)
{
    tell(c, session, session->away ? SESSION_AWAY : SESSION_ONLINE, false);
}

void announce_opened(struct core *c, const struct session *session)
{
    if (link_is_up(&c->link))
        tell_up(c, session);
}

/* Whether the device has a session besides this one. */
static bool has_another(const struct session *session)
{
    struct slice device = slice_str(session_device(session));

    for (const struct session *i = session->user->sessions; i; i = i->next_of_user) {
        if (i != session && slice_equal(slice_str(session_device(i)), device))
            return true;
    }
    return false;
}

void announce_closing(struct core *c, const struct session *session)
{
    if (link_is_up(&c->link) && !has_another(session))
        tell(c, session, SESSION_DOWN, false);
}

bool announce_said(struct core *c, struct session *session, enum session_state state)
{
    if (!link_is_up(&c->link) || !link_has_room(&c->link))
        return false;
    if (state != SESSION_HIDDEN)
        session->away = state == SESSION_AWAY;
    tell(c, session, state, true);
    return true;
}

void announce_link_up(struct core *c)
{
    c->sessions.unannounced = c->sessions.first;
}

void announce_turn(struct core *c)
{
    if (!link_is_up(&c->link))
        return;
    for (unsigned i = 0; i < ANNOUNCED_PER_TURN && announce_is_busy(c); i++) {
        const struct session *session = c->sessions.unannounced;

        if (!link_has_room(&c->link))
            return;
        c->sessions.unannounced = session->next;
        if (!session->superseded)
            tell_up(c, session);
    }
}

bool announce_is_busy(const struct core *c)
{
    return c->sessions.unannounced != NULL;
}
