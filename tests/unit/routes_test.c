/* SPDX-License-Identifier: MIT */
/* routes_test.c - the tables of HTTP routes are in order and make sense. */
#include "unit/unit.h"

#include "api/routes.h"
#include "wire/limits.h"

static const struct route_table *const tables[] = {&public_routes, &metrics_routes};

static void test_tables_are_sorted(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LENGTH(tables); t++) {
        for (size_t i = 1; i < tables[t]->count; i++) {
            const struct route *before = &tables[t]->routes[i - 1], *route = before + 1;
            int order = strcmp(before->path, route->path);

            if (order > 0 || (order == 0 && before->method >= route->method))
                fail_msg("%s is out of order", route->path);
        }
    }
}

static void test_routes_make_sense(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LENGTH(tables); t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct route *route = &tables[t]->routes[i];
            const char *brace = strchr(route->path, '{');

            assert_int_equal(route->path[0], '/');
            assert_true(!brace || (brace[-1] == '/' && !strchr(brace + 1, '{')));
            assert_int_equal(route->body_max > 0,
                             !(route->method & (HTTP_METHOD_GET | HTTP_METHOD_DELETE)));
            assert_true(route->body_max <= PACKET_MAX_BYTES);
            assert_true(route->access == ROUTE_USERS || route->access == ROUTE_USERS_BYTES ||
                        route->body_max < PACKET_MAX_BYTES);
            assert_non_null(route->handle);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_are_sorted),
        cmocka_unit_test(test_routes_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
