/* SPDX-License-Identifier: MIT */
/* http_framing_test.c - where requests end, and which heads and bodies are refused. Each case is
 * fed whole, byte by byte, and with another request behind it. */
#include "unit/unit.h"

#include "http/framing.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 64 };

#define HOST "Host: x\r\n"

struct result {
    enum http_verdict verdict;
    size_t taken; /* bytes */
    int status;   /* HTTP_REFUSED */
};

/* Feeds `step` bytes at a time. */
static struct result feed(struct slice input, size_t step)
{
    struct http_framing f;
    struct result result = {HTTP_PARTIAL, 0, 0};

    http_framing_start(&f, BODY_MAX);
    while (result.verdict == HTTP_PARTIAL && result.taken < input.length) {
        size_t left = input.length - result.taken, used;

        result.verdict = http_framing_feed(
            &f, slice_of(input.data + result.taken, left < step ? left : step), &used);
        result.taken += used;
        if (result.verdict == HTTP_HEAD)
            result.verdict = http_framing_head(&f, slice_of(input.data, f.head_length));
    }
    result.status = f.refusal.status;
    return result;
}

static const char *const whole[] = {
    "GET / HTTP/1.1\r\n" HOST "\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "HEAD /v1/me HTTP/1.1\r\nhOsT:x\r\nX: \t a b \t\r\n\r\n",
    "OPTIONS /a%20b/@c?d=e&f=%2F HTTP/1.1\r\n" HOST "X:\r\n\r\n",
    "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\n" HOST "\r\n",
    "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
    "PATCH / HTTP/1.1\r\n" HOST "Content-Length: 05\r\n\r\nhello",
    "DELETE / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n\r\n",
    "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\n" HOST
    "Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0a\r\n0123456789\r\n"
    "00\r\n\r\n",
    "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n.",
    "GET / HTTP/1.1\r\n" HOST "X: \x80\xff\r\nX: twice\r\n\r\n",
};

static void test_whole_requests(void **state)
{
    char two[1024];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++) {
        size_t length = strlen(whole[i]);
        struct result r;

        for (size_t step = 1; step <= length; step += step < 4 ? 1 : 7) {
            r = feed(slice_str(whole[i]), step);
            assert_int_equal(r.verdict, HTTP_WHOLE);
            assert_int_equal(r.taken, length);
        }
        snprintf(two, sizeof two, "%s%s", whole[i], whole[i]);
        assert_int_equal(feed(slice_str(two), sizeof two).taken, length);
        r = feed(slice_of(whole[i], length - 1), length);
        assert_int_equal(r.verdict, HTTP_PARTIAL);
    }
}

static const struct {
    const char *input;
    int status;
} refused[] = {
    {"\r\n", 400},
    {"\n", 400},
    {"GARBAGE\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {"GET\t/\tHTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"GET / HTTP/1.2\r\n" HOST "\r\n", 505},
    {"GET / http/1.1\r\n" HOST "\r\n", 400},
    {"get / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"TRACE / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n", 501},
    {"GET x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET //x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET http://x/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /% HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /%2 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /%zz HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\"a\" HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"GET / HTTP/1.1\nHost: x\n\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X(: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nauthorization: a\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n.", 400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\x0b"
     "chunked\r\n\r\n",
     400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Expect: fireworks\r\nContent-Length: 1\r\n\r\n.", 417},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n.", 400},
    {"HEAD / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
};

static void test_refused_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct slice input = slice_str(refused[i].input);

        for (size_t step = 1; step <= input.length; step += 5) {
            struct result r = feed(input, step);

            if (r.verdict != HTTP_REFUSED || r.status != refused[i].status)
                fail_msg("case %zu: verdict %d, status %d", i, r.verdict, r.status);
        }
    }
}

static void test_nul_is_refused(void **state)
{
    static const char input[] = "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n";

    (void)state;
    assert_int_equal(feed(slice_of(input, sizeof input - 1), 1).status, 400);
}

#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

static const char *const broken_chunks[] = {
    CHUNKED "\r\n",        CHUNKED "g\r\n",          CHUNKED " 1\r\n.\r\n",
    CHUNKED "+1\r\n.\r\n", CHUNKED "0x1\r\n.\r\n",   CHUNKED "1 \r\n.\r\n",
    CHUNKED "1;a=b\r\n",   CHUNKED "1\n.\r\n",       CHUNKED "1\r\n..\r\n",
    CHUNKED "1\r\n.\n",    CHUNKED "000000001\r\n.", CHUNKED "0\r\nX: trailer\r\n\r\n",
    CHUNKED "0\r\n\n",     CHUNKED "1\r\n.\r0\r\n",
};

static void test_broken_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(broken_chunks); i++) {
        struct slice input = slice_str(broken_chunks[i]);

        assert_int_equal(feed(input, 1).status, 400);
        assert_int_equal(feed(input, input.length).verdict, HTTP_REFUSED);
    }
}

