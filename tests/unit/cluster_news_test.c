/* SPDX-License-Identifier: MIT */
/* cluster_news_test.c - what nodes say to each other there and back, every cut of it, and what
 * nobody of ours has sealed. */
#include "unit/unit.h"

#include "core/cluster/news.h"

#include <stdlib.h>

enum { CEILING = 1 << 20 };

static const struct node_id own = {"a", 0x1122334455667788};
static const struct cluster_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const struct uuid conversation = {{9, 8, 7}};

static void put_all(struct buf *b)
{
    const struct person_news person = {
        .state = 2, .here = true, .discreet = true, .said_ms = -1, .seen_ms = 1700000000000};
    const struct news all[] = {
        {.type = NEWS_HEAD, .conversation = conversation, .seq = 7},
        {.type = NEWS_MEMBER, .conversation = conversation, .uid = 5, .seq = 6},
        {.type = NEWS_ENDED, .conversation = conversation},
        {.type = NEWS_PROFILE, .uid = 5},
        {.type = NEWS_REVOKED, .conversation = conversation, .uid = 5, .at_ms = 77},
        {.type = NEWS_PERSON, .uid = 5, .handle = slice_str("alice"), .person = person},
        {.type = NEWS_ROW, .uid = 5, .handle = slice_str("alice"), .person = person},
        {.type = NEWS_DEVICE, .uid = 5, .device = slice_str("phone"), .epoch = UINT64_MAX},
        {.type = NEWS_UNSURE},
        {.type = NEWS_KICK, .uid = 5, .device = slice_str("phone"), .word = slice_str("kicked")},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        news_write(b, &all[i]);
    assert_int_equal(ARRAY_LENGTH(all), NEWS_LAST);
}

static void test_news(void **state)
{
    struct buf b, again;
    struct slice rest;
    struct news n;
    bool malformed;
    unsigned count = 0;

    (void)state;
    buf_init(&b, CEILING);
    buf_init(&again, CEILING);
    put_all(&b);
    rest = buf_slice(&b);
    while (news_next(&rest, &n, &malformed)) {
        assert_int_equal(n.type, ++count);
        news_write(&again, &n);
    }
    assert_false(malformed);
    assert_int_equal(count, NEWS_LAST);
    assert_true(slice_equal(buf_slice(&b), buf_slice(&again)));
    buf_finish(&b);
    buf_finish(&again);
}

/* Copies have just their size, so that a sanitizer sees a read beyond their end. */
static void test_every_cut(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    put_all(&b);
    for (size_t length = 0; length <= b.length; length++) {
        char *copy = malloc(length + (length == 0));
        struct slice rest = slice_of(copy, length);
        struct news n;
        bool malformed;

        memcpy(copy, b.data, length);
        while (news_next(&rest, &n, &malformed))
            ;
        assert_true(malformed || rest.length == 0);
        free(copy);
    }
    buf_finish(&b);
}

static void test_values_that_are_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
        {"\x00", 1},
        {"\x0b", 1},
        {"\x08\x05\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x00", 18},  /* no device */
        {"\x08\x05\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01/", 19}, /* not a valid one */
        {"\x0a\x05\0\0\0\0\0\0\0\0\0", 11},                    /* kicked for no reason */
        {"\x0a\x05\0\0\0\0\0\0\0\0\x01\"", 12},                /* one that is no word */
        {"\x0a\x05\0\0\0\0\0\0\0\x01/\x01k", 13},              /* from no device */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct slice rest = slice_of(rows[i].bytes, rows[i].length);
        struct news n;
        bool malformed;

        assert_false(news_next(&rest, &n, &malformed));
        assert_true(malformed);
    }
}

static void test_a_kick_of_all_devices(void **state)
{
    const struct news all = {.type = NEWS_KICK, .uid = 5, .word = slice_str("taken_over")};
    struct slice rest;
    struct news n;
    struct buf b;
    bool malformed;

    (void)state;
    buf_init(&b, CEILING);
    news_write(&b, &all);
    rest = buf_slice(&b);
    assert_true(news_next(&rest, &n, &malformed));
    assert_int_equal(n.device.length, 0);
    assert_true(slice_equal(n.word, slice_str("taken_over")));
    assert_int_equal(rest.length, 0);
    buf_finish(&b);
}

static void test_seals(void **state)
{
    const struct cluster_key another = {{2}};
    struct message m;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    message_begin(&b, MESSAGE_BEAT, &own);
    buf_str(&b, "body");
    message_seal(&b, &key);
    assert_true(message_open(buf_slice(&b), &key, &m));
    assert_int_equal(m.kind, MESSAGE_BEAT);
    assert_true(node_id_equal(&m.from, &own));
    assert_true(slice_equal(m.body, slice_str("body")));
    assert_false(message_open(buf_slice(&b), &another, &m));
    for (size_t i = 0; i < b.length; i++) {
        b.data[i] = (char)(b.data[i] ^ 1);
        assert_false(message_open(buf_slice(&b), &key, &m));
        b.data[i] = (char)(b.data[i] ^ 1);
        assert_false(message_open(slice_of(b.data, i), &key, &m));
    }
    buf_finish(&b);
}

static void test_kinds_that_are_none(void **state)
{
    struct message m;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    for (unsigned kind = 0; kind < 256; kind++) {
        buf_reset(&b);
        message_begin(&b, (enum message_kind)kind, &own);
        message_seal(&b, &key);
        assert_int_equal(message_open(buf_slice(&b), &key, &m),
                         kind >= MESSAGE_BEAT && kind <= MESSAGE_ABOUT);
    }
    buf_finish(&b);
}

static void test_bodies(void **state)
{
    struct applied a = {own, 9};
    struct bulletin bulletin;
    struct beat beat;
    struct roll roll;
    struct slice rest;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    beat_write(&b, 3, 4);
    applied_write(&b, &a);
    assert_true(beat_read(buf_slice(&b), &beat));
    assert_int_equal(beat.first, 3);
    assert_int_equal(beat.number, 4);
    a = (struct applied){{"", 0}, 0};
    assert_true(applied_next(&beat.applied, &a));
    assert_true(node_id_equal(&a.node, &own) && a.number == 9);
    assert_false(applied_next(&beat.applied, &a));

    buf_reset(&b);
    bulletin_pack(&b, 5, true, slice_str("one"));
    bulletin_pack(&b, 6, false, slice_str(""));
    rest = buf_slice(&b);
    assert_true(bulletin_unpack(&rest, &bulletin));
    assert_true(bulletin.number == 5 && bulletin.urgent);
    assert_true(slice_equal(bulletin.news, slice_str("one")));
    assert_true(bulletin_unpack(&rest, &bulletin));
    assert_true(bulletin.number == 6 && !bulletin.urgent && bulletin.news.length == 0);
    assert_int_equal(rest.length, 0);
    rest = slice_of(b.data, b.length - 1);
    assert_true(bulletin_unpack(&rest, &bulletin));
    assert_false(bulletin_unpack(&rest, &bulletin));

    buf_reset(&b);
    roll_write(&b, 2, true, slice_str("x"));
    assert_true(roll_read(buf_slice(&b), &roll));
    assert_true(roll.page == 2 && roll.last && roll.news.length == 1);
    assert_false(roll_read(slice_of(b.data, 4), &roll));
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_values_that_are_none),
        cmocka_unit_test(test_a_kick_of_all_devices),
        cmocka_unit_test(test_seals),
        cmocka_unit_test(test_kinds_that_are_none),
        cmocka_unit_test(test_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
