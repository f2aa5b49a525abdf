/* SPDX-License-Identifier: MIT */
/* ingest_rig.c - see ingest_rig.h. */
#include "unit/ingest_rig.h"

#include "base/clock.h"
#include "core/herald.h"

#include <event2/event.h>
#include <stdio.h>

enum { OUTCOMES_MAX = 4096, WAIT_MS = 5000 };

struct told told[OUTCOMES_MAX];
size_t told_count;
size_t settled_count;
int64_t last_entry_seq;
int64_t last_held_seq;
size_t entry_count;
size_t member_count;
size_t link_waiting_bytes;
uint64_t link_silence_ms;
enum role member_role;
bool heard_in_order;
struct event_base *base;
struct ingest *ingest;

void herald_member(struct herald *h, const struct frame_member *f)
{
    (void)h;
    member_count++;
    member_role = f->role;
}

void herald_entry(struct herald *h, const struct frame_entry *f)
{
    int64_t *last = f->conversation.bytes[15] == 2 ? &last_held_seq : &last_entry_seq;
    (void)h;

    entry_count++;
    if (f->seq > *last) {
        assert_true(!heard_in_order || f->seq == *last + 1);
        *last = f->seq;
    }
}

bool herald_is_heard(const struct herald *h)
{
    (void)h;
    return true;
}

size_t link_waiting(const struct link *l)
{
    (void)l;
    return link_waiting_bytes;
}

uint64_t link_silent_ms(const struct link *l)
{
    (void)l;
    return link_silence_ms;
}

static void on_done(void *owner, struct slice id, const struct ingest_outcome *outcome)
{
    struct told *t = &told[told_count++];
    (void)owner;

    assert_true(id.length < sizeof t->id);
    memset(t, 0, sizeof *t);
    memcpy(t->id, id.data, id.length);
    t->code = outcome->code;
    t->seq = outcome->seq;
    t->duplicate = outcome->duplicate;
}

static void on_settled(void *owner)
{
    (void)owner;
    settled_count++;
}

static int set_up(unsigned crowd)
{
    const struct ingest_config config = {
        .dsn = "", .batch_max = 64, .batches_flying = 2, .crowd = crowd, .queue_max = 100};

    told_count = settled_count = entry_count = member_count = 0;
    last_entry_seq = last_held_seq = 0;
    link_waiting_bytes = 0;
    link_silence_ms = 0;
    heard_in_order = true;
    fake_server_reset();
    base = event_base_new();
    ingest = ingest_create(base, &config, NULL, NULL);
    ingest_on_settled(ingest, on_settled, NULL);
    fake_server_connect();
    return ingest ? 0 : -1;
}

int rig_set_up(void **state)
{
    (void)state;
    return set_up(1);
}

int rig_set_up_crowds(void **state)
{
    (void)state;
    return set_up(RIG_CROWD);
}

int rig_tear_down(void **state)
{
    (void)state;
    ingest_destroy(ingest);
    event_base_free(base);
    return 0;
}

void submit_json(const char *target, const char *json)
{
    submit_json_from(1, target, json);
}

void submit_json_from(uint64_t uid, const char *target, const char *json)
{
    const struct ingest_draft draft = {.uid = uid,
                                       .handle = slice_str("alice"),
                                       .device = slice_str("phone"),
                                       .target = slice_str(target),
                                       .json = slice_str(json)};
    ingest_submit(ingest, &draft, on_done, NULL);
}

void submit(const char *id, const char *text)
{
    char json[128];
    snprintf(json, sizeof json, "{\"id\":\"%s\",\"text\":\"%s\"}", id, text);
    submit_json(CONVERSATION, json);
}

void submit_held(unsigned from, unsigned count)
{
    char json[128];

    for (unsigned n = from; n < from + count; n++) {
        snprintf(json, sizeof json, "{\"id\":\"h%u\",\"text\":\"hello\"}", n);
        submit_json(HELD, json);
    }
}

void submit_numbered(unsigned from, unsigned count)
{
    char id[16];

    for (unsigned n = from; n < from + count; n++) {
        snprintf(id, sizeof id, "d%u", n);
        submit(id, "hello");
    }
}

void wait_for_batch(void)
{
    uint64_t stop_ms = clock_monotonic_ms() + WAIT_MS;

    while (fake_server_waiting() == 0) {
        assert_true(clock_monotonic_ms() < stop_ms);
        event_base_loop(base, EVLOOP_ONCE);
    }
}

void run_until_idle(void)
{
    while (!ingest_is_idle(ingest)) {
        wait_for_batch();
        fake_server_run();
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}

void run_until_told(size_t count)
{
    while (told_count < count) {
        wait_for_batch();
        fake_server_run();
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}
