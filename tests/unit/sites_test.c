/* SPDX-License-Identifier: MIT */
/* sites_test.c - whose pages may use a node, and where its own pages may connect. */
#include "unit/unit.h"

#include "core/servers.h"
#include "core/sites.h"

#include <stdio.h>

static struct sites *sites;
static unsigned changes;

static void on_changed(void *owner, const char *origins)
{
    (void)owner;
    assert_string_equal(origins, sites_origins(sites));
    changes++;
}

static struct server node(const char *http, const char *ws)
{
    struct server s = {.capacity = 1};

    (void)snprintf(s.http, sizeof s.http, "%s", http);
    (void)snprintf(s.ws, sizeof s.ws, "%s", ws);
    return s;
}

static void note(const char *http, const char *ws, uint64_t now_ms)
{
    const struct server s = node(http, ws);

    sites_note(sites, &s, now_ms);
}

static void make(const char *origins, const char *sources)
{
    sites = sites_create(origins, sources);
    assert_non_null(sites);
    sites_on_changed(sites, on_changed, NULL);
    changes = 0;
}

static int tear_down(void **state)
{
    (void)state;
    sites_destroy(sites);
    sites = NULL;
    return 0;
}

static void test_alone(void **state)
{
    (void)state;
    make("", "");
    assert_string_equal(sites_origins(sites), "");
    assert_string_equal(sites_sources(sites), "");
    assert_null(sites_create("", "https://a.example; script-src *"));
}

static void test_settings_come_first(void **state)
{
    (void)state;
    make("https://app.example", "wss://*.example");
    assert_string_equal(sites_origins(sites), "https://app.example");
    assert_string_equal(sites_sources(sites), " wss://*.example");
    note("https://n1.example", "wss://n1.example/mqtt", 1);
    assert_string_equal(sites_origins(sites), "https://app.example https://n1.example");
    assert_string_equal(sites_sources(sites),
                        " wss://*.example https://n1.example wss://n1.example");
}

/* Whoever comes first, the lists are the same, and only what is new is told. */
static void test_nodes_join(void **state)
{
    (void)state;
    make("", "");
    note("http://b.example:8080/", "", 1);
    note("http://a.example", "ws://a.example:9000/mqtt", 2);
    assert_int_equal(changes, 2);
    note("http://b.example:8080", "", 3);
    note("", "", 4);
    note("javascript:alert(1)", "mqtt://c.example", 5);
    assert_int_equal(changes, 2);
    assert_string_equal(sites_origins(sites), " http://a.example http://b.example:8080");
    assert_string_equal(sites_sources(sites),
                        " http://a.example http://b.example:8080 ws://a.example:9000"
                        " ws://b.example:8080");
}

static void test_who_is_gone_is_forgotten(void **state)
{
    const struct server own = node("https://own.example", "");

    (void)state;
    make("", "");
    sites_note_own(sites, &own);
    note("https://a.example", "", 1000);
    note("https://b.example", "", 1000 + SITE_KEPT_MS);
    assert_string_equal(sites_origins(sites),
                        " https://a.example https://b.example https://own.example");
    note("https://b.example", "", 1001 + SITE_KEPT_MS);
    assert_string_equal(sites_origins(sites), " https://b.example https://own.example");
    note("https://own.example", "", 1001 + SITE_KEPT_MS);
    note("https://b.example", "", UINT64_MAX - 1);
    assert_string_equal(sites_origins(sites), " https://b.example https://own.example");
}

/* However many there have been: what is silent longest goes, and the policy stays short. */
static void test_too_many(void **state)
{
    char url[64];

    (void)state;
    make("", "");
    for (unsigned i = 0; i < 3 * SITES_MAX; i++) {
        note("https://first.example", "", 10 + i);
        (void)snprintf(url, sizeof url, "https://node-%06u.of-a-long-name.example", i);
        note(url, "", 10 + i);
    }
    assert_true(strlen(sites_sources(sites)) <= SITES_SOURCES_MAX_BYTES);
    assert_true(strlen(sites_sources(sites)) > SITES_SOURCES_MAX_BYTES - 64);
    assert_non_null(strstr(sites_origins(sites), "https://first.example"));
    assert_non_null(strstr(sites_origins(sites), url));
    assert_null(strstr(sites_origins(sites), "node-000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_alone, tear_down),
        cmocka_unit_test_teardown(test_settings_come_first, tear_down),
        cmocka_unit_test_teardown(test_nodes_join, tear_down),
        cmocka_unit_test_teardown(test_who_is_gone_is_forgotten, tear_down),
        cmocka_unit_test_teardown(test_too_many, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
