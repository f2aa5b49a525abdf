/* SPDX-License-Identifier: MIT */
/* plugin_rates_test.c - who is told to wait, for how long, and that nobody else is. */
#include "unit/unit.h"

#include "ingest.h"
#include "requests.h"
#include "unit/plugin_rig.h"

#include <stdio.h>

enum { GROUP = 1, OTHER_GROUP = 2 };

static struct rig rig;
static const char alice, alice_web, bob;
static unsigned next_id;

static int set_up(void **state)
{
    struct attached_conversation items[] = {rig_item(GROUP, 0), rig_item(OTHER_GROUP, 0)};
    struct options *o;

    (void)state;
    rig_start(&rig);
    o = &rig.core->options;
    o->rate_device_drafts = (struct rate){4, 60};
    o->rate_user_drafts = (struct rate){6, 60};
    o->rate_conversation_drafts = (struct rate){8, 60};
    o->rate_user_requests = (struct rate){3, 60};
    o->rate_address_connects = (struct rate){2, 60};
    rig_limit(&rig);
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, 2);
    assert_true(rig_login(&rig, &alice_web, 1, "alice", "web"));
    rig_login_attached(&rig, &bob, 2, "bob", "phone", items, 2);
    rig_forget();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static void draft_topic(unsigned n, char topic[64])
{
    struct uuid id = rig_uuid(n);
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(&id, text);
    snprintf(topic, 64, "send/%s", text);
}

static bool post_again(const void *client, const char *client_id, unsigned n, unsigned id)
{
    char topic[64], payload[64];

    draft_topic(n, topic);
    snprintf(payload, sizeof payload, "{\"id\":\"%u\",\"text\":\"x\"}", id);
    return rig_publish(&rig, client, client_id, topic, payload);
}

static bool post(const void *client, const char *client_id, unsigned n)
{
    return post_again(client, client_id, n, ++next_id);
}

/* How many drafts are taken before one is not. */
static unsigned flood(const void *client, const char *client_id, unsigned n)
{
    unsigned taken = 0;

    while (post(client, client_id, n))
        taken++;
    return taken;
}

static void test_device(void **state)
{
    struct session *session;
    unsigned refused;

    (void)state;
    assert_int_equal(flood(&alice, "alice/phone", GROUP), 4);
    refused = next_id;
    assert_true(rig_last_has("alice/phone", "me/receipt", "\"code\":\"rate_limited\""));
    assert_true(rig_last_has("alice/phone", "me/receipt", "\"retry_after_ms\":15000"));
    assert_int_equal(rig.core->stats.limited.drafts, 1);
    assert_int_equal(ring_next_number(&rig.core->ring), 5);
    /* What comes after it waits for it, and costs nothing. */
    rig.core->now_ms += 15000;
    assert_false(post(&alice, "alice/phone", GROUP));
    assert_true(rig_last_has("alice/phone", "me/receipt", "\"code\":\"out_of_order\""));
    assert_true(post_again(&alice, "alice/phone", GROUP, refused));
    assert_int_equal(ring_next_number(&rig.core->ring), 6);
    /* The broker can be told what it is. */
    session = sessions_find_any(&rig.core->sessions, &alice);
    assert_int_equal(ingest_message(rig.core, session, slice_str("send/@bob"),
                                    slice_str("{\"id\":\"late\",\"text\":\"x\"}")),
                     INGEST_LIMITED);
}

static void test_user(void **state)
{
    (void)state;
    assert_int_equal(flood(&alice, "alice/phone", GROUP), 4);
    assert_int_equal(flood(&alice_web, "alice/web", GROUP), 2);
    assert_true(rig_last_has("alice/web", "me/receipt", "\"retry_after_ms\":10000"));
    /* Connecting again changes nothing. */
    core_disconnected(rig.core, &alice_web);
    assert_true(rig_login(&rig, &alice_web, 1, "alice", "web"));
    assert_false(post(&alice_web, "alice/web", GROUP));
    /* Nor does it count what was not taken. */
    rig.core->now_ms += 10000;
    assert_true(post(&alice_web, "alice/web", OTHER_GROUP));
    assert_int_equal(flood(&bob, "bob/phone", OTHER_GROUP), 4);
}

static void test_conversation(void **state)
{
    (void)state;
    rig.core->options.rate_conversation_drafts = (struct rate){5, 60};
    rig_limit(&rig);
    assert_int_equal(flood(&alice, "alice/phone", GROUP), 4);
    assert_int_equal(flood(&bob, "bob/phone", GROUP), 1);
    assert_true(rig_last_has("bob/phone", "me/receipt", "\"retry_after_ms\":12000"));
    /* Elsewhere all of bob's other drafts are still his. */
    assert_int_equal(flood(&bob, "bob/phone", OTHER_GROUP), 3);
}

