/* SPDX-License-Identifier: MIT */
/* cluster_parts_test.c - bulletins of this node, and how those of others are put in order. */
#include "unit/unit.h"

#include "core/cluster/bulletins.h"
#include "core/cluster/peers.h"

#include <stdio.h>
#include <stdlib.h>

static const struct node_id a = {"a", 1}, b = {"b", 2};

static unsigned count_news(struct slice news, enum news_type type)
{
    unsigned count = 0;
    struct news n;
    bool malformed;

    while (news_next(&news, &n, &malformed))
        count += n.type == type;
    assert_false(malformed);
    return count;
}

static void add_head(struct bulletins *own, uint8_t conversation, int64_t seq)
{
    (void)bulletins_add(
        own, &(struct news){.type = NEWS_HEAD, .conversation = {{conversation}}, .seq = seq});
}

static void test_heads_are_told_once(void **state)
{
    struct bulletins *own = bulletins_create();
    struct bulletin got;
    struct news n;
    bool malformed;

    (void)state;
    assert_true(bulletins_is_empty(own));
    add_head(own, 1, 5);
    add_head(own, 1, 7);
    add_head(own, 1, 6);
    (void)bulletins_add(own, &(struct news){.type = NEWS_PROFILE, .uid = 3});
    assert_false(bulletins_is_empty(own));
    bulletins_close(own, true, 100);
    assert_true(bulletins_is_empty(own));
    assert_true(bulletins_get(own, 1, &got));
    assert_true(got.urgent);
    assert_int_equal(count_news(got.news, NEWS_HEAD), 1);
    assert_int_equal(count_news(got.news, NEWS_PROFILE), 1);
    while (news_next(&got.news, &n, &malformed))
        assert_true(n.type != NEWS_HEAD || n.seq == 7);
    bulletins_destroy(own);
}

static void test_kept_until_applied_and_old(void **state)
{
    struct bulletins *own = bulletins_create();
    struct bulletin got;

    (void)state;
    assert_int_equal(bulletins_first(own), 1);
    for (uint64_t number = 1; number <= 3; number++)
        bulletins_close(own, false, number * 1000);
    assert_int_equal(bulletins_number(own), 3);
    assert_int_equal(bulletins_closed_ms(own, 2), 2000);
    bulletins_forget(own, 2, 3000 + BULLETIN_KEEP_MS - 1500);
    assert_int_equal(bulletins_first(own), 2);
    bulletins_forget(own, 2, 3000 + BULLETIN_KEEP_MS);
    assert_int_equal(bulletins_first(own), 3);
    assert_false(bulletins_get(own, 2, &got));
    assert_int_equal(bulletins_closed_ms(own, 2), 0);
    bulletins_forget(own, UINT64_MAX, 1000000);
    assert_int_equal(bulletins_first(own), 4);
    bulletins_destroy(own);
}

static void test_bounds(void **state)
{
    struct bulletins *own = bulletins_create();
    const struct news n = {.type = NEWS_PROFILE, .uid = 3};
    unsigned count = 0;

    (void)state;
    while (!bulletins_add(own, &n))
        count++;
    assert_in_range(count, BULLETIN_BYTES / 16, BULLETIN_BYTES);
    bulletins_close(own, false, 0);
    for (unsigned i = 0; i < 2 * BULLETINS_KEPT_BYTES / BULLETIN_BYTES; i++) {
        while (!bulletins_add(own, &n))
            ;
        bulletins_close(own, false, 0);
    }
    assert_in_range(bulletins_number(own) - bulletins_first(own), 1,
                    BULLETINS_KEPT_BYTES / BULLETIN_BYTES);
    bulletins_destroy(own);
}

/* ---------------------------------------------------------------- peers */

static void come(struct peer *peer, uint64_t number)
{
    char text[8];

    snprintf(text, sizeof text, "%d", (int)number);
    peer_bulletin(peer, &(struct bulletin){.number = number, .news = slice_str(text)});
}

/* The numbers that can be taken now, as text. */
static const char *taken(struct peer *peer)
{
    static char text[1024];
    struct bulletin next;
    char *owned;
    size_t length = 0;

    text[0] = '\0';
    while (peer_next(peer, &next, &owned)) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%.*s ",
                                   (int)next.news.length, next.news.data);
        free(owned);
    }
    return text;
}

static void test_empty_ones_are_bounded(void **state)
{
    struct bulletins *own = bulletins_create();
    (void)state;

    for (unsigned i = 0; i < 600000; i++)
        bulletins_close(own, true, 1);
    assert_true(bulletins_first(own) > 1);
    bulletins_destroy(own);
}

