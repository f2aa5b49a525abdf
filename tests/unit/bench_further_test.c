/* SPDX-License-Identifier: MIT */
/* bench_further_test.c - what is understood of further nodes, and who connects where. */
#include "unit/unit.h"

#include "further.h"

#include <arpa/inet.h>
#include <stdio.h>

static struct further f;

static void test_nodes_and_their_processes(void **state)
{
    (void)state;
    assert_true(further_parse(&f, ""));
    assert_int_equal(f.count, 0);
    assert_true(further_parse(&f, "127.0.0.1:1884/12/13,10.0.0.2:65535/14/15"));
    assert_int_equal(f.count, 2);
    assert_int_equal(ntohs(f.nodes[0].broker.sin_port), 1884);
    assert_int_equal(f.nodes[0].broker_pid, 12);
    assert_int_equal(f.nodes[0].bridge_pid, 13);
    assert_int_equal(ntohl(f.nodes[1].broker.sin_addr.s_addr), 0x0a000002);
    assert_int_equal(f.nodes[1].bridge_pid, 15);
}

static void test_what_is_no_node(void **state)
{
    static const char *const wrong[] = {
        "127.0.0.1:1884",
        "127.0.0.1:1884/12",
        "127.0.0.1/12/13",
        "127.0.0.1:0/12/13",
        "127.0.0.1:70000/1/2",
        "localhost:1/1/2",
        "/1/2",
        ",",
        "1.1.1.1:1/1/2,,",
        "1.1.1.1:1/a/b",
        "1.1.1.1111111111111:1/1/2",
    };
    char many[512];
    size_t length = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(further_parse(&f, wrong[i]));
    for (int i = 0; i <= FURTHER_NODES_MAX; i++)
        length += (size_t)snprintf(many + length, sizeof(many) - length, "%s1.1.1.1:1/1/2",
                                   i > 0 ? "," : "");
    assert_false(further_parse(&f, many));
}

/* Players come in twos, of which the first sends. */
static void test_two_are_on_different_nodes(void **state)
{
    enum { PAIRS_OF_EACH = 3 };
    struct sockaddr_in first = {0};

    (void)state;
    for (unsigned nodes = 2; nodes <= 1 + FURTHER_NODES_MAX; nodes++) {
        unsigned senders[1 + FURTHER_NODES_MAX] = {0};

        f.count = nodes - 1;
        for (unsigned player = 0; player < 2 * PAIRS_OF_EACH * nodes; player += 2) {
            const struct sockaddr_in *at = further_broker(&f, &first, player);

            assert_ptr_not_equal(at, further_broker(&f, &first, player + 1));
            for (unsigned n = 0; n < nodes; n++)
                senders[n] += at == (n == 0 ? &first : &f.nodes[n - 1].broker);
        }
        for (unsigned n = 0; n < nodes; n++)
            assert_int_equal(senders[n], PAIRS_OF_EACH);
    }
    assert_ptr_equal(further_broker(NULL, &first, 5), &first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_and_their_processes),
        cmocka_unit_test(test_what_is_no_node),
        cmocka_unit_test(test_two_are_on_different_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
