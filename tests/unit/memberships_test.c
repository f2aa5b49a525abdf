/* SPDX-License-Identifier: MIT */
/* memberships_test.c - hints about memberships: what PostgreSQL says of them goes to the plugin,
 * nothing overtakes it, and nothing piles up. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "core/cluster/memberships.h"
#include "link/link.h"

#include <event2/event.h>

enum { BOB = 7, SINCE = 10, HEAD = 20, COLUMNS = 5 };

static const struct uuid group = {{1}};
static const struct uuid other = {{2}};
static struct event_base *base;
static struct memberships *memberships;
static unsigned tellings, members_told, heads_told, resets;
static struct uuid telling;
static struct frame_member last_member;
static struct frame_head last_head;
static uint64_t ticket_told;

void link_member(struct link *l, const struct frame_member *f)
{
    (void)l;
    members_told++;
    last_member = *f;
}

void link_head(struct link *l, const struct frame_head *f)
{
    (void)l;
    heads_told++;
    last_head = *f;
}

void link_reset(struct link *l)
{
    (void)l;
    resets++;
}

/* Before it is written. */
static void on_telling(void *owner, const struct uuid *conversation)
{
    (void)owner;
    assert_int_equal(members_told, tellings);
    telling = *conversation;
    tellings++;
}

static void on_told(void *owner, uint64_t ticket)
{
    (void)owner;
    ticket_told = ticket;
}

static int set_up(void **state)
{
    (void)state;
    fake_database_set_up(true);
    tellings = members_told = heads_told = resets = 0;
    ticket_told = 0;
    base = event_base_new();
    memberships = memberships_create(
        base, NULL, NULL, &(struct memberships_hooks){.telling = on_telling, .told = on_told});
    return memberships ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    memberships_destroy(memberships);
    event_base_free(base);
    return 0;
}

static void run(void)
{
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* A row for each of `count` that were asked for: a member of a conversation with HEAD entries. */
static PGresult *members(size_t count)
{
    PGresult *r = fake_result(COLUMNS);

    for (size_t i = 0; i < count; i++) {
        int row = fake_result_add_row(r);

        fake_result_i64(r, row, 0, (int64_t)i + 1);
        fake_result_i64(r, row, 1, CONVERSATION_GROUP);
        fake_result_i64(r, row, 2, ROLE_MEMBER);
        fake_result_i64(r, row, 3, HEAD);
        fake_result_i64(r, row, 4, 1);
    }
    return r;
}

static void test_told(void **state)
{
    (void)state;

    assert_int_equal(memberships_look_up(memberships, &group, BOB, SINCE), 1);
    run();
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_answer(0, members(1));
    assert_true(uuid_equal(&telling, &group));
    assert_int_equal(members_told, 1);
    assert_int_equal(last_member.role, ROLE_MEMBER);
    assert_int_equal(last_member.last_seq, SINCE);
    assert_int_equal(last_head.seq, HEAD);
    assert_int_equal(ticket_told, 1);
}

/* Who is in no row is no member, of a conversation that may be no more. */
static void test_removed(void **state)
{
    PGresult *r = fake_result(COLUMNS);
    (void)state;

    (void)memberships_look_up(memberships, &group, BOB, SINCE);
    run();
    fake_result_i64(r, fake_result_add_row(r), 0, 1);
    fake_database_answer(0, r);
    assert_int_equal(members_told, 1);
    assert_int_equal(last_member.role, ROLE_NONE);
    assert_int_equal(heads_told, 0);
}

static void test_entries_wait(void **state)
{
    (void)state;

    (void)memberships_look_up(memberships, &group, BOB, SINCE);
    assert_true(memberships_hold(memberships, &group, HEAD + 5));
    assert_false(memberships_hold(memberships, &other, 1));
    run();
    assert_true(memberships_hold(memberships, &group, HEAD + 6));
    fake_database_answer(0, members(1));
    assert_int_equal(last_head.seq, HEAD + 6);
    assert_false(memberships_hold(memberships, &group, HEAD + 7));
}

/* What was changed here since it was asked is asked for again. */
static void test_stale(void **state)
{
    (void)state;

    (void)memberships_look_up(memberships, &group, BOB, SINCE);
    run();
    memberships_changed(memberships, &group);
    fake_database_answer(0, members(1));
    assert_int_equal(members_told, 0);
    assert_int_equal(ticket_told, 0);
    run();
    fake_database_answer(0, members(1));
    assert_int_equal(members_told, 1);
    assert_int_equal(ticket_told, 1);
}

/* While PostgreSQL does not answer the plugin begins anew, and all but the query under way is
 * forgotten, and done with that. */
static void test_too_many(void **state)
{
    uint64_t last = 0;
    (void)state;

    for (unsigned i = 0; i < MEMBERSHIPS_MAX; i++) {
        last = memberships_look_up(memberships, &group, i, SINCE);
        if (i == 0)
            run();
    }
    assert_int_equal(fake_database_waiting(), 1);
    assert_int_equal(resets, 0);
    last = memberships_look_up(memberships, &other, BOB, SINCE);
    assert_int_equal(last, MEMBERSHIPS_MAX + 1);
    assert_int_equal(resets, 1);
    assert_true(memberships_hold(memberships, &group, 1)); /* of the query under way */
    fake_database_answer(0, members(1));
    assert_int_equal(ticket_told, MEMBERSHIPS_MAX);
    assert_false(memberships_hold(memberships, &group, 1));
    run();
    fake_database_answer(0, members(1));
    assert_int_equal(ticket_told, last);
    assert_int_equal(members_told, 2);
}

static void test_tried_again(void **state)
{
    (void)state;

    (void)memberships_look_up(memberships, &group, BOB, SINCE);
    run();
    fake_database_fail(0, DB_LOST);
    assert_int_equal(members_told, 0);
    while (fake_database_waiting() == 0)
        event_base_loop(base, EVLOOP_ONCE);
    fake_database_answer(0, members(1));
    assert_int_equal(ticket_told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_entries_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tried_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
