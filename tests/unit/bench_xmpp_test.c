/* SPDX-License-Identifier: MIT */
/* bench_xmpp_test.c - the bench's XMPP client against the other end of a socket pair. */
#include "unit/unit.h"

#include "xmpp.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static struct xmpp client;
static int server;

static int set_up(void **state)
{
    int ends[2];
    (void)state;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    xmpp_init(&client, "alice");
    client.fd = ends[0];
    server = ends[1];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    xmpp_close(&client);
    close(server);
    return 0;
}

/* The server says something, and the client reads it. */
static bool say(const char *text)
{
    assert_int_equal(send(server, text, strlen(text), 0), strlen(text));
    return xmpp_read(&client) && xmpp_flush(&client);
}

/* What the client has said since; static storage. */
static const char *heard(void)
{
    static char text[65536];
    ssize_t n = recv(server, text, sizeof(text) - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void be_ready(void)
{
    assert_true(say("<stream:stream id='1'><stream:features/></stream:features>"));
    assert_true(say("<success xmlns='s'/>"));
    assert_true(say("<stream:stream><stream:features></stream:features>"));
    assert_true(say("<iq type='result' id='bind'></iq>"));
    assert_true(say("<presence from='alice@localhost/bench'/>"));
    assert_int_equal(client.state, XMPP_READY);
    heard();
}

static void test_logs_in_step_by_step(void **state)
{
    (void)state;
    assert_true(say("<stream:features><mechanisms/>"));
    assert_string_equal(heard(), "");
    assert_true(say("</stream:features>"));
    assert_non_null(strstr(heard(), ">AGFsaWNlAGJlbmNo</auth>")); /* \0alice\0bench */
    assert_true(say("<success xmlns='s'/>"));
    assert_non_null(strstr(heard(), "<stream:stream to='localhost'"));
    assert_true(say("</stream:features>"));
    assert_non_null(strstr(heard(), "<bind"));
    assert_int_equal(client.state, XMPP_LOGGING_IN);
    assert_true(say("<iq type='result'/></iq><presence/>"));
    assert_string_equal(heard(), "<presence/>");
    assert_int_equal(client.state, XMPP_READY);
}

static void test_a_refused_login_is_a_failure(void **state)
{
    (void)state;
    assert_true(say("</stream:features>"));
    assert_false(say("<failure><not-authorized/></failure>"));
    assert_int_equal(errno, EACCES);
}

static void test_messages_are_found_in_whatever_pieces(void **state)
{
    struct slice id;
    (void)state;

    be_ready();
    assert_true(say("<presence/><message to='a' id='one' type='chat'><archived id='x'/></message>"
                    "<message id='tw"));
    assert_true(xmpp_next_message(&client, &id));
    assert_true(slice_equal(id, slice_str("one")));
    assert_false(xmpp_next_message(&client, &id));
    assert_true(say("o'><body>b</body></mess"));
    assert_false(xmpp_next_message(&client, &id));
    assert_true(say("age><message><body/></message>"));
    assert_true(xmpp_next_message(&client, &id));
    assert_true(slice_equal(id, slice_str("two")));
    assert_false(xmpp_next_message(&client, &id)); /* the third has no id */
}

static void test_writes_messages(void **state)
{
    (void)state;
    be_ready();
    xmpp_write_message(&client, "bob", slice_str("7"), slice_str("hello"));
    assert_true(xmpp_flush(&client));
    assert_string_equal(heard(), "<message to='bob@localhost' type='chat' id='7'>"
                                 "<body>hello</body></message>");
}

static void test_the_end_of_the_connection_is_noticed(void **state)
{
    (void)state;
    be_ready();
    shutdown(server, SHUT_WR);
    assert_false(xmpp_read(&client));
    assert_int_equal(errno, ECONNRESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_logs_in_step_by_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_login_is_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_messages_are_found_in_whatever_pieces, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_writes_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_end_of_the_connection_is_noticed, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