static void test_in_order_and_once(void **state)
{
    struct peers peers;
    struct peer *peer;

    (void)state;
    peers_init(&peers);
    peer = peers_add(&peers, &a, 4, 0);
    come(peer, 4);
    assert_string_equal(taken(peer), "");
    come(peer, 7);
    come(peer, 6);
    come(peer, 7);
    assert_string_equal(taken(peer), "");
    assert_true(peer_has_gap(peer));
    come(peer, 5);
    assert_string_equal(taken(peer), "5 6 7 ");
    assert_false(peer_has_gap(peer));
    come(peer, 6);
    assert_string_equal(taken(peer), "");
    peer_skip_to(peer, 20);
    come(peer, 20);
    come(peer, 21);
    assert_string_equal(taken(peer), "21 ");
    peer_skip_to(peer, 15); /* what was taken stays so */
    come(peer, 22);
    assert_string_equal(taken(peer), "22 ");
    peers_finish(&peers);
}

static bool is_stuck_after(struct peer *peer, unsigned turns)
{
    bool stuck = false;

    while (turns-- > 0 && !stuck)
        stuck = peer_is_stuck(peer);
    return stuck;
}

static void test_what_nobody_brings(void **state)
{
    struct peers peers;
    struct peer *peer;

    (void)state;
    peers_init(&peers);
    peer = peers_add(&peers, &a, 0, 0);
    assert_false(is_stuck_after(peer, 2 * PEER_STUCK_TURNS)); /* nothing is missing */
    come(peer, 3);
    assert_string_equal(taken(peer), "");
    assert_false(is_stuck_after(peer, PEER_STUCK_TURNS));
    come(peer, 1); /* there is progress */
    assert_string_equal(taken(peer), "1 ");
    assert_false(is_stuck_after(peer, PEER_STUCK_TURNS));
    assert_true(is_stuck_after(peer, 2));
    peer_skip_to(peer, 3);
    assert_false(is_stuck_after(peer, 2 * PEER_STUCK_TURNS));
    peers_finish(&peers);
}

static void test_what_waits_is_bounded(void **state)
{
    struct peers peers;
    struct peer *peer;

    (void)state;
    peers_init(&peers);
    peer = peers_add(&peers, &a, 0, 0);
    for (uint64_t number = 2; number < 2 + 2 * PEER_HELD_MAX; number++)
        come(peer, number);
    assert_int_equal(peer->held_count, PEER_HELD_MAX);
    come(peer, 1); /* the one that all wait for finds room */
    taken(peer);
    assert_int_equal(peer->taken, 1 + PEER_HELD_MAX);
    assert_int_equal(peer->held_count, 0);
    assert_true(peer_has_gap(peer));
    peers_finish(&peers);
}

static void test_who_has_applied_what(void **state)
{
    struct peers peers, theirs;
    struct peer *peer, *other;
    struct buf bytes;

    (void)state;
    peers_init(&peers);
    peers_init(&theirs);
    assert_true(peers_applied(&peers) == UINT64_MAX);
    peer = peers_add(&peers, &a, 0, 0);
    assert_int_equal(peers_applied(&peers), 0);
    other = peers_add(&theirs, &b, 12, 0);
    other->settled = 11;
    buf_init(&bytes, 4096);
    peers_write_applied(&theirs, &bytes);
    peer_read_applied(peer, buf_slice(&bytes), &a);
    assert_int_equal(peer->applied, 0); /* somebody else's bulletins */
    peer_read_applied(peer, buf_slice(&bytes), &b);
    assert_int_equal(peers_applied(&peers), 11);
    peer_read_applied(peer, slice_of(bytes.data, bytes.length - 1), &b); /* cut off: nothing */
    assert_ptr_equal(peers_find(&peers, &a), peer);
    assert_null(peers_find(&peers, &(struct node_id){"a", 7}));
    assert_ptr_equal(peers_find_name(&peers, "a"), peer);
    assert_ptr_equal(peers_find_index(&peers, peer->index), peer);
    buf_finish(&bytes);
    peers_finish(&peers);
    peers_finish(&theirs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_are_told_once),
        cmocka_unit_test(test_kept_until_applied_and_old),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_empty_ones_are_bounded),
        cmocka_unit_test(test_in_order_and_once),
        cmocka_unit_test(test_what_nobody_brings),
        cmocka_unit_test(test_what_waits_is_bounded),
        cmocka_unit_test(test_who_has_applied_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
