/* SPDX-License-Identifier: MIT */
/* indexer_test.c - which conversations the indexer looks at and when, and what it does about
 * failures, on a connection that answers as the test likes. Linked before the bridge's library, so
 * that the real connection stays out. */
#include "unit/unit.h"

#include "core/index_slice.h"
#include "core/indexer.h"
#include "db/db.h"
#include "db/params.h"
#include "unit/fake_database.h"
#include "wire/entry.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WALK_ROWS = 500,
    TEXT_BYTES = 64 << 10,
    SHORT_SLICE = 16, /* conversations, and entries */
    PAUSE_MS = 1050,  /* nobody has written for a while */
    REST_MS = 100,    /* longer than after any slice here */
};

static struct event_base *base;
static struct indexer *indexer;

/* ---------------------------------------------------------------- the connection */

static db_conn_state_fn *state_changed;
static void *state_owner;
static bool ready;
static struct {
    const struct db_statement *statement; /* NULL: nothing was asked */
    char first[TEXT_BYTES];               /* its first parameter */
    db_reply_fn *reply;
    void *owner;
} asked;

struct db_conn *db_conn_create(struct event_base *b, const struct db_conn_config *config,
                               db_conn_state_fn *changed, void *owner)
{
    (void)b;
    (void)config;
    state_changed = changed;
    state_owner = owner;
    return (struct db_conn *)(void *)&asked;
}

bool db_conn_is_ready(const struct db_conn *c)
{
    (void)c;
    return ready;
}

bool db_conn_run(struct db_conn *c, const struct db_statement *statement, struct db_params *params,
                 db_reply_fn *reply, void *owner)
{
    struct params_pointers p;
    char *first;

    (void)c;
    params_point(params, &p);
    first = fake_parameter_text(&p, 0);
    snprintf(asked.first, sizeof asked.first, "%s", first);
    free(first);
    db_params_destroy(params);
    if (!ready)
        return false;
    assert_null(asked.statement); /* one at a time */
    asked.statement = statement;
    asked.reply = reply;
    asked.owner = owner;
    return true;
}

static void reply_with(const struct db_reply *reply)
{
    assert_non_null(asked.statement);
    asked.statement = NULL;
    asked.reply(asked.owner, reply);
}

void db_conn_destroy(struct db_conn *c)
{
    (void)c;
    if (asked.statement)
        reply_with(&(struct db_reply){.status = DB_LOST, .sqlstate = "", .message = ""});
}

static void answer(PGresult *result)
{
    reply_with(
        &(struct db_reply){.status = DB_OK, .result = result, .sqlstate = "", .message = ""});
    PQclear(result);
}

static void refuse(const char *sqlstate)
{
    reply_with(&(struct db_reply){.status = DB_ERROR, .sqlstate = sqlstate, .message = "no"});
}

static void set_ready(bool now_ready)
{
    ready = now_ready;
    if (!ready && asked.statement)
        reply_with(&(struct db_reply){.status = DB_LOST, .sqlstate = "", .message = ""});
    state_changed(state_owner, ready);
}

/* ---------------------------------------------------------------- the loop */

static int set_up(void **state)
{
    (void)state;
    ready = false;
    asked.statement = NULL;
    base = event_base_new();
    indexer = indexer_create(base, "");
    return base && indexer ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    indexer_destroy(indexer);
    event_base_free(base);
    return 0;
}

static void run_for(unsigned ms)
{
    const struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    event_base_loopexit(base, &time);
    event_base_dispatch(base);
}

/* Runs the loop until this statement is asked, which must be the next one. */
static void wait_asked(const char *name)
{
    for (unsigned i = 0; i < 1000 && !asked.statement; i++)
        run_for(5);
    assert_non_null(asked.statement);
    assert_string_equal(asked.statement->name, name);
}

static void expect_quiet(unsigned ms)
{
    run_for(ms);
    assert_null(asked.statement);
}

static struct indexer_stats stats(void)
{
    struct indexer_stats out;

    indexer_get_stats(indexer, &out);
    return out;
}

/* ---------------------------------------------------------------- rows */

static struct uuid conversation(unsigned n)
{
    struct uuid id = {{0x01, 0x98}};

    id.bytes[14] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    return id;
}

/* Conversations from `first` on, all of them behind or none: what walks and users are told. */
static PGresult *found(unsigned first, unsigned count, bool are_behind)
{
    PGresult *result = fake_result(2);

    for (unsigned i = 0; i < count; i++) {
        struct uuid id = conversation(first + i);
        int row = fake_result_add_row(result);

        fake_result_uuid(result, row, 0, &id);
        fake_result_bool(result, row, 1, are_behind);
    }
    return result;
}

