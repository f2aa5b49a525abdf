/* SPDX-License-Identifier: MIT */
/* bench_cast_test.c - who shares a conversation with whom in the casts that have side roles. */
#include "unit/unit.h"

#include "cast.h"
#include "wire/names.h"

#include <string.h>

static struct cast c;

/* How many of the cast's memberships are of this player in this conversation. */
static unsigned memberships(unsigned player, unsigned stage)
{
    unsigned count = c.players[player].conversation == stage;

    for (unsigned i = 0; i < c.side_role_count; i++)
        count += c.side_roles[i].player == player && c.side_roles[i].stage == stage;
    return count;
}

/* The conversation of these two; fails unless there is exactly one. */
static unsigned stage_of(unsigned a, unsigned b)
{
    struct uuid id =
        direct_conversation_id(slice_str(c.players[a].handle), slice_str(c.players[b].handle));
    unsigned found = c.stage_count;

    for (unsigned i = 0; i < c.stage_count; i++) {
        if (memcmp(&c.stages[i].id, &id, sizeof(id)) == 0) {
            assert_int_equal(found, c.stage_count);
            found = i;
        }
    }
    assert_true(found < c.stage_count);
    return found;
}

static void test_neighbors_in_a_ring_share_one_conversation(void **state)
{
    enum { PLAYERS = 7, REACH = 3 };

    (void)state;
    assert_true(cast_ring(&c, PLAYERS, REACH));
    assert_int_equal(c.stage_count, PLAYERS * REACH);
    assert_int_equal(c.player_count + c.side_role_count, 2 * c.stage_count);
    for (unsigned i = 0; i < PLAYERS; i++) {
        for (unsigned distance = 1; distance <= REACH; distance++) {
            unsigned other = (i + distance) % PLAYERS;
            unsigned stage = stage_of(i, other);

            assert_int_equal(memberships(i, stage), 1);
            assert_int_equal(memberships(other, stage), 1);
        }
    }
    cast_finish(&c);
}

static void test_an_inbox_belongs_to_the_first_player(void **state)
{
    (void)state;
    assert_true(cast_inbox(&c, 4));
    assert_int_equal(c.player_count, 5);
    assert_int_equal(c.player_count + c.side_role_count, 2 * c.stage_count);
    for (unsigned peer = 1; peer < 5; peer++) {
        unsigned stage = stage_of(0, peer);

        assert_int_equal(memberships(0, stage), 1);
        assert_int_equal(memberships(peer, stage), 1);
        assert_int_equal(c.stages[stage].first, peer);
    }
    cast_finish(&c);
}

static void test_a_channel_has_one_who_posts(void **state)
{
    (void)state;
    assert_true(cast_channel(&c, 100, 3));
    assert_int_equal(c.sender_count, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(c.players[i].sends, i == 0);
        assert_int_equal(c.players[i].role, i == 0 ? ROLE_OWNER : ROLE_READER);
    }
    cast_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neighbors_in_a_ring_share_one_conversation),
        cmocka_unit_test(test_an_inbox_belongs_to_the_first_player),
        cmocka_unit_test(test_a_channel_has_one_who_posts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
