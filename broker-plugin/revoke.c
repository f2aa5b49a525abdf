/* SPDX-License-Identifier: MIT */
/* revoke.c - see revoke.h. */
#include "revoke.h"

#include "base/clock.h"
#include "core.h"
#include "receipts.h"

static void end_connections(struct core *c, const struct user *u, const struct uuid *login)
{
    for (struct session *s = u->sessions; s; s = s->next_of_user) {
        if (!uuid_equal(&s->login, login) || s->kick_turn > 0)
            continue;
        if (!s->superseded)
            receipts_closing(c, s, slice_str("revoked"));
        core_kick(c, s);
    }
}

void revoke_login(struct core *c, const struct frame_revoked *f)
{
    const struct revoked_login login = {
        .login = f->login, .uid = f->uid, .expires_at = f->expires_at};
    const struct user *u = sessions_find_user(&c->sessions, f->uid);
    bool is_new;

    revoked_set_expire(&c->revoked, clock_wall_ms() / 1000);
    if (!revoked_set_add(&c->revoked, &login, &is_new))
        link_restart(&c->link); /* all of them come again */
    if (u)
        end_connections(c, u, &f->login);
}
