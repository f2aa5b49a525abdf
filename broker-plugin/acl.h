/* SPDX-License-Identifier: MIT */
/* acl.h - what a connection may publish and subscribe to. No allocation when the answer is yes. */
#ifndef BANTER_PLUGIN_ACL_H
#define BANTER_PLUGIN_ACL_H

#include "base/slice.h"

#include <stdbool.h>

struct core;

enum {
    ACL_PLAIN_FILTERS_MAX = 1000, /* granted to one connection, but those to presence/{handle} */
    ACL_FILTERS_MAX = 10000,      /* asked for by one connection in its whole life */
};

struct acl_publish {
    const void *client;
    const char *client_id; /* may be NULL */
    struct slice topic;
    struct slice payload;
    int qos;
    bool retain;
};

/* ACL_CHECK WRITE. A refused draft gets its receipt from here. The broker asks for wills too, after
 * DISCONNECT: their sender has no session any more, so they are refused. */
bool acl_may_publish(struct core *c, const struct acl_publish *p);
/* ACL_CHECK SUBSCRIBE. Only presence/{handle} means something, and needs a session; for the others
 * the broker may ask after DISCONNECT. */
bool acl_may_subscribe(struct core *c, const void *client, const char *client_id,
                       struct slice filter);
/* ACL_CHECK UNSUBSCRIBE, which is always allowed. */
void acl_unsubscribe(struct core *c, const void *client, const char *client_id,
                     struct slice filter);

#endif
