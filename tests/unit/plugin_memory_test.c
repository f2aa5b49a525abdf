/* SPDX-License-Identifier: MIT */
/* plugin_memory_test.c - the plugin when memory runs out: one life of it again and again, each time
 * with another allocation that fails. It may refuse anything, but it has to stay sound. */
#include "unit/unit.h"

#include "heads.h"
#include "unit/failing_memory.h"
#include "unit/plugin_rig.h"

#include <stdio.h>
#include <stdlib.h>

enum { CROWD = 4, IN_A_ROW = 40 };

static struct rig rig;
static const char alice, bob, crowd[CROWD];

/* Runs one call of the plugin; the rig's own memory does not fail. */
#define WITH_FAILURES(statement)                                                                   \
    do {                                                                                           \
        failing_memory_on();                                                                       \
        statement;                                                                                 \
        failing_memory_off();                                                                      \
    } while (0)

/* Has the plugin read a frame. */
static void deliver(struct buf *b)
{
    while (b->length > 0) {
        rig_put(&rig, b);
        WITH_FAILURES(core_tick(rig.core));
    }
}

static void entry(int64_t seq, size_t length)
{
    struct frame_entry f = {rig_uuid(1), seq, 1, slice_str("phone"), {NULL, 0}};
    char *payload = calloc(1, length + 1);
    struct buf b;

    assert_non_null(payload);
    f.payload = slice_of(payload, length);
    buf_init(&b, LINK_BODY_MAX);
    frame_write_entry(&b, &f);
    deliver(&b);
    buf_finish(&b);
    free(payload);
}

static void attach(uint64_t uid)
{
    struct attached_conversation items[] = {rig_item(1, 0), rig_item((unsigned)uid + 1, 0)};
    struct buf b;

    buf_init(&b, LINK_BODY_MAX);
    frame_write_attached(&b, uid, true, items, 2);
    deliver(&b);
    buf_finish(&b);
}

static void join(uint64_t uid, enum role role)
{
    struct frame_member f = {rig_uuid(1), CONVERSATION_GROUP, uid, role, 0};
    struct buf b;

    buf_init(&b, 1024);
    frame_write_member(&b, &f);
    deliver(&b);
    buf_finish(&b);
}

static void login(const void *client, uint64_t uid, const char *handle)
{
    char client_id[64];
    const char *token = rig_token(&rig, uid, handle, NULL, 3600);
    bool ok;

    snprintf(client_id, sizeof client_id, "%s/phone", handle);
    WITH_FAILURES(ok = auth_check(rig.core, client, client_id, handle, token));
    if (ok)
        attach(uid);
}

static void post(const char *topic, const char *payload)
{
    WITH_FAILURES(rig_publish(&rig, &alice, "alice/phone", topic, payload));
}

static void watch(const void *client, const char *client_id, const char *filter)
{
    WITH_FAILURES(rig_subscribe(&rig, client, client_id, filter));
    WITH_FAILURES(core_tick(rig.core));
}

/* Answers every WATCH; everybody is user 2. */
static void allow_watches(void)
{
    struct frame_watch question;
    struct slice body;
    struct buf b;

    buf_init(&b, 1 << 16);
    while (rig_next(&rig, FRAME_WATCH, &body)) {
        assert_true(frame_read_watch(body, &question));
        frame_write_watched(&b, &(struct frame_watched){.number = question.number,
                                                        .uid = question.uid,
                                                        .device = question.device,
                                                        .target = question.target,
                                                        .target_uid = 2,
                                                        .allowed = true,
                                                        .payload = slice_str("online")});
    }
    deliver(&b);
    buf_finish(&b);
}

static void presence(const char *payload)
{
    struct buf b;

    buf_init(&b, 1024);
    frame_write_presence(&b, &(struct frame_presence){2, slice_str(payload), slice_str(payload)});
    deliver(&b);
    buf_finish(&b);
}

/* Everything that allocates, in a few steps. */
static void live(void)
{
    char handle[16];

    login(&alice, 1, "alice");
    login(&bob, 2, "bob");
    post("send/@bob", "{\"id\":\"1\",\"text\":\"x\"}");
    post("send/me/sync", "{}");
    post("send/me/presence", "{\"state\":\"away\"}");
    watch(&alice, "alice/phone", "presence/bob");
    watch(&alice, "alice/phone", "presence/carol");
    watch(&bob, "bob/phone", "presence/bob");
    allow_watches();
    presence("away");
    presence("online");
    post("send/bad", "{\"id\":\"2\",\"text\":\"x\"}");
    entry(1, 10);
    entry(3, 10);
    entry(4, 10);
    entry(2, 10);
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(handle, sizeof handle, "user%u", i);
        login(&crowd[i], 10 + i, handle);
    }
    entry(5, 600000); /* more than one turn for six people */
    entry(6, 10);
    join(2, ROLE_NONE);
    join(2, ROLE_READER);
    rig.core->now_ms += HEADS_INTERVAL_MS;
    WITH_FAILURES(heads_scan(rig.core));
    for (unsigned i = 0; i < 12; i++)
        WITH_FAILURES(core_tick(rig.core));
    WITH_FAILURES(core_disconnected(rig.core, &alice));
    login(&alice, 1, "alice");
}

static void live_and_die(void)
{
    rig_start(&rig);
    rig_link(&rig, true);
    live();
    rig_stop(&rig);
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(live_and_die, 1), 50, 20000);
    assert_in_range(failing_memory_try_all(live_and_die, IN_A_ROW), 50, 20000);
}

/* Nothing is left after a start that failed. */
static void start(void)
{
    struct options options = rig_options(&rig);
    struct core *core;

    WITH_FAILURES(core = core_create(&options));
    assert_true(core || failing_memory_failed() > 0); /* OpenSSL can do without some of it */
    core_destroy(core);
}

static void test_start_fails(void **state)
{
    (void)state;
    rig_start(&rig);
    failing_memory_try_all(start, 1);
    failing_memory_try_all(start, IN_A_ROW);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_start_fails),
    };

    failing_memory_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
