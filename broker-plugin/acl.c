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

/* The broker looks through a client's filters one by one, for each that is added. Whoever needs
 * more can do with chat/#. */
static bool may_have_plain(struct session *session)
{
    if (session->plain_filters == ACL_PLAIN_FILTERS_MAX)
        return false;
    session->plain_filters++;
    return true;
}

bool acl_may_subscribe(struct core *c, const void *client, const char *client_id,
                       struct slice filter)
{
    struct session *session;
    struct slice handle;

    if (core_is_bell(client_id))
        return false;
    session = sessions_find(&c->sessions, client, client_id);
    if (!session)
        return topic_subscribe_is_allowed(filter);
    if (session->filters == ACL_FILTERS_MAX)
        return false;
    session->filters++;
    if (topic_parse_presence(filter, &handle))
        return watches_subscribe(c, session, handle);
    return topic_subscribe_is_allowed(filter) && may_have_plain(session);
}

void acl_unsubscribe(struct core *c, const void *client, const char *client_id, struct slice filter)
{
    struct session *session = sessions_find(&c->sessions, client, client_id);
    struct slice handle;

    if (session && topic_parse_presence(filter, &handle))
        watches_unsubscribe(c, session, handle);
}