/* The first entries of conversation `n`, the only ones of the slice. */
static PGresult *entries(unsigned n, unsigned count)
{
    PGresult *result = fake_result(8);
    struct uuid id = conversation(n);

    for (unsigned seq = 1; seq <= count; seq++) {
        int row = fake_result_add_row(result);
        fake_result_i64(result, row, 0, 1);
        fake_result_uuid(result, row, 1, &id);
        fake_result_i64(result, row, 2, 0);
        fake_result_i64(result, row, 3, seq);
        fake_result_i64(result, row, 4, ENTRY_TEXT);
        fake_result_i64(result, row, 5, seq);
        fake_result_text(result, row, 6, "word");
        fake_result_bool(result, row, 7, seq < count);
    }
    return result;
}

static PGresult *entry(unsigned n)
{
    return entries(n, 1);
}

static PGresult *nothing_to_read(void)
{
    return fake_result(8);
}

static PGresult *all_written(void)
{
    return fake_result(1);
}

/* Another node has taken conversation `n` further since it was read. */
static PGresult *left_alone(unsigned n)
{
    PGresult *result = fake_result(1);
    struct uuid id = conversation(n);

    fake_result_uuid(result, fake_result_add_row(result), 0, &id);
    return result;
}

static bool asked_names(unsigned n)
{
    struct uuid id = conversation(n);
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(&id, text);
    return strstr(asked.first, text) != NULL;
}

static void note(unsigned n)
{
    struct uuid id = conversation(n);

    indexer_note(indexer, &id);
}

/* Ready, and the first walk has found nothing. */
static void start(void)
{
    set_ready(true);
    wait_asked("index_walk");
    assert_string_equal(asked.first, "00000000-0000-0000-0000-000000000000");
    answer(found(1, 3, false));
}

/* ---------------------------------------------------------------- tests */

static void test_from_a_note_to_the_index(void **state)
{
    (void)state;
    note(1); /* before there is a connection */
    expect_quiet(20);
    start();
    wait_asked("index_read");
    assert_true(asked_names(1));
    answer(entry(1));
    assert_string_equal(asked.statement->name, "index_write"); /* at once */
    answer(all_written());
    assert_int_equal(stats().entries, 1);
    expect_quiet(REST_MS); /* there is no more */
    note(2);
    note(2);
    note(3);
    assert_int_equal(stats().waiting, 2);
    wait_asked("index_read"); /* both in one slice */
    assert_true(asked_names(2) && asked_names(3));
    assert_int_equal(stats().waiting, 0);
    answer(nothing_to_read());
    expect_quiet(50);
    assert_int_equal(stats().failures, 0);
}

static void test_who_may_have_more_is_looked_at_again(void **state)
{
    (void)state;
    start();
    note(1);
    wait_asked("index_read");
    answer(entries(1, SHORT_SLICE)); /* as many as were asked for */
    answer(all_written());
    wait_asked("index_read");
    assert_true(asked_names(1));
    answer(entry(1));
    answer(left_alone(1)); /* who was faster may have read less */
    wait_asked("index_read");
    assert_true(asked_names(1));
    answer(entry(1));
    note(1); /* stored after the reading */
    answer(all_written());
    wait_asked("index_read");
    assert_true(asked_names(1));
    answer(entry(1));
    answer(all_written());
    expect_quiet(REST_MS);
}

/* Slices are long when nobody has written for a while, and short while somebody does, wherever. */
static void test_slices_are_short_while_people_write(void **state)
{
    const unsigned after_long = SLICE_CONVERSATIONS_MAX, after_short = after_long + SHORT_SLICE;

    (void)state;
    for (unsigned n = 0; n < 3 * SLICE_CONVERSATIONS_MAX; n++)
        note(n);
    run_for(PAUSE_MS);
    start();
    wait_asked("index_read");
    assert_true(asked_names(0) && asked_names(after_long - 1) && !asked_names(after_long));
    note(0);
    answer(nothing_to_read());
    wait_asked("index_read");
    assert_true(asked_names(after_long) && asked_names(after_short - 1));
    assert_false(asked_names(after_short));
    answer(nothing_to_read());
    wait_asked("index_read"); /* it has not been a while yet */
    assert_true(asked_names(after_short + SHORT_SLICE - 1));
    assert_false(asked_names(after_short + SHORT_SLICE));
    answer(nothing_to_read());
}

