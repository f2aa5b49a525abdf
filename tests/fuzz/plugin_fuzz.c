/* SPDX-License-Identifier: MIT */
/* plugin_fuzz.c - the plugin in any order of events: connections that come, go and take each other
 * over, publish and subscribe whatever they like; a bridge that comes, goes and tells what happens,
 * or says anything at all. What has to hold is in plugin_world.c.
 *
 * The first byte says whether the bridge is honest. Then each event is a byte that chooses it, a
 * byte that chooses whom it concerns, and what else it takes. */
#include "fuzz/fuzz.h"
#include "fuzz/plugin_world.h"

#include "acl.h"
#include "requests.h"
#include "wire/names.h"

#include <stdio.h>

enum { EVENTS_MAX = 300 };

struct input {
    const uint8_t *at, *end;
};

static uint8_t take(struct input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

/* As many bytes as the next one says, or all that are left. */
static struct slice take_slice(struct input *in)
{
    size_t length = take(in), left = (size_t)(in->end - in->at);
    struct slice s;

    if (length > left)
        length = left;
    s = slice_of((const char *)in->at, length);
    in->at += length;
    return s;
}

struct event {
    struct world *w;
    struct world_connection *connection;
    struct world_conversation *conversation;
    uint8_t choice;
    struct input *in;
};

/* send/{conversation}, with something behind it or not. */
static struct slice topic_of(const struct event *e, char text[64])
{
    static const char *const endings[] = {"", "/typing", "/cursor"};
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&e->conversation->id, id);
    snprintf(text, 64, "send/%s%s", id,
             endings[e->choice >> 6 & 1 ? e->choice >> 7 & 1 ? 2 : 1 : 0]);
    return slice_str(text);
}

static void do_connect(const struct event *e)
{
    world_connect(e->w, e->connection);
}

static void do_disconnect(const struct event *e)
{
    world_disconnect(e->w, e->connection);
}

static void do_post(const struct event *e)
{
    char topic[64];

    world_publish(e->w, e->connection, topic_of(e, topic), take_slice(e->in), 1, false);
}

static void do_publish(const struct event *e)
{
    struct slice topic = take_slice(e->in);

    world_publish(e->w, e->connection, topic, take_slice(e->in), e->choice & 3,
                  (e->choice & 12) == 12);
}

static void do_control(const struct event *e)
{
    struct session *session =
        sessions_find(&e->w->core->sessions, e->connection, e->connection->client_id);
    struct slice response_topic = take_slice(e->in), correlation = take_slice(e->in);

    if (session)
        requests_control(e->w->core, session, response_topic, correlation, take_slice(e->in));
}

static void do_subscribe(const struct event *e)
{
    struct slice filter = take_slice(e->in);

    acl_may_subscribe(e->w->core, e->connection, e->connection->client_id, filter);
    if (e->choice & 1)
        acl_unsubscribe(e->w->core, e->connection, e->connection->client_id, filter);
}

static void do_tick(const struct event *e)
{
    for (struct user *u = e->w->core->sessions.users; u; u = u->next)
        u->heads_ms = 0;
    e->w->core->heads_ms = 0;
    world_tick(e->w);
}

static void do_link(const struct event *e)
{
    world_link(e->w, (e->choice & 3) != 0);
}

static void do_serve(const struct event *e)
{
    world_serve(e->w);
}

static void do_entry(const struct event *e)
{
    world_post(e->w, e->conversation, e->connection->user, e->connection->device,
               (e->choice & 0x80) == 0);
}

static void do_member(const struct event *e)
{
    world_set_role(e->w, e->conversation, e->connection->user, (enum role)(take(e->in) % 5));
}

static void do_confirm(const struct event *e)
{
    struct frame_confirm f = {e->w->core->ring.confirmed + e->choice};

    if (f.number > e->w->received && !e->w->wild)
        f.number = e->w->received;
    frame_write_confirm(&e->w->out, &f);
    world_say(e->w);
}

static void do_kick(const struct event *e)
{
    frame_write_kick(&e->w->out, &(struct frame_kick){.uid = e->connection->user + 1,
                                                      .device = slice_of(NULL, 0),
                                                      .reason = slice_str("kicked")});
    world_say(e->w);
}

static void do_presence(const struct event *e)
{
    struct slice payload = take_slice(e->in);

    frame_write_presence(&e->w->out,
                         &(struct frame_presence){e->connection->user + 1, payload, payload});
    world_say(e->w);
}

static void do_ended(const struct event *e)
{
    for (unsigned i = 0; i < WORLD_USERS; i++) {
        if (e->conversation->roles[i] != ROLE_NONE)
            e->conversation->removed_at[i] = e->conversation->head;
        e->conversation->roles[i] = ROLE_NONE;
    }
    frame_write_ended(&e->w->out, &(struct frame_ended){e->conversation->id});
    world_say(e->w);
}

static void do_flow(const struct event *e)
{
    if (e->choice & 1)
        frame_write_hold(&e->w->out, &(struct frame_hold){(e->choice & 2) != 0});
    else
        frame_write_barrier(&e->w->out, &(struct frame_barrier){e->choice});
    world_say(e->w);
}

/* A frame of any type with any body, from a bridge that may say anything. */
static void do_frame(const struct event *e)
{
    uint8_t type = (uint8_t)(FRAME_WELCOME + e->choice % 16);
    struct slice body = take_slice(e->in);

    if (!e->w->wild)
        return;
    buf_le32(&e->w->out, (uint32_t)body.length);
    buf_le8(&e->w->out, type);
    buf_bytes(&e->w->out, "\0\0\0", 3);
    buf_slice_put(&e->w->out, body);
    world_say(e->w);
}

static void (*const events[])(const struct event *) = {
    do_connect, do_disconnect, do_post,  do_publish, do_control, do_subscribe,
    do_tick,    do_link,       do_serve, do_entry,   do_member,  do_confirm,
    do_kick,    do_presence,   do_ended, do_flow,    do_frame,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct input in = {data, data + size};

    world_start(&w, take(&in) & 1);
    for (unsigned i = 0; i < EVENTS_MAX && in.at < in.end; i++) {
        uint8_t event = take(&in), choice = take(&in);

        events[event % (sizeof events / sizeof events[0])](&(struct event){
            .w = &w,
            .connection = &w.connections[choice % WORLD_CONNECTIONS],
            .conversation = &w.conversations[choice >> 4 & (WORLD_CONVERSATIONS - 1)],
            .choice = choice,
            .in = &in,
        });
        world_audit(&w);
    }
    world_stop(&w);
    return 0;
}
