/* SPDX-License-Identifier: MIT */
/* routes.h - the table of all routes, and what happens before a handler is called: the route is
 * found, the token checked, the body's type and size compared with what the route takes. */
#ifndef BANTER_API_ROUTES_H
#define BANTER_API_ROUTES_H

#include "api/call.h"
#include "http/server.h"

#include <stddef.h>

enum route_access {
    ROUTE_SUPERVISORS, /* everybody, as often as they like */
    ROUTE_OPERATORS,   /* with the operator_key */
    ROUTE_EVERYBODY,
    ROUTE_USERS,       /* with a valid access token */
    ROUTE_USERS_BYTES, /* the same; the body is of any type, and the handler's to judge */
};

struct route {
    const char *path; /* at most one segment is in braces: a parameter */
    enum http_method method;
    enum route_access access;
    size_t body_max; /* bytes of body, which is JSON unless `access` says otherwise; 0: none */
    void (*handle)(struct call *call);
};

struct route_table {
    const struct route *routes; /* sorted by path, then method: people read it */
    size_t count;
};

extern const struct route_table public_routes;
extern const struct route_table metrics_routes;

/* Answers the request, or hands it to its route's handler. */
void route_request(const struct route_table *table, const struct api *api,
                   struct http_request *request);

/* The handlers, by the file that they are in. */
void handle_signup(struct call *c); /* accounts.c */
void handle_login(struct call *c);
void handle_token(struct call *c);
void handle_logout(struct call *c);
void handle_audit(struct call *c);  /* audit.c */
void handle_avatar(struct call *c); /* avatar.c */
void handle_own_avatar(struct call *c);
void handle_remove_avatar(struct call *c);
void handle_set_avatar(struct call *c);
void handle_control(struct call *c);       /* control.c */
void handle_conversations(struct call *c); /* conversations.c */
void handle_conversation(struct call *c);
void handle_invites(struct call *c);
void handle_members(struct call *c);
void handle_revoke_invite(struct call *c);
void handle_cursor(struct call *c);  /* cursor.c */
void handle_devices(struct call *c); /* devices.c */
void handle_revoke_device(struct call *c);
void handle_history(struct call *c); /* history.c */
void handle_join(struct call *c);    /* join.c */
void handle_join_page(struct call *c);
void handle_erase(struct call *c); /* personal.c */
void handle_erasure(struct call *c);
void handle_export(struct call *c);
void handle_export_user(struct call *c);
void handle_post(struct call *c); /* post.c */
void handle_me(struct call *c);   /* profile.c */
void handle_modify_me(struct call *c);
void handle_user(struct call *c);
void handle_push_list(struct call *c); /* push.c */
void handle_push_register(struct call *c);
void handle_push_unregister(struct call *c);
void handle_push_vapid(struct call *c);
void handle_search(struct call *c); /* search.c */
void handle_search_users(struct call *c);
void handle_servers(struct call *c); /* servers.c */
void handle_sync(struct call *c);    /* sync.c */
void handle_index(struct call *c);   /* system.c */
void handle_jwks(struct call *c);
void handle_live(struct call *c);
void handle_openapi(struct call *c);
void handle_ready(struct call *c);
void handle_metrics(struct call *c); /* metrics.c */

#endif
