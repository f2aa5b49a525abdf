/* SPDX-License-Identifier: MIT */
/* acl.c - see acl.h. Receiving needs no rule: nothing is ever routed by a subscription. One to
 * presence/{handle} is a request that watches.c takes; the broker need not know its sense. */
#include "acl.h"

#include "core.h"
#include "ingest.h"
#include "watches.h"
#include "wire/topic.h"

/* Why a device may not publish this, or NULL. */
static const char *objection(const struct acl_publish *p)
{
    if (topic_parse_publish(p->topic).kind == PUBLISH_REFUSED)
        return "this is not a conversation, nor anything else to publish to";
    if (p->qos > 1)
        return "QoS 2 is not supported";
    if (p->retain)
        return "retained messages are not supported";
    return NULL;
}

bool acl_may_publish(struct core *c, const struct acl_publish *p)
{
    struct session *session;
    const char *reason;

    if (core_is_bell(p->client_id))
        return slice_equal(p->topic, slice_str(TOPIC_BELL)) && p->qos == 0 && !p->retain;
    session = sessions_find(&c->sessions, p->client, p->client_id);
    if (!session)
        return false;
    reason = objection(p);
    if (reason)
        ingest_refuse(c, session, p->topic, p->payload, CODE_INVALID, reason);
    return !reason;
}

bool acl_may_subscribe(struct core *c, const void *client, const char *client_id,
                       struct slice filter)
{
    struct session *session;
    struct slice handle;

    if (core_is_bell(client_id))
        return false;
    if (!topic_parse_presence(filter, &handle))
        return topic_subscribe_is_allowed(filter);
    session = sessions_find(&c->sessions, client, client_id);
    return session && watches_subscribe(c, session, handle);
}

void acl_unsubscribe(struct core *c, const void *client, const char *client_id, struct slice filter)
{
    struct session *session = sessions_find(&c->sessions, client, client_id);
    struct slice handle;

    if (session && topic_parse_presence(filter, &handle))
        watches_unsubscribe(c, session, handle);
}
