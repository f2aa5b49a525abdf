/* SPDX-License-Identifier: MIT */
/* routes.c - see routes.h. Everything that the bridge answers over HTTP is in these two tables. */
#include "api/routes.h"

#include "api/cors.h"
#include "api/pages.h"
#include "base/clock.h"
#include "core/keys.h"
#include "core/rates.h"
#include "core/revocations.h"
#include "core/sites.h"
#include "wire/limits.h"

#include <assert.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FORM_MAX_BYTES = 16 << 10 }; /* the small bodies of accounts and cursors */

#define DELETE HTTP_METHOD_DELETE
#define GET HTTP_METHOD_GET
#define POST HTTP_METHOD_POST
#define PUT HTTP_METHOD_PUT
#define PATCH HTTP_METHOD_PATCH
#define DELETE HTTP_METHOD_DELETE

static const struct route public_table[] = {
    {"/", GET, ROUTE_EVERYBODY, 0, handle_index},
    {"/.well-known/jwks.json", GET, ROUTE_EVERYBODY, 0, handle_jwks},
    {"/join/{token}", GET, ROUTE_EVERYBODY, 0, handle_join_page},
    {"/join/{token}", POST, ROUTE_USERS, FORM_MAX_BYTES, handle_join},
    {"/livez", GET, ROUTE_SUPERVISORS, 0, handle_live},
    {"/readyz", GET, ROUTE_SUPERVISORS, 0, handle_ready},
    {"/v1/control", POST, ROUTE_USERS, PAYLOAD_MAX_BYTES, handle_control},
    {"/v1/conversations", GET, ROUTE_USERS, 0, handle_conversations},
    {"/v1/conversations/{conversation}", GET, ROUTE_USERS, 0, handle_conversation},
    {"/v1/conversations/{conversation}/cursor", POST, ROUTE_USERS, FORM_MAX_BYTES, handle_cursor},
    {"/v1/conversations/{conversation}/invites", GET, ROUTE_USERS, 0, handle_invites},
    {"/v1/conversations/{conversation}/members", GET, ROUTE_USERS, 0, handle_members},
    {"/v1/conversations/{conversation}/messages", GET, ROUTE_USERS, 0, handle_history},
    {"/v1/conversations/{conversation}/messages", POST, ROUTE_USERS, PAYLOAD_MAX_BYTES,
     handle_post},
    {"/v1/devices", GET, ROUTE_USERS, 0, handle_devices},
    {"/v1/devices/{device}", DELETE, ROUTE_USERS, 0, handle_revoke_device},
    {"/v1/erasures/{erasure}", GET, ROUTE_EVERYBODY, 0, handle_erasure},
    {"/v1/invites/{invite}", DELETE, ROUTE_USERS, 0, handle_revoke_invite},
    {"/v1/login", POST, ROUTE_EVERYBODY, FORM_MAX_BYTES, handle_login},
    {"/v1/logout", POST, ROUTE_EVERYBODY, FORM_MAX_BYTES, handle_logout},
    {"/v1/me", GET, ROUTE_USERS, 0, handle_me},
    {"/v1/me", PATCH, ROUTE_USERS, FORM_MAX_BYTES, handle_modify_me},
    {"/v1/me/avatar", GET, ROUTE_USERS, 0, handle_own_avatar},
    {"/v1/me/avatar", PUT, ROUTE_USERS_BYTES, AVATAR_MAX_BYTES, handle_set_avatar},
    {"/v1/me/avatar", DELETE, ROUTE_USERS, 0, handle_remove_avatar},
    {"/v1/me/erasure", POST, ROUTE_USERS, FORM_MAX_BYTES, handle_erase},
    {"/v1/me/export", GET, ROUTE_USERS, 0, handle_export},
    {"/v1/openapi.json", GET, ROUTE_EVERYBODY, 0, handle_openapi},
    {"/v1/push/registrations", GET, ROUTE_USERS, 0, handle_push_list},
    {"/v1/push/registrations", POST, ROUTE_USERS, FORM_MAX_BYTES, handle_push_register},
    {"/v1/push/registrations/{registration}", DELETE, ROUTE_USERS, 0, handle_push_unregister},
    {"/v1/push/vapid", GET, ROUTE_EVERYBODY, 0, handle_push_vapid},
    {"/v1/search", GET, ROUTE_USERS, 0, handle_search},
    {"/v1/servers", GET, ROUTE_EVERYBODY, 0, handle_servers},
    {"/v1/signup", POST, ROUTE_EVERYBODY, FORM_MAX_BYTES, handle_signup},
    {"/v1/sync", POST, ROUTE_USERS, PAYLOAD_MAX_BYTES, handle_sync},
    {"/v1/token", POST, ROUTE_EVERYBODY, FORM_MAX_BYTES, handle_token},
    {"/v1/users", GET, ROUTE_USERS, 0, handle_search_users},
    {"/v1/users/{handle}", GET, ROUTE_USERS, 0, handle_user},
    {"/v1/users/{handle}/avatar", GET, ROUTE_USERS, 0, handle_avatar},
    {"/v1/users/{handle}/export", GET, ROUTE_USERS, 0, handle_export_user},
};
static const struct route metrics_table[] = {
    /* Health also here, for when the front door does not come round. */
    {"/livez", GET, ROUTE_SUPERVISORS, 0, handle_live},
    {"/metrics", GET, ROUTE_SUPERVISORS, 0, handle_metrics},
    {"/readyz", GET, ROUTE_SUPERVISORS, 0, handle_ready},
    {"/v1/admin/audit", GET, ROUTE_OPERATORS, 0, handle_audit},
};

