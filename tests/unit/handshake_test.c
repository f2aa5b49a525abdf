/* SPDX-License-Identifier: MIT */
/* handshake_test.c - which first requests are for /mqtt, and which of those become WebSockets. */
#include "unit/unit.h"

#include "door/handshake.h"

static void test_which_way(void **state)
{
    static const struct {
        const char *bytes;
        enum first_request way;
    } cases[] = {
        {"", FIRST_UNKNOWN},
        {"G", FIRST_UNKNOWN},
        {"GET ", FIRST_UNKNOWN},
        {"GET /mqt", FIRST_UNKNOWN},
        {"GET /mqtt", FIRST_UNKNOWN},
        {"GET /mqtt ", FIRST_WEBSOCKET},
        {"GET /mqtt?x=y HTTP/1.1", FIRST_WEBSOCKET},
        {"POST /mqtt ", FIRST_WEBSOCKET},
        {"GET /mqtt/", FIRST_HTTP},
        {"GET /mqtts ", FIRST_HTTP},
        {"GET /MQTT ", FIRST_HTTP},
        {"GET /%6Dqtt ", FIRST_HTTP},
        {"GET /v1", FIRST_HTTP},
        {"GET  /mqtt", FIRST_HTTP},
        {"GET http://x/mqtt ", FIRST_HTTP},
        {"GARBAGEGARBAGEGARBAGE", FIRST_HTTP},
        {"\r\nGET /mqtt ", FIRST_HTTP},
        {"\x16\x03\x01", FIRST_HTTP}, /* TLS on the wrong port */
        {"\x10\x10", FIRST_HTTP},     /* MQTT on the wrong port */
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(first_request_of(slice_str(cases[i].bytes)), cases[i].way);
    assert_int_equal(first_request_of(slice_of("GET /mqtt\0", 10)), FIRST_HTTP);
    assert_int_equal(handshake_length(slice_str("GET /mqtt HTTP/1.1\r\nA: b\r\n")), 0);
    assert_int_equal(handshake_length(slice_str("A\r\n\r\nB\r\n\r\n")), 5);
}

#define LINE "GET /mqtt HTTP/1.1\r\n"
#define HOST "Host: chat.example.org:8080\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: mqtt\r\n"
#define GOOD HOST UPGRADE VERSION KEY

static void test_judging(void **state)
{
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {LINE GOOD PROTOCOL, 0},
        {LINE GOOD "sec-websocket-protocol:mqttv3.1 , mqtt\r\n", 0},
        {LINE GOOD "Sec-WebSocket-Protocol: mqttv3.1\r\n" PROTOCOL, 0},
        {LINE GOOD PROTOCOL "Sec-WebSocket-Extensions: permessage-deflate\r\n", 0},
        {LINE GOOD PROTOCOL "Origin: http://CHAT.example.org:8080\r\n", 0},
        {LINE GOOD PROTOCOL "Origin: https://app.example.org\r\n", 0}, /* listed */
        {"GET /mqtt HTTP/1.1\r\nHost: a\r\n" UPGRADE VERSION KEY PROTOCOL
         "Origin: https://a:443\r\n",
         0},
        {LINE GOOD, 400},
        {LINE GOOD "Sec-WebSocket-Protocol: mqttv3.1\r\n", 400},
        {LINE GOOD "Sec-WebSocket-Protocol: MQTT\r\n", 400},
        {LINE GOOD "Sec-WebSocket-Protocol: \r\n", 400},
        {LINE GOOD PROTOCOL "Origin: https://evil.example\r\n", 403},
        {LINE GOOD PROTOCOL "Origin: http://chat.example.org\r\n", 403}, /* another port */
        {LINE GOOD PROTOCOL "Origin: https://app.example.org.evil.example\r\n", 403},
        {LINE GOOD PROTOCOL "Origin: null\r\n", 403},
        {LINE GOOD PROTOCOL "Origin: \r\n", 403},
        {"POST /mqtt HTTP/1.1\r\n" GOOD PROTOCOL, 405},
        {LINE HOST VERSION KEY PROTOCOL, 426},
        {LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY PROTOCOL, 426},
        {LINE HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" VERSION KEY PROTOCOL, 426},
        {LINE HOST UPGRADE KEY PROTOCOL "Sec-WebSocket-Version: 8\r\n", 426},
        {LINE HOST UPGRADE KEY PROTOCOL, 426},
        {LINE HOST UPGRADE VERSION PROTOCOL, 400},
        {LINE HOST UPGRADE VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n", 400},
        {LINE HOST UPGRADE VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===\r\n", 400},
        {LINE HOST UPGRADE VERSION PROTOCOL "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n", 400},
        {"GET /mqtt HTTP/1.0\r\n" GOOD PROTOCOL, 400},
        {LINE UPGRADE VERSION KEY PROTOCOL, 400},
        {LINE GOOD PROTOCOL KEY, 400},
        {LINE GOOD PROTOCOL HOST, 400},
        {LINE GOOD PROTOCOL "Origin: https://a\r\nOrigin: https://b\r\n", 400},
        {LINE GOOD PROTOCOL "X : y\r\n", 400},
        {LINE GOOD PROTOCOL " folded\r\n", 400},
        {LINE GOOD PROTOCOL "X: a\nb\r\n", 400},
        {LINE GOOD PROTOCOL "X: a\rb\r\n", 400},
        {LINE GOOD PROTOCOL "no colon\r\n", 400},
        {LINE GOOD PROTOCOL ": nameless\r\n", 400},
        {"GET /mqtt\r\n" GOOD PROTOCOL, 400},
        {"GET /mqtt x HTTP/1.1\r\n" GOOD PROTOCOL, 400},
    };
    static const struct handshake_rules rules = {"https://app.example.org, http://localhost:5173"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct handshake_refusal refusal;
        struct handshake h;
        char head[1024];
        struct buf answer;

        assert_true(strlen(cases[i].head) + 3 <= sizeof head);
        memcpy(head, cases[i].head, strlen(cases[i].head));
        memcpy(head + strlen(cases[i].head), "\r\n", 3);
        refusal = handshake_judge(slice_str(head), &rules, &h);
        if (refusal.status != cases[i].status)
            print_error("%s", head);
        assert_int_equal(refusal.status, cases[i].status);
        buf_init(&answer, 4096);
        if (refusal.status == 0)
            handshake_accept(&h, &answer);
        else
            handshake_refuse(refusal, &answer);
        assert_false(answer.failed);
        buf_finish(&answer);
    }
}

/* RFC 6455 section 1.3. */
static void test_the_example_of_the_rfc(void **state)
{
    static const struct handshake_rules rules = {""};
    struct handshake h;
    struct buf answer;
    (void)state;

    assert_int_equal(handshake_judge(slice_str(LINE GOOD PROTOCOL "\r\n"), &rules, &h).status, 0);
    assert_string_equal(h.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    buf_init(&answer, 4096);
    handshake_accept(&h, &answer);
    assert_non_null(strstr(answer.data, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr(answer.data, "\r\nSec-WebSocket-Protocol: mqtt\r\n"));
    assert_null(strstr(answer.data, "Extensions"));
    buf_finish(&answer);
}

static void test_what_proxies_say(void **state)
{
    static const struct handshake_rules rules = {"*"};
    struct handshake h;
    (void)state;

    assert_int_equal(handshake_judge(slice_str(LINE GOOD PROTOCOL "X-Forwarded-For: a, b\r\n"
                                                                  "Origin: https://any.example\r\n"
                                                                  "x-forwarded-for: c\r\n\r\n"),
                                     &rules, &h)
                         .status,
                     0);
    assert_string_equal(h.forwarded_for, "a, b, c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_way),
        cmocka_unit_test(test_judging),
        cmocka_unit_test(test_the_example_of_the_rfc),
        cmocka_unit_test(test_what_proxies_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
