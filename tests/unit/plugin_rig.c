/* SPDX-License-Identifier: MIT */
/* plugin_rig.c - see plugin_rig.h. Implements the plugin's broker.h. */
#include "unit/unit.h"

#include "unit/plugin_rig.h"

#include "acl.h"
#include "broker.h"
#include "ingest.h"
#include "token/jwt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ISSUER "https://chat.example"
#define AUDIENCE "banter"
#define NODE "node-1"

struct rig_message *rig_messages;
size_t rig_message_count;
static size_t message_capacity;
char rig_kicked[16][CLIENT_ID_MAX_LENGTH + 1];
size_t rig_kick_count;
const void *rig_kick_client;
bool rig_publish_fails;

static struct rig *current; /* whose core a kick calls back into */

/* Fails only in tests that have memory run out. */
static bool make_room(void)
{
    size_t wanted = message_capacity ? 2 * message_capacity : 1024;
    struct rig_message *larger;

    if (rig_message_count < message_capacity)
        return true;
    larger = realloc(rig_messages, wanted * sizeof *rig_messages);
    if (!larger)
        return false;
    rig_messages = larger;
    message_capacity = wanted;
    return true;
}

bool broker_publish(const char *client_id, const char *topic, struct slice payload,
                    struct slice correlation)
{
    struct rig_message *m;

    if (rig_publish_fails || !make_room())
        return false;
    m = &rig_messages[rig_message_count];
    snprintf(m->client_id, sizeof m->client_id, "%s", client_id);
    snprintf(m->topic, sizeof m->topic, "%s", topic);
    m->payload = payload.length ? strndup(payload.data, payload.length) : strdup("");
    buf_init(&m->correlation, CORRELATION_MAX_LENGTH);
    buf_slice_put(&m->correlation, correlation);
    if (!m->payload || m->correlation.failed) {
        free(m->payload);
        buf_finish(&m->correlation);
        return false;
    }
    rig_message_count++;
    return true;
}

void broker_kick(const char *client_id)
{
    assert_true(rig_kick_count < ARRAY_LENGTH(rig_kicked));
    snprintf(rig_kicked[rig_kick_count++], sizeof rig_kicked[0], "%s", client_id);
    if (rig_kick_client)
        core_disconnected(current->core, rig_kick_client);
}

void broker_log(enum broker_log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

void rig_forget(void)
{
    for (size_t i = 0; i < rig_message_count; i++) {
        free(rig_messages[i].payload);
        buf_finish(&rig_messages[i].correlation);
    }
    free(rig_messages);
    rig_messages = NULL;
    rig_message_count = message_capacity = 0;
}

static bool matches(const struct rig_message *m, const char *client_id, const char *topic)
{
    return (!client_id || strcmp(m->client_id, client_id) == 0) && strcmp(m->topic, topic) == 0;
}

size_t rig_count(const char *client_id, const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < rig_message_count; i++)
        count += matches(&rig_messages[i], client_id, topic);
    return count;
}

const struct rig_message *rig_last(const char *client_id, const char *topic)
{
    for (size_t i = rig_message_count; i > 0; i--) {
        if (matches(&rig_messages[i - 1], client_id, topic))
            return &rig_messages[i - 1];
    }
    return NULL;
}

bool rig_last_has(const char *client_id, const char *topic, const char *text)
{
    const struct rig_message *m = rig_last(client_id, topic);

    return m && strstr(m->payload, text);
}

static void write_file(const struct rig *r, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", r->directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

void rig_publish_keys(const struct rig *r, const struct jwt_signer *first,
                      const struct jwt_signer *second)
{
    struct buf jwks;

    buf_init(&jwks, 4096);
    buf_str(&jwks, "{\"keys\":[");
    jwt_signer_write_jwk(first, &jwks);
    if (second) {
        buf_char(&jwks, ',');
        jwt_signer_write_jwk(second, &jwks);
    }
    buf_str(&jwks, "]}");
    assert_false(jwks.failed);
    rig_write_jwks(r, jwks.data);
    buf_finish(&jwks);
}

void rig_write_jwks(const struct rig *r, const char *text)
{
    write_file(r, "jwks.json", text);
}

static void write_keys(const struct rig *r)
{
    rig_publish_keys(r, r->signer, NULL);
    write_file(r, "key", RIG_KEY "\n");
}

static void set_option(struct options *o, const char *key, const char *value)
{
    char error[OPTIONS_ERROR_MAX];

    assert_true(options_set(o, key, value, error));
}

struct options rig_options(struct rig *r)
{
    struct options options;
    char path[128], error[OPTIONS_ERROR_MAX];

    options_init(&options);
    set_option(&options, "link_socket", r->socket);
    snprintf(path, sizeof path, "%s/key", r->directory);
    set_option(&options, "link_key_file", path);
    snprintf(path, sizeof path, "%s/jwks.json", r->directory);
    set_option(&options, "jwks_file", path);
    set_option(&options, "issuer", ISSUER);
    set_option(&options, "audience", AUDIENCE);
    set_option(&options, "ring_bytes", "8388608");
    set_option(&options, "rate_limits", "false");
    assert_true(options_are_complete(&options, error));
    return options;
}

void rig_limit(struct rig *r)
{
    rates_finish(&r->core->rates);
    r->core->options.rate_limits = true;
    assert_true(rates_init(&r->core->rates, &r->core->options));
}

static void listen_at(struct rig *r)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", r->socket);
    r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(r->listener >= 0);
    assert_int_equal(bind(r->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(r->listener, 4), 0);
}

void rig_start(struct rig *r)
{
    struct options options;

    *r = (struct rig){.bridge = -1, .directory = "/tmp/banter-plugin-XXXXXX"};
    current = r;
    rig_kick_count = 0;
    rig_kick_client = NULL;
    rig_publish_fails = false;
    assert_non_null(mkdtemp(r->directory));
    snprintf(r->socket, sizeof r->socket, "%s/link.sock", r->directory);
    r->signer = jwt_signer_generate();
    assert_non_null(r->signer);
    write_keys(r);
    listen_at(r);
    buf_init(&r->in, 64 << 20);
    options = rig_options(r);
    r->core = core_create(&options);
    assert_non_null(r->core);
}

void rig_stop(struct rig *r)
{
    static const char *const names[] = {"key", "jwks.json", "link.sock"};
    char path[128];

    core_destroy(r->core);
    if (r->bridge >= 0)
        close(r->bridge);
    close(r->listener);
    buf_finish(&r->in);
    jwt_signer_destroy(r->signer);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snprintf(path, sizeof path, "%s/%s", r->directory, names[i]);
        unlink(path);
    }
    rmdir(r->directory);
    rig_forget();
}

