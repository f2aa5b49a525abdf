/* SPDX-License-Identifier: MIT */
/* plugin_members_test.c - the member table against a plain matrix, while entries are handed out. */
#include "unit/unit.h"

#include "base/hash.h"
#include "members.h"
#include "sessions.h"
#include "unit/plugin_rig.h"

#include <stdlib.h>

enum { USERS = 40, CONVERSATIONS = 30, STEPS = 100000 };

static struct members members;
static struct user users[USERS];
static bool inside[USERS][CONVERSATIONS];

/* The same sequence in every run. */
static unsigned draw(unsigned below)
{
    static uint64_t step;

    return (unsigned)(hash_u64(++step) % below);
}

static void check_links(const struct conversation *c)
{
    for (uint32_t slot = 0; slot < c->member_count; slot++) {
        const struct member *member = &c->members[slot];
        const struct membership *membership = &member->user->memberships.items[member->index];

        assert_ptr_equal(membership->conversation, c);
        assert_int_equal(membership->slot, slot);
        assert_ptr_equal(members_at(c, slot), membership);
    }
}

static void change(unsigned u, unsigned n)
{
    struct uuid id = rig_uuid(n);
    struct conversation *c = members_find(&members, &id);

    if (inside[u][n]) {
        assert_non_null(c);
        members_leave(&members, &users[u], members_of(&users[u], c));
    } else {
        struct membership *membership =
            members_join(&members, &users[u], &id, CONVERSATION_GROUP, ROLE_MEMBER, 7);

        assert_non_null(membership);
        assert_int_equal(membership->since, 7);
    }
    inside[u][n] = !inside[u][n];
}

static void check_all(void)
{
    for (unsigned n = 0; n < CONVERSATIONS; n++) {
        struct uuid id = rig_uuid(n);
        const struct conversation *c = members_find(&members, &id);
        unsigned count = 0;

        for (unsigned u = 0; u < USERS; u++) {
            count += inside[u][n];
            assert_int_equal(c && members_of(&users[u], c), inside[u][n]);
        }
        assert_int_equal(c ? c->member_count : 0, count);
        if (c)
            check_links(c);
    }
}

static void test_against_model(void **state)
{
    (void)state;
    members_init(&members);
    for (unsigned i = 0; i < STEPS; i++) {
        change(draw(USERS), draw(CONVERSATIONS));
        if (i % 997 == 0)
            check_all();
    }
    for (unsigned u = 0; u < USERS; u++)
        members_leave_all(&members, &users[u]);
    members_finish(&members);
    memset(inside, 0, sizeof inside);
}

/* Hands an entry to one member at a time while others come and go: nobody who stays is passed over,
 * and nobody gets it twice. */
static void hand_out_once(void)
{
    struct uuid id = rig_uuid(0);
    struct backlog backlog = {0};
    struct conversation *c;
    bool got[USERS] = {false}, was_inside[USERS];

    for (unsigned u = 0; u < USERS; u++) {
        if (!inside[u][0] && draw(2))
            change(u, 0);
        was_inside[u] = inside[u][0];
    }
    c = members_find(&members, &id);
    if (!c)
        return;
    c->backlog = &backlog;
    while (backlog.visited < c->member_count) {
        unsigned u = (unsigned)(c->members[backlog.visited].user - users);

        assert_false(got[u]);
        got[u] = true;
        backlog.visited++;
        u = draw(USERS);
        if (inside[u][0] && draw(2)) {
            change(u, 0);
            was_inside[u] = false;
        }
        check_links(c);
    }
    c->backlog = NULL;
    members_release(&members, c);
    for (unsigned u = 0; u < USERS; u++)
        assert_true(!was_inside[u] || got[u]);
}

static void test_visited_members(void **state)
{
    (void)state;
    members_init(&members);
    for (unsigned i = 0; i < 2000; i++)
        hand_out_once();
    for (unsigned u = 0; u < USERS; u++)
        members_leave_all(&members, &users[u]);
    members_finish(&members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_visited_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