static void test_the_walk_finds_what_nobody_noted(void **state)
{
    (void)state;
    set_ready(true);
    wait_asked("index_walk");
    answer(found(0, WALK_ROWS, true));
    assert_int_equal(stats().waiting, WALK_ROWS);
    wait_asked("index_read"); /* the rest and the walk take turns */
    assert_true(asked_names(0) && asked_names(SLICE_CONVERSATIONS_MAX - 1) &&
                !asked_names(SLICE_CONVERSATIONS_MAX));
    answer(nothing_to_read());
    wait_asked("index_walk");
    assert_true(asked_names(WALK_ROWS - 1)); /* it goes on from there */
    answer(found(0, 0, false));
    wait_asked("index_read");
    assert_true(asked_names(SLICE_CONVERSATIONS_MAX));
    answer(nothing_to_read());
    wait_asked("index_read"); /* the walk is over */
}

static void test_users_are_looked_after_first(void **state)
{
    (void)state;
    start();
    note(1);
    for (uint64_t uid = 1; uid <= 100; uid++)
        indexer_look_after(indexer, uid);
    indexer_look_after(indexer, 64);
    wait_asked("index_user");
    assert_string_equal(asked.first, "64"); /* as many as are remembered */
    indexer_look_after(indexer, 65);
    refuse("57014");
    wait_asked("index_read"); /* they and what waits take turns */
    assert_true(asked_names(1));
    answer(nothing_to_read());
    note(2);
    wait_asked("index_user");
    assert_string_equal(asked.first, "65");
    answer(found(9, 2, true));
    wait_asked("index_read");
    assert_true(asked_names(2) && asked_names(9) && asked_names(10));
}

/* However often users search, and whatever else waits: what they wait for gets its turn. */
static void test_searches_do_not_hold_up_what_they_wait_for(void **state)
{
    (void)state;
    set_ready(true);
    wait_asked("index_walk");
    answer(found(0, 300, true));
    for (unsigned i = 0; i < 3; i++) {
        indexer_look_after(indexer, 7);
        indexer_look_after(indexer, 8);
        wait_asked("index_user");
        answer(found(290, 1, true));
        wait_asked("index_read");
        assert_true(asked_names(290));
        answer(nothing_to_read());
    }
    assert_true(stats().waiting < 300 - 90);
}

/* What has nothing to do with the data is tried again, later and later, in the same order. */
static void test_passing_failures(void **state)
{
    (void)state;
    start();
    note(1);
    note(2);
    wait_asked("index_read");
    refuse("40001");
    assert_int_equal(stats().failures, 1);
    assert_int_equal(stats().waiting, 2);
    expect_quiet(100);
    note(3); /* does not hurry it */
    expect_quiet(20);
    wait_asked("index_read");
    assert_true(asked_names(1) && asked_names(2) && asked_names(3));
    answer(entry(1));
    refuse("53100"); /* the writing */
    wait_asked("index_read");
    answer(entry(1));
    answer(all_written());
    assert_int_equal(stats().failures, 2);
    assert_int_equal(stats().skipped, 0);
}

static void test_a_lost_connection(void **state)
{
    (void)state;
    start();
    note(1);
    wait_asked("index_read");
    set_ready(false);
    note(2);
    expect_quiet(250);
    set_ready(true);
    wait_asked("index_read");
    assert_true(asked_names(1) && asked_names(2));
    ready = false; /* it is lost between the reading and the writing */
    answer(entry(1));
    assert_null(asked.statement);
    set_ready(true);
    wait_asked("index_read");
    assert_int_equal(stats().failures, 2);
}

/* First single entries, then the entry without its words, then as ever. */
static void test_what_postgres_refuses_is_passed_over(void **state)
{
    (void)state;
    start();
    note(1);
    for (unsigned i = 0; i < 2; i++) {
        wait_asked("index_read");
        answer(entry(1));
        refuse("22023");
    }
    assert_int_equal(stats().skipped, 0);
    wait_asked("index_read");
    answer(entry(1));
    answer(all_written());
    assert_int_equal(stats().skipped, 1);
    assert_int_equal(stats().failures, 2);
    wait_asked("index_read");
    answer(entry(1));
    answer(all_written());
    assert_int_equal(stats().skipped, 1);
}

/* Beyond the bound nothing is remembered; a walk finds it again. */
static void test_too_many_wait(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 65536; n++)
        note(n);
    assert_int_equal(stats().waiting, 65536);
    indexer_note(indexer, &(struct uuid){{0xff}});
    assert_int_equal(stats().waiting, 65536);
    set_ready(true);
    wait_asked("index_read"); /* no walk adds to this */
}

static void test_destroyed_at_work(void **state)
{
    (void)state;
    start();
    note(1);
    indexer_look_after(indexer, 7);
    wait_asked("index_user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_a_note_to_the_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_may_have_more_is_looked_at_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_slices_are_short_while_people_write, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_walk_finds_what_nobody_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_users_are_looked_after_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_searches_do_not_hold_up_what_they_wait_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_passing_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_lost_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_postgres_refuses_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed_at_work, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