/* A draft that can never be stored is refused for good, and costs nothing. */
static void test_bad_drafts_do_not_count(void **state)
{
    char topic[64];

    (void)state;
    draft_topic(GROUP, topic);
    for (unsigned i = 0; i < 100; i++)
        assert_false(rig_publish(&rig, &alice, "alice/phone", topic, ""));
    assert_true(rig_last_has("alice/phone", "me/receipt", "\"code\":\"invalid\""));
    assert_int_equal(flood(&alice, "alice/phone", GROUP), 4);
}

static void test_requests(void **state)
{
    const struct slice nothing = slice_of(NULL, 0);

    (void)state;
    assert_true(rig_publish(&rig, &alice, "alice/phone", "send/me/sync", "{}"));
    assert_true(rig_publish(&rig, &alice_web, "alice/web", "send/me/sync", "{}"));
    assert_true(rig_publish(&rig, &alice_web, "alice/web", "send/me/sync", "{}"));
    assert_false(rig_publish(&rig, &alice, "alice/phone", "send/me/sync", "{}"));
    assert_true(rig_last_has("alice/phone", "me/sync", "\"code\":\"rate_limited\""));
    assert_true(rig_last_has("alice/phone", "me/sync", "\"retry_after_ms\":20000"));
    requests_control(rig.core, sessions_find_any(&rig.core->sessions, &alice), nothing, nothing,
                     slice_str("{}"));
    assert_true(
        rig_last_has("alice/phone", "$CONTROL/chat/v1/response", "\"code\":\"rate_limited\""));
    assert_true(rig_publish(&rig, &bob, "bob/phone", "send/me/sync", "{}"));
    assert_int_equal(rig.core->stats.limited.requests, 2);
}

static bool may_try(const char *address)
{
    return auth_may_try(rig.core, address);
}

static void test_addresses(void **state)
{
    static const char *const many[] = {NULL,        "",    "/run/mqtt.sock",
                                       "127.0.0.1", "::1", "::ffff:127.0.0.1"};

    (void)state;
    for (unsigned i = 0; i < 10 * ARRAY_LENGTH(many); i++)
        assert_true(may_try(many[i % ARRAY_LENGTH(many)]));
    assert_true(may_try("192.0.2.1"));
    assert_true(may_try("::ffff:192.0.2.1"));
    assert_false(may_try("192.0.2.1"));
    assert_true(may_try("192.0.2.2"));
    assert_true(may_try("2001:db8::1"));
    assert_true(may_try("2001:db8::2"));
    assert_false(may_try("2001:db8::3")); /* the same customer */
    assert_true(may_try("2001:db8:0:1::1"));
    /* At SIGHUP the broker asks for everybody again. */
    rig.core->auth.reloading = true;
    assert_true(may_try("192.0.2.1"));
    rig.core->auth.reloading = false;
    rig.core->now_ms += 30000;
    assert_true(may_try("192.0.2.1"));
    assert_int_equal(rig.core->stats.limited.connections, 2);
}

static bool next_limited(struct frame_limited *f)
{
    struct slice body;

    rig_tick(&rig);
    if (!rig_next(&rig, FRAME_LIMITED, &body))
        return false;
    assert_true(frame_read_limited(body, f));
    return true;
}

static void test_the_bridge_hears_of_it(void **state)
{
    struct frame_limited f;

    (void)state;
    assert_false(next_limited(&f));
    flood(&alice, "alice/phone", GROUP);
    assert_true(next_limited(&f));
    assert_int_equal(f.drafts, 1);
    flood(&bob, "bob/phone", GROUP);
    assert_false(next_limited(&f)); /* not at once */
    rig.core->rates.told_ms = 0;
    assert_true(next_limited(&f));
    assert_int_equal(f.drafts, 2);
    rig_unlink(&rig);
    rig_link(&rig, true);
    assert_true(next_limited(&f));
    assert_int_equal(f.drafts, 2);
}

static void test_off(void **state)
{
    struct rates *r = &rig.core->rates;

    (void)state;
    rates_finish(r);
    rig.core->options.rate_limits = false;
    assert_true(rates_init(r, &rig.core->options));
    for (unsigned i = 0; i < 100; i++)
        assert_true(post(&alice, "alice/phone", GROUP) && may_try("192.0.2.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conversation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_drafts_do_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_bridge_hears_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_off, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