#undef DELETE
#undef GET
#undef POST
#undef PUT
#undef PATCH
#undef DELETE

const struct route_table public_routes = {public_table, sizeof public_table / sizeof *public_table};
const struct route_table metrics_routes = {metrics_table,
                                           sizeof metrics_table / sizeof *metrics_table};

/* Takes the segment before the next slash off *path, which is left at that slash or at the end. */
static struct slice cut_segment(const char **path)
{
    struct slice segment = slice_of(*path, strcspn(*path, "/"));

    *path += segment.length;
    return segment;
}

/* False: the escapes hide a NUL, or it is too long to name anything. */
static bool decode(struct slice segment, char out[CALL_PARAMETER_MAX_BYTES + 1])
{
    char encoded[3 * CALL_PARAMETER_MAX_BYTES + 1];
    size_t length;
    char *decoded;
    bool fits;

    if (segment.length == 0 || segment.length >= sizeof encoded)
        return false;
    memcpy(encoded, segment.data, segment.length);
    encoded[segment.length] = '\0';
    decoded = evhttp_uridecode(encoded, 0, &length);
    fits = decoded && length <= CALL_PARAMETER_MAX_BYTES && strlen(decoded) == length;
    if (fits)
        memcpy(out, decoded, length + 1);
    free(decoded);
    return fits;
}

/* Compares segment by segment; the one that a parameter stands for goes to `parameter`. */
static bool path_matches(const char *pattern, const char *path,
                         char parameter[CALL_PARAMETER_MAX_BYTES + 1])
{
    while (*pattern == '/' && *path == '/') {
        struct slice wanted, given;

        pattern++;
        path++;
        wanted = cut_segment(&pattern);
        given = cut_segment(&path);
        if (wanted.length > 0 && wanted.data[0] == '{') {
            if (!decode(given, parameter))
                return false;
        } else if (!slice_equal(wanted, given)) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

/* The route for path and method, or NULL; *allowed is the set of methods that the path has. */
static const struct route *find_route(const struct route_table *table, const char *path,
                                      enum http_method method, unsigned *allowed,
                                      char parameter[CALL_PARAMETER_MAX_BYTES + 1])
{
    const struct route *found = NULL;

    *allowed = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];

        if (!path_matches(route->path, path, parameter))
            continue;
        *allowed |= route->method;
        if (route->method == HTTP_METHOD_GET)
            *allowed |= HTTP_METHOD_HEAD;
        if (route->method == method ||
            (route->method == HTTP_METHOD_GET && method == HTTP_METHOD_HEAD))
            found = route;
    }
    return found;
}