/* Refused only when all of it has come, so that the client reads the answer. */
static void test_large_bodies_are_skipped(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 65\r\n\r\n";
    char input[sizeof head + BODY_MAX];
    struct result r;

    (void)state;
    memcpy(input, head, sizeof head - 1);
    memset(input + sizeof head - 1, 'x', BODY_MAX + 1);
    r = feed(slice_of(input, sizeof input - 1), sizeof input);
    assert_int_equal(r.verdict, HTTP_PARTIAL);
    assert_int_equal(r.status, 413);
    r = feed(slice_of(input, sizeof input), sizeof input);
    assert_int_equal(r.verdict, HTTP_REFUSED);
    assert_int_equal(r.status, 413);
}

static void test_huge_bodies_are_refused_at_once(void **state)
{
    static const char *const huge[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 16777217\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 65\r\nExpect: 100-continue\r\n\r\n",
        CHUNKED "ffffffff\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(huge); i++) {
        struct result r = feed(slice_str(huge[i]), 9);

        assert_int_equal(r.verdict, HTTP_REFUSED);
        assert_int_equal(r.status, 413);
    }
}

/* Fills a head with `unit` until it is refused. */
static int status_of_endless(const char *start, const char *unit)
{
    size_t length = strlen(start), step = strlen(unit);
    char *input = malloc(length + HTTP_HEAD_MAX_BYTES + step + 5);
    struct result r;

    assert_non_null(input);
    memcpy(input, start, length);
    while (length <= HTTP_HEAD_MAX_BYTES) {
        memcpy(input + length, unit, step);
        length += step;
    }
    r = feed(slice_of(input, length), 1000);
    free(input);
    return r.verdict == HTTP_REFUSED ? r.status : 0;
}

static void test_heads_have_limits(void **state)
{
    char many[HTTP_FIELDS_MAX * 6 + 64] = "GET / HTTP/1.1\r\n" HOST;
    char target[HTTP_TARGET_MAX_BYTES + 64];
    size_t length = strlen(many);

    (void)state;
    assert_int_equal(status_of_endless("GET / HTTP/1.1\r\n" HOST, "X: y\r\n"), 431);
    assert_int_equal(status_of_endless("GET / HTTP/1.1\r\n" HOST "X: ", "y"), 431);
    assert_int_equal(status_of_endless("", "\r"), 431);
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        length += (size_t)snprintf(many + length, sizeof many - length, "X: y\r\n");
    snprintf(many + length, sizeof many - length, "\r\n");
    assert_int_equal(feed(slice_str(many), 100).status, 431);
    length = (size_t)snprintf(target, sizeof target, "GET /");
    memset(target + length, 'x', HTTP_TARGET_MAX_BYTES);
    length += HTTP_TARGET_MAX_BYTES;
    snprintf(target + length, sizeof target - length, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(feed(slice_str(target), 100).status, 414);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_requests),
        cmocka_unit_test(test_refused_heads),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_broken_chunks),
        cmocka_unit_test(test_large_bodies_are_skipped),
        cmocka_unit_test(test_huge_bodies_are_refused_at_once),
        cmocka_unit_test(test_heads_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
