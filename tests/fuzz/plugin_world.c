/* SPDX-License-Identifier: MIT */
/* plugin_world.c - see plugin_world.h. Implements the plugin's broker.h. */
#include "fuzz/plugin_world.h"

#include "fuzz/fuzz.h"

#include "acl.h"
#include "base/hash.h"
#include "broker.h"
#include "ingest.h"
#include "token/jwt.h"
#include "wire/names.h"
#include "wire/topic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define KEY "0123456789abcdef0123456789abcdef"
#define ISSUER "https://chat.example"
#define AUDIENCE "banter"
#define LOGIN "018f3b2e-7c1d-7abc-9def-0123456789ab"

enum { SETTLE_TURNS = 64, RECEIVE_BYTES = 1 << 16, TOKEN_LIFE_S = 1 << 30 };

static const char *const handles[WORLD_USERS] = {"alice", "bob", "carol", "dave"};
static const char *const devices[WORLD_DEVICES] = {"phone", "web"};

static struct world *current; /* whose plugin is calling */

static struct {
    char directory[32], socket[64], key[64], jwks[64];
    char tokens[WORLD_USERS][TOKEN_MAX_LENGTH + 1];
    int listener;
} place;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    must(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void write_tokens(void)
{
    struct jwt_signer *signer = jwt_signer_generate();
    struct jwt_claims claims = {.session = LOGIN, .issued_at = time(NULL) - 100};
    struct buf b;

    must(signer != NULL);
    claims.not_before = claims.issued_at;
    claims.expires_at = claims.issued_at + TOKEN_LIFE_S;
    buf_init(&b, TOKEN_MAX_LENGTH);
    for (unsigned i = 0; i < WORLD_USERS; i++) {
        claims.uid = i + 1;
        snprintf(claims.handle, sizeof claims.handle, "%s", handles[i]);
        buf_reset(&b);
        must(jwt_sign(signer, &claims, ISSUER, AUDIENCE, &b));
        memcpy(place.tokens[i], b.data, b.length + 1);
    }
    buf_reset(&b);
    buf_str(&b, "{\"keys\":[");
    jwt_signer_write_jwk(signer, &b);
    buf_str(&b, "]}");
    write_file(place.jwks, b.data);
    buf_finish(&b);
    jwt_signer_destroy(signer);
}

static void remove_place(void)
{
    close(place.listener);
    unlink(place.socket);
    unlink(place.key);
    unlink(place.jwks);
    rmdir(place.directory);
}

static void make_place(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(place.directory, sizeof place.directory, "/tmp/banter-fuzz-XXXXXX");
    must(mkdtemp(place.directory) != NULL);
    snprintf(place.socket, sizeof place.socket, "%s/link", place.directory);
    snprintf(place.key, sizeof place.key, "%s/key", place.directory);
    snprintf(place.jwks, sizeof place.jwks, "%s/jwks", place.directory);
    write_file(place.key, KEY);
    write_tokens();
    snprintf(address.sun_path, sizeof address.sun_path, "%s", place.socket);
    place.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(place.listener >= 0);
    must(bind(place.listener, (struct sockaddr *)&address, sizeof address) == 0);
    must(listen(place.listener, 4) == 0);
    atexit(remove_place);
}

/* ---- the broker */

/* The newest connection with this id: of two that are connected, the one that is connecting. */
static struct world_connection *receiver(struct world *w, const char *client_id)
{
    if (w->connecting && strcmp(w->connecting->client_id, client_id) == 0)
        return w->connecting;
    for (size_t i = 0; i < WORLD_CONNECTIONS; i++) {
        struct world_connection *c = &w->connections[i];

        if (c->connected && strcmp(c->client_id, client_id) == 0)
            return c;
    }
    return NULL;
}

/* Each entry once, in order, to who may see it, and not back to the device that sent it. */
static void check_entry(const struct world *w, struct world_connection *to, struct slice topic,
                        struct slice payload)
{
    struct uuid id;
    unsigned at = 0;
    int64_t seq = 0;
    const struct world_conversation *c;
    const struct world_entry *entry;

    must(uuid_parse(&id, slice_of(topic.data + 5, UUID_TEXT_LENGTH)));
    while (at < WORLD_CONVERSATIONS && !uuid_equal(&w->conversations[at].id, &id))
        at++;
    must(at < WORLD_CONVERSATIONS && payload.length == sizeof seq);
    c = &w->conversations[at];
    memcpy(&seq, payload.data, sizeof seq);
    must(seq > to->seen[at] && seq <= c->head);
    must(c->roles[to->user] != ROLE_NONE || seq <= c->removed_at[to->user]);
    entry = &c->log[seq - 1];
    must(entry->user != to->user || entry->device != to->device);
    to->seen[at] = seq;
}

bool broker_publish(const char *client_id, const char *topic, struct slice payload,
                    struct slice correlation)
{
    struct slice t = slice_str(topic);
    struct world_connection *to = receiver(current, client_id);

    must(to != NULL && correlation.length <= CORRELATION_MAX_LENGTH);
    must(t.length > 0 && t.length <= RESPONSE_TOPIC_MAX_LENGTH && !strpbrk(topic, "+#"));
    if (!current->wild && t.length == TOPIC_CHAT_LENGTH && memcmp(topic, "chat/", 5) == 0)
        check_entry(current, to, t, payload);
    return true;
}

void broker_kick(const char *client_id)
{
    struct world_connection *c = receiver(current, client_id);

    must(c != NULL);
    c->connected = false;
    core_disconnected(current->core, c);
}

void broker_log(enum broker_log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

void world_disconnect(struct world *w, struct world_connection *connection)
{
    connection->connected = false;
    core_disconnected(w->core, connection);
    core_disconnected(w->core, connection); /* 2.1 tells it twice */
}

void world_connect(struct world *w, struct world_connection *connection)
{
    struct world_connection *older;
    bool ok;

    if (connection->connected)
        world_disconnect(w, connection);
    older = receiver(w, connection->client_id);
    memset(connection->seen, 0, sizeof connection->seen);
    w->connecting = connection;
    ok = auth_check(w->core, connection, connection->client_id, handles[connection->user],
                    place.tokens[connection->user]);
    if (ok && older)
        world_disconnect(w, older);
    w->connecting = NULL;
    connection->connected = ok;
}

static uint64_t hash_draft(uint64_t uid, struct slice device, struct slice target,
                           struct slice payload)
{
    return hash_u64(uid) ^ hash_bytes(device.data, device.length) * 3 ^
           hash_bytes(target.data, target.length) * 5 ^ hash_bytes(payload.data, payload.length);
}

/* Whether the plugin, which knows everything, may take this. */
static bool may_post(const struct world *w, const struct world_connection *connection,
                     const struct publish_topic *topic)
{
    const struct user *u = sessions_find_user(&w->core->sessions, connection->user + 1);

    if (w->wild || topic->kind != PUBLISH_DRAFT || !user_is_known(u))
        return true;
    for (size_t i = 0; i < WORLD_CONVERSATIONS; i++) {
        const struct world_conversation *c = &w->conversations[i];

        if (uuid_equal(&c->id, &topic->conversation))
            return c->kind == CONVERSATION_DIRECT || c->roles[connection->user] >= ROLE_MEMBER ||
                   (c->kind == CONVERSATION_CHANNEL && c->roles[connection->user] == ROLE_READER);
    }
    return topic->conversation.bytes[6] >> 4 == 8; /* it could be a direct one */
}

void world_publish(struct world *w, struct world_connection *connection, struct slice topic,
                   struct slice payload, int qos, bool retain)
{
    const struct acl_publish p = {connection, connection->client_id, topic, payload, qos, retain};
    struct session *session = sessions_find(&w->core->sessions, connection, connection->client_id);
    struct publish_topic parsed = topic_parse_publish(topic);
    uint64_t before = ring_next_number(&w->core->ring);
    bool allowed, accepted;

    must((session != NULL) == connection->connected);
    allowed = acl_may_publish(w->core, &p);
    must(!allowed || (session && qos <= 1 && !retain && parsed.kind != PUBLISH_REFUSED));
    if (!allowed || parsed.kind == PUBLISH_CONTROL)
        return;
    accepted = ingest_message(w->core, session, topic, payload) == INGEST_TAKEN;
    if (!accepted || (parsed.kind != PUBLISH_DRAFT && parsed.kind != PUBLISH_DRAFT_TO_USER)) {
        must(ring_next_number(&w->core->ring) == before);
        return;
    }
    must(ring_next_number(&w->core->ring) == before + 1 && before == w->accepted + 1);
    must(may_post(w, connection, &parsed));
    w->accepted++;
    w->drafts[w->accepted % WORLD_DRAFTS_MAX] =
        hash_draft(connection->user + 1, slice_str(devices[connection->device]),
                   slice_of(topic.data + 5, topic.length - 5), payload);
}

/* ---- the bridge */

static void close_bridge(struct world *w)
{
    if (w->bridge >= 0)
        close(w->bridge);
    w->bridge = -1;
    w->greeted = false;
    buf_reset(&w->in);
    buf_reset(&w->out);
}

/* The plugin may have closed its end, or opened a new one. */
static void follow_link(struct world *w)
{
    int fd;

    if (w->core->link.state == LINK_DOWN)
        close_bridge(w);
    else if (w->bridge < 0) {
        while ((fd = accept(place.listener, NULL, NULL)) >= 0) {
            close_bridge(w); /* one that the plugin has given up */
            w->bridge = fd;
        }
        must(w->bridge >= 0 && fcntl(w->bridge, F_SETFL, O_NONBLOCK) == 0);
        w->next = 0;
    }
}

void world_tick(struct world *w)
{
    core_tick(w->core);
    follow_link(w);
}

void world_link(struct world *w, bool there)
{
    w->core->link.retry_ms = there ? 0 : UINT64_MAX;
    if (!there)
        close_bridge(w);
    world_tick(w);
}

void world_say(struct world *w)
{
    must(!w->out.failed);
    while (w->bridge >= 0 && w->out.length > 0) {
        ssize_t n = send(w->bridge, w->out.data, w->out.length, MSG_NOSIGNAL);

        must(n > 0 || errno == EPIPE || errno == EAGAIN || errno == ECONNRESET);
        if (n > 0)
            buf_consume(&w->out, (size_t)n);
        core_bell(w->core);
        follow_link(w);
        world_tick(w);
    }
    buf_reset(&w->out);
    for (unsigned i = 0; i < SETTLE_TURNS && w->core->link.unread; i++)
        world_tick(w);
}

static void answer_attach(struct world *w, struct slice body)
{
    struct attached_conversation items[WORLD_CONVERSATIONS];
    struct frame_attach f;
    uint32_t count = 0;

    must(frame_read_attach(body, &f) && f.uid >= 1 && f.uid <= WORLD_USERS);
    for (size_t i = 0; i < WORLD_CONVERSATIONS; i++) {
        const struct world_conversation *c = &w->conversations[i];

        if (c->roles[f.uid - 1] != ROLE_NONE)
            items[count++] =
                (struct attached_conversation){c->id, c->kind, c->roles[f.uid - 1], c->head, 0};
    }
    frame_write_attached(&w->out, f.uid, true, items, count);
}

/* Drafts come in order, all of them again after a reconnect, and as they were published. */
static void take_draft(struct world *w, struct slice body)
{
    struct frame_draft f;

    must(frame_read_draft(body, &f));
    must(f.number <= w->accepted && f.number <= w->received + 1);
    must(w->next == 0 ? f.number <= w->core->ring.confirmed + 1 : f.number == w->next);
    must(hash_draft(f.uid, f.device, f.target, f.payload) ==
         w->drafts[f.number % WORLD_DRAFTS_MAX]);
    w->next = f.number + 1;
    if (f.number > w->received)
        w->received = f.number;
}

static void put_entry(struct world *w, const struct world_conversation *c, int64_t seq)
{
    struct frame_entry f = {.conversation = c->id,
                            .seq = seq,
                            .sender = c->log[seq - 1].user + 1,
                            .sender_device = slice_str(devices[c->log[seq - 1].device]),
                            .payload = slice_of((const char *)&seq, sizeof seq)};

    frame_write_entry(&w->out, &f);
}

static void answer_fill(struct world *w, struct slice body)
{
    struct frame_fill f;

    must(frame_read_fill(body, &f));
    for (size_t i = 0; i < WORLD_CONVERSATIONS; i++) {
        const struct world_conversation *c = &w->conversations[i];

        if (!uuid_equal(&c->id, &f.conversation))
            continue;
        for (int64_t seq = f.after < 0 ? 1 : f.after + 1; seq <= c->head; seq++)
            put_entry(w, c, seq);
        frame_write_filled(&w->out, &(struct frame_filled){c->id, c->head, false});
    }
}

static void answer_watch(struct world *w, struct slice body)
{
    struct frame_watch f;
    uint64_t target = 0;

    must(frame_read_watch(body, &f));
    for (unsigned i = 0; i < WORLD_USERS; i++) {
        if (slice_equal(f.target, slice_str(handles[i])))
            target = i + 1;
    }
    frame_write_watched(&w->out, &(struct frame_watched){.number = f.number,
                                                         .uid = f.uid,
                                                         .device = f.device,
                                                         .target = f.target,
                                                         .target_uid = target,
                                                         .allowed = target > 0,
                                                         .payload = slice_str("online")});
}

/* The answer to a command or a sync, as the plugin is told where it goes. */
static void answer_request(struct world *w, struct slice body)
{
    struct frame_request f;

    must(frame_read_request(body, &f));
    must(f.response_topic.length == 0 || topic_is_valid_response(f.response_topic));
    frame_write_device(&w->out, &(struct frame_device){.uid = f.uid,
                                                       .device = f.device,
                                                       .topic = f.response_topic.length > 0
                                                                    ? f.response_topic
                                                                    : slice_str(TOPIC_SYNC),
                                                       .correlation = f.correlation,
                                                       .answers = f.number,
                                                       .payload = slice_str("{}")});
}

static void answer_hello(struct world *w, struct slice body)
{
    struct frame_hello f;

    must(!w->greeted && frame_read_hello(body, &f) && slice_equal(f.key, slice_str(KEY)));
    w->greeted = true;
    frame_write_welcome(&w->out, &(struct frame_welcome){LINK_VERSION, slice_str("node-1"), true});
}

static void answer(struct world *w, const struct frame *f)
{
    must(w->greeted == (f->type != FRAME_HELLO));
    switch (f->type) {
    case FRAME_HELLO:
        answer_hello(w, f->body);
        break;
    case FRAME_ATTACH:
        answer_attach(w, f->body);
        break;
    case FRAME_DRAFT:
        take_draft(w, f->body);
        break;
    case FRAME_FILL:
        answer_fill(w, f->body);
        break;
    case FRAME_WATCH:
        answer_watch(w, f->body);
        break;
    case FRAME_REQUEST:
        answer_request(w, f->body);
        break;
    default:
        must(f->type < FRAME_WELCOME);
        break;
    }
}

static void receive(struct world *w)
{
    char *to;
    ssize_t n;

    while (w->bridge >= 0) {
        to = buf_reserve(&w->in, RECEIVE_BYTES);
        must(to != NULL);
        n = recv(w->bridge, to, RECEIVE_BYTES, 0);
        if (n <= 0)
            return;
        w->in.length += (size_t)n;
    }
}

void world_serve(struct world *w)
{
    size_t taken = 0, used;
    struct frame f;

    world_tick(w);
    receive(w);
    while (taken < w->in.length) {
        enum frame_status status =
            frame_next(slice_of(w->in.data + taken, w->in.length - taken), &f, &used);

        must(status != FRAME_BAD);
        if (status == FRAME_PARTIAL)
            break;
        answer(w, &f);
        taken += used;
    }
    buf_consume(&w->in, taken);
    if (w->greeted && w->in.length == 0 && link_is_up(&w->core->link) &&
        ring_unsent(&w->core->ring) == 0)
        must(w->received == w->accepted); /* what an earlier connection lost has come again */
    world_say(w);
}

/* Whether news reaches the plugin; if not, it learns it from the next ATTACHED. */
static bool is_linked(const struct world *w)
{
    return w->bridge >= 0 && link_is_up(&w->core->link);
}

void world_post(struct world *w, struct world_conversation *conversation, unsigned user,
                unsigned device, bool told)
{
    if (conversation->head == WORLD_LOG_MAX)
        return;
    conversation->log[conversation->head++] = (struct world_entry){user, device};
    if (!told || !is_linked(w))
        return;
    put_entry(w, conversation, conversation->head);
    world_say(w);
}

void world_set_role(struct world *w, struct world_conversation *conversation, unsigned user,
                    enum role role)
{
    const struct frame_member f = {conversation->id, conversation->kind, user + 1, role,
                                   conversation->head};

    if (is_linked(w)) {
        frame_write_member(&w->out, &f);
        world_say(w);
    }
    if (role == ROLE_NONE && conversation->roles[user] != ROLE_NONE)
        conversation->removed_at[user] = conversation->head;
    conversation->roles[user] = role;
}

/* ---- beginning and end */

static void lay_out(struct world *w)
{
    static const enum conversation_kind kinds[WORLD_CONVERSATIONS] = {
        CONVERSATION_GROUP, CONVERSATION_GROUP, CONVERSATION_CHANNEL, CONVERSATION_DIRECT};

    for (unsigned i = 0; i < WORLD_CONNECTIONS; i++) {
        struct world_connection *c = &w->connections[i];

        c->user = i % WORLD_USERS;
        c->device = i / WORLD_USERS % WORLD_DEVICES;
        snprintf(c->client_id, sizeof c->client_id, "%s/%s", handles[c->user], devices[c->device]);
    }
    for (unsigned i = 0; i < WORLD_CONVERSATIONS; i++) {
        struct world_conversation *c = &w->conversations[i];

        c->id = (struct uuid){{[0] = (uint8_t)(i + 1), [6] = 0x70, [8] = 0x80}};
        c->kind = kinds[i];
        if (c->kind == CONVERSATION_DIRECT)
            c->id = direct_conversation_id(slice_str(handles[0]), slice_str(handles[1]));
    }
    w->conversations[0].roles[0] = w->conversations[0].roles[1] = ROLE_MEMBER;
    w->conversations[2].roles[2] = ROLE_READER;
    w->conversations[3].roles[0] = w->conversations[3].roles[1] = ROLE_MEMBER;
}

static void set_option(struct options *o, const char *key, const char *value)
{
    char error[OPTIONS_ERROR_MAX];

    must(options_set(o, key, value, error));
}

void world_start(struct world *w, bool wild)
{
    struct options o;

    if (!place.directory[0])
        make_place();
    memset(w, 0, sizeof *w);
    current = w;
    w->bridge = -1;
    w->wild = wild;
    buf_init(&w->in, 64 << 20);
    buf_init(&w->out, 64 << 20);
    lay_out(w);
    options_init(&o);
    set_option(&o, "link_socket", place.socket);
    set_option(&o, "link_key_file", place.key);
    set_option(&o, "jwks_file", place.jwks);
    set_option(&o, "issuer", ISSUER);
    set_option(&o, "audience", AUDIENCE);
    set_option(&o, "ring_bytes", "8388608");
    w->core = core_create(&o);
    must(w->core != NULL);
    w->core->link.retry_ms = UINT64_MAX;
}

void world_stop(struct world *w)
{
    core_destroy(w->core);
    close_bridge(w);
    buf_finish(&w->in);
    buf_finish(&w->out);
}