static void add_allow(const struct api *api, struct http_request *request, unsigned allowed)
{
    static const struct {
        enum http_method method;
        const char *name;
    } names[] = {
        {HTTP_METHOD_DELETE, "DELETE, "}, {HTTP_METHOD_GET, "GET, "},
        {HTTP_METHOD_HEAD, "HEAD, "},     {HTTP_METHOD_PATCH, "PATCH, "},
        {HTTP_METHOD_POST, "POST, "},     {HTTP_METHOD_PUT, "PUT, "},
    };
    struct buf list;

    buf_init(&list, 128);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (allowed & names[i].method)
            buf_str(&list, names[i].name);
    }
    buf_str(&list, "OPTIONS");
    assert(!list.failed);
    http_reply_header(request, "Allow", list.data);
    if (http_request_method(request) == HTTP_METHOD_OPTIONS)
        cors_allow(api->core.sites, request, list.data);
    buf_finish(&list);
}

/* No route has the path, but the web client may. False: it is not one of its files. */
static bool answer_page(const struct api *api, struct http_request *request, unsigned *allowed)
{
    const unsigned methods = HTTP_METHOD_GET | HTTP_METHOD_HEAD;
    struct slice path = slice_str(http_request_path(request));

    if (!api->pages || *allowed != 0 || !pages_have(api->pages, path))
        return false;
    *allowed = methods;
    if (!(http_request_method(request) & methods))
        return false;
    pages_answer(api->pages, path, sites_sources(api->core.sites), request);
    return true;
}

/* Nothing takes the request: says what the path has, if anything. */
static void answer_no_route(const struct api *api, struct http_request *request, unsigned allowed)
{
    if (allowed == 0) {
        http_problem(request, 0, CODE_NOT_FOUND, "there is nothing at this path");
        return;
    }
    add_allow(api, request, allowed);
    if (http_request_method(request) == HTTP_METHOD_OPTIONS)
        http_reply(request, 204, NULL, NULL);
    else
        http_problem(request, 405, CODE_INVALID, "this path does not have this method");
}

