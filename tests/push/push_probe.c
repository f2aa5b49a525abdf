/* SPDX-License-Identifier: MIT */
/* push_probe.c - drives the senders from outside: JSON lines in, JSON lines out, so that tests in
 * any language can play the providers.
 *
 * First line: the configuration. Then {"send":…,"target":…,"notification":…}, answered by one line
 * with the same "send"; {"problem":…,"target":…}; {"stats":"fcm"}. It ends, with everything taken
 * apart, when the input has ended and all is told; {"stop":true} makes it end at once. */
#include "base/buf.h"
#include "base/log.h"
#include "push/push.h"
#include "wire/json.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct probe {
    struct event_base *base;
    struct bufferevent *input;
    struct push_senders *senders; /* NULL until the configuration has come */
    unsigned open;                /* sent and not told */
    bool ended;                   /* the input has */
    bool failed;
};

struct errand {
    struct probe *probe;
    char *name;
};

static const char *const outcomes[] = {
    [PUSH_SENT] = "sent",
    [PUSH_GONE] = "gone",
    [PUSH_RETRY] = "retry",
    [PUSH_FAILED] = "failed",
};

static void fail(struct probe *p, const char *what)
{
    fprintf(stderr, "push_probe: %s\n", what);
    p->failed = true;
    event_base_loopbreak(p->base);
}

static void put_string(struct buf *b, const char *name, const char *value)
{
    buf_json_key(b, name);
    buf_json(b, slice_str(value));
}

static void say(struct buf *line)
{
    buf_char(line, '\n');
    fputs(line->data, stdout);
    fflush(stdout);
    buf_finish(line);
}

static void leave_if_done(struct probe *p)
{
    if (p->ended && p->open == 0)
        event_base_loopbreak(p->base);
}

static void on_done(void *owner, const struct push_result *result)
{
    struct errand *e = owner;
    struct buf line;

    buf_init(&line, 4096);
    buf_char(&line, '{');
    put_string(&line, "send", e->name);
    put_string(&line, "outcome", outcomes[result->outcome]);
    put_string(&line, "reason", push_reason_name(result->reason));
    buf_printf(&line, ",\"status\":%u,\"retry_after_ms\":%lld}", result->status,
               (long long)result->retry_after_ms);
    say(&line);
    e->probe->open--;
    leave_if_done(e->probe);
    free(e->name);
    free(e);
}

static bool read_target(const json_t *from, struct push_target *target)
{
    *target = (struct push_target){
        .address = json_member_string(from, "address"),
        .topic = json_member_string(from, "topic"),
        .p256dh = json_member_string(from, "p256dh"),
        .auth = json_member_string(from, "auth"),
        .secret = json_member_string(from, "secret"),
    };
    return push_provider_parse(json_member_string(from, "provider"), &target->provider);
}

static enum push_urgency urgency_of(struct slice name)
{
    if (slice_equal(name, slice_str("high")))
        return PUSH_URGENCY_HIGH;
    return slice_equal(name, slice_str("low")) ? PUSH_URGENCY_LOW : PUSH_URGENCY_NORMAL;
}

static void read_notification(const json_t *from, struct push_notification *n)
{
    const json_t *badge = json_object_get(from, "badge");

    *n = (struct push_notification){
        .seq = (uint64_t)json_integer_value(json_object_get(from, "seq")),
        .title = json_member_string(from, "title"),
        .from = json_member_string(from, "from"),
        .to = json_member_string(from, "to"),
        .text = json_member_string(from, "text"),
        .without_text = json_is_true(json_object_get(from, "without_text")),
        .badge = badge ? (int)json_integer_value(badge) : PUSH_NO_BADGE,
        .ttl_s = (unsigned)json_integer_value(json_object_get(from, "ttl_s")),
        .urgency = urgency_of(json_member_string(from, "urgency")),
        .collapse_key = json_member_string(from, "collapse_key"),
    };
    if (!uuid_parse(&n->conversation, json_member_string(from, "conversation")))
        n->conversation = (struct uuid){{0}};
}

static void refuse(const char *name, enum push_acceptance acceptance)
{
    struct buf line;

    buf_init(&line, 4096);
    buf_char(&line, '{');
    put_string(&line, "send", name);
    put_string(&line, "outcome", acceptance == PUSH_BUSY ? "busy" : "unavailable");
    buf_char(&line, '}');
    say(&line);
}

static void send_one(struct probe *p, const json_t *order)
{
    struct push_notification notification;
    struct push_target target;
    enum push_acceptance acceptance;
    struct errand *e;

    if (!read_target(json_object_get(order, "target"), &target)) {
        fail(p, "no such provider");
        return;
    }
    read_notification(json_object_get(order, "notification"), &notification);
    e = calloc(1, sizeof *e);
    if (!e)
        abort();
    e->probe = p;
    e->name = strdup(json_string_value(json_object_get(order, "send")));
    acceptance = push_send(p->senders, &target, &notification, on_done, e);
    if (acceptance == PUSH_ACCEPTED) {
        p->open++;
        return;
    }
    refuse(e->name, acceptance);
    free(e->name);
    free(e);
}

static void tell_problem(struct probe *p, const json_t *order)
{
    struct push_target target;
    const char *problem;
    struct buf line;

    if (!read_target(json_object_get(order, "target"), &target)) {
        fail(p, "no such provider");
        return;
    }
    problem = push_target_problem(p->senders, &target);
    buf_init(&line, 4096);
    buf_char(&line, '{');
    put_string(&line, "problem", problem ? problem : "");
    buf_char(&line, '}');
    say(&line);
}

