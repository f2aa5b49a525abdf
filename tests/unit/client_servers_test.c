/* SPDX-License-Identifier: MIT */
/* client_servers_test.c - where libbanter connects to: what the program named, and what comes of
 * the answer of GET /v1/servers. */
#include "unit/unit.h"

#include "client/servers.h"

#include <stdio.h>

static struct servers servers;

static void begin(const char *api, const char *mqtt)
{
    const struct banter_server named = {api, mqtt};

    assert_int_equal(servers_init(&servers, &named, 1), BANTER_OK);
}

static int finish(void **state)
{
    (void)state;
    servers_finish(&servers);
    return 0;
}

static void find(const char *nodes)
{
    json_t *answer = json_loads(nodes, 0, NULL);

    assert_non_null(answer);
    assert_int_equal(servers_found(&servers, answer), BANTER_OK);
    json_decref(answer);
}

static void assert_is(size_t place, const char *api, const char *mqtt)
{
    assert_true(place < servers.count);
    assert_string_equal(servers.list[place].api, api);
    assert_string_equal(servers.list[place].mqtt, mqtt);
}

static void a_node_says_what_it_has(void **state)
{
    (void)state;
    begin("http://one/", NULL);
    find("{\"servers\":["
         "{\"node\":\"a\",\"load\":0,\"http\":\"http://a\",\"ws\":\"ws://a/mqtt\","
         "\"mqtt\":\"mqtt://a:1883\",\"location\":\"eu/de\"},"
         "{\"node\":\"b\",\"load\":0.5,\"mqtt\":\"mqtt://b:1883\"},"
         "{\"node\":\"c\",\"load\":0.5,\"http\":\"http://c\"},"
         "{\"node\":\"d\",\"load\":0.9}]}");
    assert_int_equal(servers.count, 4); /* d has no address of its own */
    assert_is(0, "http://one", "ws://one/mqtt");
    assert_is(1, "http://a", "ws://a/mqtt");
    assert_is(2, "http://one", "mqtt://b:1883");
    assert_is(3, "http://c", "ws://c/mqtt");
}

static void it_is_reached_as_the_one_in_use_is(void **state)
{
    (void)state;
    begin("http://one", "mqtt://one:1883");
    find("{\"servers\":[{\"node\":\"one\",\"load\":0}]}"); /* as a lone one says */
    assert_int_equal(servers.count, 1);
    find("{\"servers\":[{\"node\":\"a\",\"load\":0,\"http\":\"http://a\",\"ws\":\"ws://a/mqtt\","
         "\"mqtt\":\"mqtt://a:1883\"},"
         "{\"node\":\"b\",\"load\":0,\"http\":\"http://b\",\"ws\":\"ws://b/mqtt\"}]}");
    assert_is(1, "http://a", "mqtt://a:1883");
    assert_is(2, "http://b", "ws://b/mqtt");
}

/* A token never leaves encryption for a node's careless settings. */
static void what_is_less_safe_is_passed_over(void **state)
{
    (void)state;
    begin("https://one", NULL);
    find("{\"servers\":["
         "{\"node\":\"a\",\"load\":0,\"http\":\"http://a\",\"ws\":\"wss://a/mqtt\"},"
         "{\"node\":\"b\",\"load\":0,\"http\":\"https://b\",\"ws\":\"ws://b/mqtt\"},"
         "{\"node\":\"c\",\"load\":0,\"http\":\"https://c\",\"mqtt\":\"mqtt://c:1883\"},"
         "{\"node\":\"d\",\"load\":0,\"mqtt\":\"mqtts://d:8883\"}]}");
    assert_int_equal(servers.count, 2);
    assert_is(1, "https://one", "mqtts://d:8883");
}

static void what_is_no_address_is_passed_over(void **state)
{
    (void)state;
    begin("http://one", NULL);
    find("{\"servers\":[{\"node\":\"a\",\"load\":0,\"http\":\"ftp://a\"},"
         "{\"node\":\"b\",\"load\":0,\"ws\":\"ws://user:secret@b/mqtt\"},"
         "{\"node\":\"c\",\"load\":0,\"http\":7,\"ws\":\"http://c\"},"
         "{\"node\":\"d\",\"load\":0,\"ws\":\"ws://\"},"
         "7,\"x\",null,{}]}");
    assert_int_equal(servers.count, 1);
}

/* A later answer replaces an earlier one; the one in use stays, wherever it stands. */
static void only_the_last_answer_counts(void **state)
{
    (void)state;
    begin("http://one", NULL);
    find("{\"servers\":[{\"node\":\"a\",\"load\":0,\"ws\":\"ws://a\"},"
         "{\"node\":\"b\",\"load\":0,\"ws\":\"ws://b\"}]}");
    servers_next(&servers);
    servers_next(&servers);
    assert_string_equal(servers_current(&servers)->mqtt, "ws://b");
    find("{\"servers\":[{\"node\":\"c\",\"load\":0,\"ws\":\"ws://c\"},"
         "{\"node\":\"b\",\"load\":0,\"ws\":\"ws://b\"}]}");
    assert_string_equal(servers_current(&servers)->mqtt, "ws://b");
    assert_int_equal(servers.count, 3);
    find("{\"servers\":[]}"); /* all are full */
    assert_int_equal(servers.count, 2);
    find("{\"detail\":\"no list\"}");
    assert_int_equal(servers.count, 2);
}

static void not_more_than_there_is_room_for(void **state)
{
    char nodes[8192];
    size_t length = (size_t)snprintf(nodes, sizeof nodes, "{\"servers\":[null");

    (void)state;
    for (int i = 0; i < 2 * SERVERS_FOUND_MAX + SERVERS_NAMED_MAX; i++)
        length += (size_t)snprintf(nodes + length, sizeof nodes - length,
                                   ",{\"node\":\"n%d\",\"load\":0,\"ws\":\"ws://n%d\"}", i, i);
    (void)snprintf(nodes + length, sizeof nodes - length, "]}");
    begin("http://one", NULL);
    find(nodes);
    assert_int_equal(servers.count, 1 + SERVERS_FOUND_MAX);
}

#define SERVERS_TEST(name) cmocka_unit_test_teardown(name, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVERS_TEST(a_node_says_what_it_has),
        SERVERS_TEST(it_is_reached_as_the_one_in_use_is),
        SERVERS_TEST(what_is_less_safe_is_passed_over),
        SERVERS_TEST(what_is_no_address_is_passed_over),
        SERVERS_TEST(only_the_last_answer_counts),
        SERVERS_TEST(not_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests_name("client_servers", tests, NULL, NULL);
}