/* The token after "Bearer ", or an empty slice. */
static struct slice bearer_token(struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_request_header(request, "Authorization");

    if (!value || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return slice_of("", 0);
    return slice_str(value + sizeof scheme - 1);
}

/* False after answering: the token is good, but its login may have ended. */
static bool login_is_alive(struct call *c)
{
    switch (revocations_judge(c->core->revocations, slice_str(c->claims.session))) {
    case REVOCATION_NONE:
        return true;
    case REVOCATION_ENDED:
        http_reply_header(c->request, "WWW-Authenticate",
                          "Bearer realm=\"banter\", error=\"invalid_token\"");
        http_problem(c->request, 0, CODE_UNAUTHORIZED, "this login has ended");
        return false;
    case REVOCATION_UNKNOWN:
        call_refuse(c, CODE_UNAVAILABLE, "the server is starting, try again in a moment");
        return false;
    }
    return false;
}

/* RFC 6750 section 3. False after answering 401. */
static bool authenticate(struct call *c)
{
    struct slice token = bearer_token(c->request);
    enum jwt_status status;

    if (token.length == 0) {
        call_refuse(c, CODE_UNAUTHORIZED, "this needs an access token: Authorization: Bearer …");
        return false;
    }
    status = keys_verify(c->core->keys, token, &c->claims);
    if (status != JWT_OK) {
        http_reply_header(c->request, "WWW-Authenticate",
                          "Bearer realm=\"banter\", error=\"invalid_token\"");
        http_problem(c->request, 0, CODE_UNAUTHORIZED,
                     status == JWT_EXPIRED ? "the access token has expired"
                                           : "the access token is not valid");
        return false;
    }
    if (!login_is_alive(c))
        return false;
    c->actor = (struct actor){.uid = c->claims.uid,
                              .handle = slice_str(c->claims.handle),
                              .login = slice_str(c->claims.session),
                              .address = http_request_address(c->request)};
    http_request_note_user(c->request, c->actor.handle);
    return true;
}

/* False after answering. */
static bool is_operator(struct call *c)
{
    struct slice key = slice_str(c->core->operator_key), given = bearer_token(c->request);

    if (key.length == 0) {
        call_refuse(c, CODE_NOT_FOUND, "there is no operator_key, so nobody is let in");
        return false;
    }
    if (given.length == key.length && CRYPTO_memcmp(given.data, key.data, key.length) == 0)
        return true;
    call_refuse(c, CODE_UNAUTHORIZED, "this needs the operator_key: Authorization: Bearer …");
    return false;
}

/* False after answering 429. What no route takes counts, too. */
static bool address_may_ask(const struct api *api, struct http_request *request,
                            const struct route *route)
{
    uint64_t wait_ms = 0;

    if (!route || route->access != ROUTE_SUPERVISORS)
        wait_ms =
            rates_address(api->core.rates, http_request_address(request), clock_monotonic_ms());
    if (wait_ms > 0)
        call_refuse_limited(request, wait_ms, "too many requests from your address");
    return wait_ms == 0;
}

/* The same. */
static bool user_may_ask(struct call *c)
{
    uint64_t wait_ms = rates_user(c->core->rates, c->actor.uid, clock_monotonic_ms());

    if (wait_ms > 0)
        call_refuse_limited(c->request, wait_ms, "too many requests of this user");
    return wait_ms == 0;
}

static bool is_for_users(const struct route *route)
{
    return route->access == ROUTE_USERS || route->access == ROUTE_USERS_BYTES;
}

/* "application/json", with parameters or without. A body without a type is taken for it. */
static bool type_is_json(const char *type)
{
    static const char json[] = "application/json";

    return !type ||
           (strncasecmp(type, json, sizeof json - 1) == 0 && strchr("; \t", type[sizeof json - 1]));
}

/* False after answering. */
static bool body_is_acceptable(struct http_request *request, const struct route *route)
{
    struct slice body = http_request_body(request);

    if (body.length == 0)
        return true;
    if (body.length > route->body_max) {
        http_problem(request, 0, CODE_TOO_LARGE, "the body is too large");
        return false;
    }
    if (route->access != ROUTE_USERS_BYTES &&
        !type_is_json(http_request_header(request, "Content-Type"))) {
        http_problem(request, 415, CODE_INVALID, "the body must be JSON: application/json");
        return false;
    }
    return true;
}

void route_request(const struct route_table *table, const struct api *api,
                   struct http_request *request)
{
    char parameter[CALL_PARAMETER_MAX_BYTES + 1] = "";
    unsigned allowed;
    const struct route *route = find_route(table, http_request_path(request),
                                           http_request_method(request), &allowed, parameter);
    struct call *c;

    if (route)
        http_request_note_route(request, route->path, route->access != ROUTE_SUPERVISORS);
    if (!address_may_ask(api, request, route))
        return;
    if (!route) {
        if (table != &public_routes || !answer_page(api, request, &allowed))
            answer_no_route(api, request, allowed);
        return;
    }
    if (!http_request_query_is_clear(request)) {
        http_problem(request, 0, CODE_INVALID, "the query is malformed or has a name twice");
        return;
    }
    c = http_request_memory(request, sizeof *c);
    c->api = api;
    c->core = &api->core;
    c->request = request;
    memcpy(c->parameter, parameter, sizeof parameter);
    if (is_for_users(route) && (!authenticate(c) || !user_may_ask(c)))
        return;
    if (route->access == ROUTE_OPERATORS && !is_operator(c))
        return;
    if (body_is_acceptable(request, route))
        route->handle(c);
}