void rig_tick(struct rig *r)
{
    core_tick(r->core);
}

struct session *rig_open(struct rig *r, const void *client, uint64_t uid, const char *handle)
{
    struct session *session =
        sessions_open(&r->core->sessions, client, uid, slice_str(handle), slice_str("d"));

    assert_non_null(session);
    session->kid = r->core->auth.keys.kids[0];
    session->deadline_s = INT64_MAX;
    session->warned = true;
    return session;
}

static void receive_all(struct rig *r)
{
    char *to;
    ssize_t n;

    buf_consume(&r->in, r->in_taken);
    r->in_taken = 0;
    while (r->bridge >= 0) {
        to = buf_reserve(&r->in, 1 << 20);
        assert_non_null(to);
        n = recv(r->bridge, to, 1 << 20, 0);
        if (n <= 0)
            return;
        r->in.length += (size_t)n;
    }
}

bool rig_next_any(struct rig *r, struct frame *f)
{
    size_t used = 0;

    receive_all(r);
    if (r->in.length == r->in_taken ||
        frame_next(slice_of(r->in.data + r->in_taken, r->in.length - r->in_taken), f, &used) !=
            FRAME_WHOLE)
        return false;
    r->in_taken += used;
    return true;
}

bool rig_next(struct rig *r, enum frame_type type, struct slice *body)
{
    struct frame f;

    while (rig_next_any(r, &f)) {
        if (f.type == type) {
            *body = f.body;
            return true;
        }
    }
    return false;
}

void rig_link(struct rig *r, bool welcome)
{
    struct frame_welcome w = {LINK_VERSION, slice_str(NODE), r->interests};
    struct frame_hello hello;
    struct slice body;
    struct buf b;

    assert_int_equal(r->bridge, -1);
    r->core->link.retry_ms = 0;
    rig_tick(r);
    r->bridge = accept(r->listener, NULL, NULL);
    assert_true(r->bridge >= 0);
    assert_int_equal(fcntl(r->bridge, F_SETFL, O_NONBLOCK), 0);
    assert_true(rig_next(r, FRAME_HELLO, &body));
    assert_true(frame_read_hello(body, &hello));
    assert_true(slice_equal(hello.key, slice_str(RIG_KEY)));
    if (!welcome)
        return;
    buf_init(&b, 1024);
    frame_write_welcome(&b, &w);
    rig_send(r, &b);
    buf_finish(&b);
    assert_true(link_is_up(&r->core->link));
    rig_tick(r);
}

void rig_unlink(struct rig *r)
{
    close(r->bridge);
    r->bridge = -1;
    buf_reset(&r->in);
    r->in_taken = 0;
    r->core->link.retry_ms = UINT64_MAX; /* stays away until rig_link() */
    rig_tick(r);
    assert_false(link_is_up(&r->core->link));
}

void rig_put(struct rig *r, struct buf *b)
{
    ssize_t n = send(r->bridge, b->data, b->length, MSG_NOSIGNAL);

    assert_false(b->failed);
    if (n > 0)
        buf_consume(b, (size_t)n);
    else if (errno != EAGAIN)
        buf_reset(b);
}

void rig_send(struct rig *r, struct buf *b)
{
    while (b->length > 0) {
        rig_put(r, b);
        core_bell(r->core);
        if (r->core->link.unread)
            rig_tick(r); /* this turn had no more time */
    }
}

