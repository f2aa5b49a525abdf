/* SPDX-License-Identifier: MIT */
/* client_memory_test.c - libbanter when memory runs out: one life of it again and again, each time
 * with another allocation that fails. It may stop, wait and begin anew, but it loses nothing, tells
 * nothing twice and leaks nothing. SQLite's own allocations: client_store_memory_test.c. */
#include "unit/unit.h"

#include "unit/client_rig.h"
#include "unit/failing_memory.h"

#include <stdio.h>

enum { IN_A_ROW = 15 };

static struct rig rig;

static void may_fail(int error)
{
    assert_true(error == BANTER_OK || error == BANTER_NO_MEMORY || error == BANTER_OFFLINE);
}

static void life(void)
{
    rig_init(&rig, 7, NULL, BANTER_FROM_FIRST);
    rig.frail = true;
    rig_others_post(&rig, 1);
    rig_others_post(&rig, 1);
    failing_memory_on();
    rig_log_in(&rig);
    (void)rig_post(&rig, 0, "d1");
    (void)rig_post(&rig, 0, "d2");
    (void)rig_post(&rig, 1, "d3");
    (void)rig_post(&rig, 1, "bad");
    rig_others_post(&rig, 0);
    rig_settle(&rig);
    rig.faults.lose_live = 100;
    rig_others_post(&rig, 1);
    rig.faults.lose_live = 0;
    rig_others_post(&rig, 1);
    may_fail(watches_add(&rig.engine.watches, "bob"));
    may_fail(signals_mark(&rig.engine.signals, rig.conversations[0].id, 1, 1));
    may_fail(signals_typing(&rig.engine.signals, rig.conversations[0].id, true));
    rig_event(&rig,
              "{\"event\":\"added\",\"conversation\":\"0190f3a1-0000-7000-8000-000000000003\","
              "\"kind\":\"channel\",\"role\":\"reader\"}");
    rig_message(&rig, "chat/0190f3a1-0000-7000-8000-000000000001/typing",
                "{\"from\":\"bob\",\"state\":\"start\"}");
    rig_settle(&rig);
    rig.access++; /* a refused token, a renewal */
    rig_lose(&rig, 0);
    rig_step(&rig);
    rig_settle(&rig);
    rig_pass(&rig, 2000); /* cursors */
    failing_memory_off();
    failing_memory_stop();
    rig_assert_complete(&rig);
    rig_finish(&rig);
}

/* Many drafts wait for the direct conversation to be known, and go there together. */
static void first_words(void)
{
    char id[24];

    rig_init(&rig, 7, NULL, BANTER_FROM_FIRST);
    for (int i = 0; i < 30; i++) {
        (void)snprintf(id, sizeof id, "d%d", i);
        assert_true(rig_post(&rig, 0, id));
    }
    rig_log_in(&rig);
    rig.frail = true;
    failing_memory_on();
    rig_settle(&rig);
    failing_memory_off();
    rig_assert_complete(&rig);
    rig_finish(&rig);
}

static void nor_does_the_order_change(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(first_words, 1), 50, 5000);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(life, 1), 100, 5000);
}

static void nor_when_it_fails_for_a_while(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(life, IN_A_ROW), 100, 5000);
}

static void nothing(void *owner)
{
    (void)owner;
}

/* An engine that cannot be made leaves nothing. */
static void birth(void)
{
    static const struct banter_server servers[] = {{"http://one", NULL}, {"https://two/", NULL}};
    struct banter_options options = BANTER_OPTIONS_INIT;
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;
    struct engine engine;
    struct engine_parts parts = {
        .platform = &platform_real, .callbacks = &callbacks, .changed = nothing};
    struct settings settings;
    struct store *store = NULL;
    int error;

    options.servers = servers;
    options.server_count = 2;
    options.device = "phone";
    failing_memory_on();
    error = settings_init(&settings, &options);
    if (!error)
        error = store_open(&store, NULL);
    if (!error)
        error = store_set_position(store, rig.conversations[0].id, 5);
    parts.settings = &settings;
    parts.store = store;
    if (!error)
        error = engine_init(&engine, &parts);
    failing_memory_off();
    assert_true(error == BANTER_OK || error == BANTER_NO_MEMORY);
    if (!error)
        engine_finish(&engine);
    store_close(store);
    settings_finish(&settings);
}

static void an_engine_that_cannot_be_made_leaves_nothing(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(birth, 1), 5, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(nor_does_the_order_change),
        cmocka_unit_test(nor_when_it_fails_for_a_while),
        cmocka_unit_test(an_engine_that_cannot_be_made_leaves_nothing),
    };

    failing_memory_start();
    return cmocka_run_group_tests_name("client_memory", tests, NULL, NULL);
}