static void put_reasons(struct buf *line, const struct push_stats *stats)
{
    buf_json_key(line, "reasons");
    buf_char(line, '{');
    for (unsigned i = 0; i < PUSH_REASON_COUNT; i++) {
        if (stats->by_reason[i] > 0) {
            buf_json_key(line, push_reason_name(i));
            buf_u64(line, stats->by_reason[i]);
        }
    }
    buf_char(line, '}');
}

static void tell_stats(struct probe *p, const json_t *order)
{
    enum push_provider provider;
    struct push_stats stats;
    uint64_t answered = 0;
    struct buf line;

    if (!push_provider_parse(json_member_string(order, "stats"), &provider)) {
        fail(p, "no such provider");
        return;
    }
    push_get_stats(p->senders, provider, &stats);
    for (unsigned i = 0; i < PUSH_LATENCY_BUCKETS; i++)
        answered += stats.latency[i];
    buf_init(&line, 4096);
    buf_char(&line, '{');
    put_string(&line, "stats", push_provider_name(provider));
    buf_printf(&line,
               ",\"in_flight\":%llu,\"sent\":%llu,\"gone\":%llu,\"retried\":%llu,\"failed\":%llu,"
               "\"busy\":%llu,\"answered\":%llu",
               (unsigned long long)stats.in_flight, (unsigned long long)stats.sent,
               (unsigned long long)stats.gone, (unsigned long long)stats.retried,
               (unsigned long long)stats.failed, (unsigned long long)stats.busy,
               (unsigned long long)answered);
    put_reasons(&line, &stats);
    buf_char(&line, '}');
    say(&line);
}

static void configure(struct probe *p, const json_t *from)
{
    const char *key = NULL;
    const struct push_config config = {
        .ca_file = json_string_value(json_object_get(from, "ca_file")),
        .allow_private = json_is_true(json_object_get(from, "allow_private")),
        .in_flight_max = (unsigned)json_integer_value(json_object_get(from, "in_flight_max")),
        .timeout_ms = (unsigned)json_integer_value(json_object_get(from, "timeout_ms")),
        .fcm_account = json_string_value(json_object_get(from, "fcm_account")),
        .fcm_url = json_string_value(json_object_get(from, "fcm_url")),
        .fcm_token_url = json_string_value(json_object_get(from, "fcm_token_url")),
        .apns_key = json_string_value(json_object_get(from, "apns_key")),
        .apns_key_id = json_string_value(json_object_get(from, "apns_key_id")),
        .apns_team = json_string_value(json_object_get(from, "apns_team")),
        .apns_topic = json_string_value(json_object_get(from, "apns_topic")),
        .apns_url = json_string_value(json_object_get(from, "apns_url")),
        .vapid_key = json_string_value(json_object_get(from, "vapid_key")),
        .vapid_subject = json_string_value(json_object_get(from, "vapid_subject")),
        .webhooks = json_is_true(json_object_get(from, "webhooks")),
    };
    struct buf line;

    p->senders = push_senders_create(p->base, &config);
    if (!p->senders) {
        fail(p, "the senders refuse this configuration");
        return;
    }
    key = push_vapid_public_key(p->senders);
    buf_init(&line, 4096);
    buf_char(&line, '{');
    put_string(&line, "vapid_public_key", key ? key : "");
    buf_char(&line, '}');
    say(&line);
}

static void obey(struct probe *p, struct slice text)
{
    const char *why;
    json_t *order = json_read_object(text, &why);

    if (!order)
        fail(p, why);
    else if (!p->senders)
        configure(p, order);
    else if (json_object_get(order, "send"))
        send_one(p, order);
    else if (json_object_get(order, "problem"))
        tell_problem(p, order);
    else if (json_object_get(order, "stats"))
        tell_stats(p, order);
    else if (json_object_get(order, "stop"))
        event_base_loopbreak(p->base);
    else
        fail(p, "what is this order?");
    json_decref(order);
}

static void on_input(struct bufferevent *input, void *owner)
{
    struct probe *p = owner;
    size_t length;
    char *line;

    while (!event_base_got_break(p->base) &&
           (line = evbuffer_readln(bufferevent_get_input(input), &length, EVBUFFER_EOL_LF))) {
        obey(p, slice_of(line, length));
        free(line);
    }
}

static void on_end(struct bufferevent *input, short what, void *owner)
{
    struct probe *p = owner;

    (void)input;
    (void)what;
    p->ended = true;
    leave_if_done(p);
}

int main(void)
{
    struct probe p = {0};

    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_DEBUG);
    p.base = event_base_new();
    if (!p.base || evutil_make_socket_nonblocking(STDIN_FILENO) != 0)
        return EXIT_FAILURE;
    p.input = bufferevent_socket_new(p.base, STDIN_FILENO, 0);
    if (!p.input)
        return EXIT_FAILURE;
    bufferevent_setcb(p.input, on_input, NULL, on_end, &p);
    bufferevent_enable(p.input, EV_READ);
    event_base_dispatch(p.base);
    push_senders_destroy(p.senders);
    bufferevent_free(p.input);
    event_base_free(p.base);
    return p.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