const char *rig_token(struct rig *r, uint64_t uid, const char *handle, const char *device,
                      int64_t ttl_s)
{
    static char token[TOKEN_MAX_LENGTH + 1];
    struct jwt_claims claims = {.uid = uid,
                                .session = "018f3b2e-7c1d-7abc-9def-0123456789ab",
                                .issued_at = time(NULL) - 100,
                                .not_before = time(NULL) - 100,
                                .expires_at = time(NULL) + ttl_s};
    struct buf b;

    snprintf(claims.handle, sizeof claims.handle, "%s", handle);
    snprintf(claims.device, sizeof claims.device, "%s", device ? device : "");
    buf_init(&b, TOKEN_MAX_LENGTH);
    assert_true(jwt_sign(r->signer, &claims, ISSUER, AUDIENCE, &b));
    snprintf(token, sizeof token, "%s", b.data);
    buf_finish(&b);
    return token;
}

bool rig_login(struct rig *r, const void *client, uint64_t uid, const char *handle,
               const char *device)
{
    char client_id[CLIENT_ID_MAX_LENGTH + 1];

    snprintf(client_id, sizeof client_id, "%s/%s", handle, device);
    return auth_check(r->core, client, client_id, handle, rig_token(r, uid, handle, NULL, 3600)) ==
           AUTH_GRANTED;
}

void rig_login_attached(struct rig *r, const void *client, uint64_t uid, const char *handle,
                        const char *device, const struct attached_conversation *items,
                        uint32_t count)
{
    assert_true(rig_login(r, client, uid, handle, device));
    rig_attached(r, uid, items, count, true);
}

bool rig_publish(struct rig *r, const void *client, const char *client_id, const char *topic,
                 const char *payload)
{
    struct acl_publish p = {.client = client,
                            .client_id = client_id,
                            .topic = slice_str(topic),
                            .payload = slice_str(payload),
                            .qos = 1};
    struct session *session = sessions_find(&r->core->sessions, client, client_id);

    return acl_may_publish(r->core, &p) && session &&
           ingest_message(r->core, session, p.topic, p.payload) == INGEST_TAKEN;
}

void rig_attached(struct rig *r, uint64_t uid, const struct attached_conversation *items,
                  uint32_t count, bool last)
{
    struct buf b;

    buf_init(&b, LINK_BODY_MAX);
    frame_write_attached(&b, uid, last, items, count);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_entry(struct rig *r, const struct uuid *conversation, int64_t seq, uint64_t sender,
               const char *device, const char *payload)
{
    struct frame_entry f = {*conversation, seq, sender, slice_str(device), slice_str(payload)};
    struct buf b;

    buf_init(&b, LINK_BODY_MAX);
    frame_write_entry(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_member(struct rig *r, const struct uuid *conversation, uint64_t uid, enum role role,
                int64_t last_seq)
{
    struct frame_member f = {*conversation, CONVERSATION_GROUP, uid, role, last_seq};
    struct buf b;

    buf_init(&b, 1024);
    frame_write_member(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_confirm(struct rig *r, uint64_t number)
{
    struct frame_confirm f = {number};
    struct buf b;

    buf_init(&b, 1024);
    frame_write_confirm(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_filled(struct rig *r, const struct uuid *conversation, int64_t upto, bool more)
{
    struct frame_filled f = {*conversation, upto, more};
    struct buf b;

    buf_init(&b, 1024);
    frame_write_filled(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_device(struct rig *r, uint64_t uid, const char *device, const char *payload)
{
    struct frame_device f = {.uid = uid,
                             .device = slice_str(device),
                             .topic = slice_str("me/receipt"),
                             .payload = slice_str(payload)};
    struct buf b;

    buf_init(&b, LINK_BODY_MAX);
    frame_write_device(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_barrier(struct rig *r, uint64_t number)
{
    struct frame_barrier f = {number};
    struct buf b;

    buf_init(&b, 1024);
    frame_write_barrier(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_presence(struct rig *r, uint64_t uid, const char *payload)
{
    struct frame_presence f = {uid, slice_str(payload), slice_str("own")};
    struct buf b;

    buf_init(&b, LINK_BODY_MAX);
    frame_write_presence(&b, &f);
    rig_send(r, &b);
    buf_finish(&b);
}

void rig_watched(struct rig *r, const struct frame_watched *f)
{
    struct buf b;

    buf_init(&b, LINK_BODY_MAX);
    frame_write_watched(&b, f);
    rig_send(r, &b);
    buf_finish(&b);
}

bool rig_subscribe(struct rig *r, const void *client, const char *client_id, const char *filter)
{
    return acl_may_subscribe(r->core, client, client_id, slice_str(filter));
}

struct uuid rig_uuid(unsigned n)
{
    struct uuid u = {{0}};

    memcpy(u.bytes, &n, sizeof n);
    u.bytes[6] = 0x70;
    u.bytes[8] = 0x80;
    return u;
}

struct attached_conversation rig_item(unsigned n, int64_t last_seq)
{
    return (struct attached_conversation){rig_uuid(n), CONVERSATION_GROUP, ROLE_MEMBER, last_seq,
                                          0};
}
