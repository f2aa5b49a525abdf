/* SPDX-License-Identifier: MIT */
/* interests.c - see interests.h. */
#include "interests.h"

#include "core.h"

static void tell(struct core *c, const struct conversation *conversation, bool on)
{
    const struct frame_interest f = {conversation->id, on};

    frame_write_interest(link_out(&c->link), &f);
}

static void on_gone(void *owner, const struct conversation *conversation)
{
    struct core *c = owner;

    if (conversation->noted && link_is_up(&c->link))
        tell(c, conversation, false);
}

void interests_init(struct core *c)
{
    c->members.gone = on_gone;
    c->members.owner = c;
}

void interests_link_up(struct core *c, bool wanted)
{
    struct conversation *conversation;
    size_t cursor = 0;

    while ((conversation = map_next(&c->members.conversations, &cursor)) != NULL)
        conversation->noted = false;
    c->interests_wanted = wanted;
}

void interests_note(struct core *c, struct conversation *conversation)
{
    if (!c->interests_wanted || conversation->noted || !link_is_up(&c->link))
        return;
    conversation->noted = true;
    tell(c, conversation, true);
}
