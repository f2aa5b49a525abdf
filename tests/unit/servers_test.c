/* SPDX-License-Identifier: MIT */
/* servers_test.c - which node a client is sent to. */
#include "unit/unit.h"

#include "base/buf.h"
#include "core/servers.h"

#include <stdio.h>

static struct server list[8];
static size_t count;

static void add(const char *node, const char *location, int64_t connections, bool draining)
{
    struct server *s = &list[count++];

    *s = (struct server){.capacity = 100, .connections = connections, .draining = draining};
    (void)snprintf(s->node, sizeof s->node, "%s", node);
    (void)snprintf(s->location, sizeof s->location, "%s", location);
}

/* The nodes' names in the order of their rank. */
static const char *rank(const char *location, uint64_t chance)
{
    static char text[256];
    size_t length = 0;

    count = servers_rank(list, count, slice_str(location), chance);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s ", list[i].node);
    return text;
}

static int set_up(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static void test_full_and_draining_are_left_out(void **state)
{
    (void)state;
    add("full", "", 100, false);
    add("over", "", 130, false);
    add("draining", "", 0, true);
    add("good", "", 99, false);
    assert_string_equal(rank("", 1), "good ");
    count = 0;
    assert_string_equal(rank("", 1), "");
}

static void test_near_goes_before_free(void **state)
{
    (void)state;
    add("far", "us/west", 0, false);
    add("country", "eu/de/ber", 10, false);
    add("city", "eu/de/fra", 90, false);
    add("continent", "eu/fr", 0, false);
    add("lookalike", "eu/defra", 20, false);
    assert_string_equal(rank("eu/de/fra", 1), "city country continent lookalike far ");
}

static void test_free_goes_before_loaded(void **state)
{
    (void)state;
    add("c", "", 55, false);
    add("a", "", 5, false);
    add("b", "", 35, false);
    assert_string_equal(rank("anywhere", 1), "a b c ");
}

/* Otherwise all who come at once would go to the same one. */
static void test_equals_take_turns(void **state)
{
    unsigned first = 0;

    (void)state;
    for (uint64_t chance = 0; chance < 400; chance++) {
        count = 0;
        add("a", "", 11, false);
        add("b", "", 12, false);
        first += rank("", chance)[0] == 'a';
    }
    assert_in_range(first, 120, 280);
}

static void test_there_and_back(void **state)
{
    struct server in = {.capacity = 7, .connections = 3, .draining = true}, out;
    struct buf b;

    (void)state;
    (void)snprintf(in.node, sizeof in.node, "n\"1");
    (void)snprintf(in.ws, sizeof in.ws, "wss://h/mqtt");
    buf_init(&b, 4096);
    server_write(&b, &in);
    assert_true(server_read(buf_slice(&b), &out));
    assert_string_equal(out.node, in.node);
    assert_string_equal(out.ws, in.ws);
    assert_string_equal(out.mqtt, "");
    assert_true(out.capacity == 7 && out.connections == 3 && out.draining);
    buf_finish(&b);
}

static void test_what_is_no_server(void **state)
{
    static const char *const rows[] = {"", "[]", "{}", "{\"node\":\"a\",\"capacity\":0}",
                                       "{\"node\":\"a\",\"capacity\":1,\"connections\":-1}"};
    struct server out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_false(server_read(slice_str(rows[i]), &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_full_and_draining_are_left_out, set_up),
        cmocka_unit_test_setup(test_near_goes_before_free, set_up),
        cmocka_unit_test_setup(test_free_goes_before_loaded, set_up),
        cmocka_unit_test_setup(test_equals_take_turns, set_up),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_no_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
