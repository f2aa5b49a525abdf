/* SPDX-License-Identifier: MIT */
/* bus_resp_test.c - what Redis says, whole, in pieces, and when it is no Redis that says it. */
#include "unit/unit.h"

#include "bus/resp.h"

#include <stdlib.h>

static enum resp_status read_text(const char *text, struct resp *out, size_t *used)
{
    return resp_next(slice_str(text), out, used);
}

static void assert_text(struct slice got, const char *wanted)
{
    assert_int_equal(got.length, strlen(wanted));
    assert_true(got.length == 0 || memcmp(got.data, wanted, got.length) == 0);
}

static void test_replies(void **state)
{
    static const struct {
        const char *text;
        enum resp_type type;
        const char *told;
    } rows[] = {
        {"+OK\r\n", RESP_LINE, "OK"},
        {":42\r\n", RESP_LINE, "42"},
        {"+\r\n", RESP_LINE, ""},
        {"-NOAUTH Authentication required.\r\n", RESP_ERROR, "NOAUTH Authentication required."},
        {"$5\r\na\r\nbc\r\n", RESP_STRING, "a\r\nbc"},
        {"$0\r\n\r\n", RESP_STRING, ""},
        {"$-1\r\n", RESP_STRING, ""},
    };
    struct resp r;
    size_t used;
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(read_text(rows[i].text, &r, &used), RESP_WHOLE);
        assert_int_equal(used, strlen(rows[i].text));
        assert_int_equal(r.type, rows[i].type);
        assert_text(r.text, rows[i].told);
    }
}

static void test_arrays(void **state)
{
    static const char message[] = "*3\r\n$7\r\nmessage\r\n$3\r\na:b\r\n$2\r\n\r\n\r\n+next\r\n";
    struct resp r;
    size_t used;
    (void)state;

    assert_int_equal(read_text(message, &r, &used), RESP_WHOLE);
    assert_int_equal(used, strlen(message) - strlen("+next\r\n"));
    assert_int_equal(r.type, RESP_ARRAY);
    assert_int_equal(r.count, 3);
    assert_text(r.elements[0], "message");
    assert_text(r.elements[1], "a:b");
    assert_text(r.elements[2], "\r\n");
    assert_int_equal(read_text("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", &r, &used), RESP_WHOLE);
    assert_text(r.elements[1], "");
    assert_text(r.elements[2], "0");
    assert_int_equal(read_text("*-1\r\n", &r, &used), RESP_WHOLE);
    assert_int_equal(r.count, 0);
}

/* Cut anywhere, it waits for the rest; and reads nothing behind the cut. */
static void test_pieces(void **state)
{
    static const char message[] = "*3\r\n$7\r\nmessage\r\n$3\r\na:b\r\n:17\r\n";
    struct resp r;
    size_t used;
    (void)state;

    for (size_t length = 0; length < strlen(message); length++) {
        char *piece = malloc(length + 1);

        assert_non_null(piece);
        memcpy(piece, message, length);
        assert_int_equal(resp_next(slice_of(piece, length), &r, &used), RESP_PARTIAL);
        free(piece);
    }
}

static void test_malformed(void **state)
{
    static const char *const texts[] = {
        "HTTP/1.1 400 Bad Request\r\n",
        "\r\n",
        "+O\rK\r\n",
        "$\r\n",
        "$x\r\n",
        "$-2\r\n",
        "$2097153\r\n",
        "$99999999999999999999999\r\n",
        "$2\r\nabc\r\n",
        "*4\r\n",
        "*2000000000\r\n",
        "*1\r\n*1\r\n:1\r\n",
        "*1\r\n-no\r\n",
        "*1\r\n!\r\n",
        "%1\r\n+a\r\n+b\r\n",
    };
    char line[RESP_LINE_MAX + 1];
    struct resp r;
    size_t used;
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_int_equal(read_text(texts[i], &r, &used), RESP_MALFORMED);
    memset(line, '+', sizeof line); /* a line that does not end */
    assert_int_equal(resp_next(slice_of(line, RESP_LINE_MAX), &r, &used), RESP_MALFORMED);
}

static void test_commands(void **state)
{
    char text[RESP_HEAD_MAX];
    (void)state;

    assert_text(slice_of(text, resp_command_head(text, 3)), "*3\r\n");
    assert_text(slice_of(text, resp_word_head(text, 1048576)), "$1048576\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),  cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_pieces),   cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
