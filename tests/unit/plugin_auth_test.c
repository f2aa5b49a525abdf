/* SPDX-License-Identifier: MIT */
/* plugin_auth_test.c - who gets in, what the events of each Mosquitto version do to sessions, and
 * what a connection may then publish and subscribe to. */
#include "unit/unit.h"

#include "acl.h"
#include "base/clock.h"
#include "unit/plugin_rig.h"
#include "wire/topic.h"

#include <stdio.h>
#include <sys/stat.h>

static struct rig rig;
static const char first, second, third, attacker;

static int set_up(void **state)
{
    (void)state;
    rig_start(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static const struct session *session_of(const void *client)
{
    return sessions_find_any(&rig.core->sessions, client);
}

static bool check(const char *client_id, const char *username, const char *password)
{
    bool ok = auth_check(rig.core, &first, client_id, username, password);

    core_disconnected(rig.core, &first);
    return ok;
}

static void test_names_must_agree(void **state)
{
    const char *token = rig_token(&rig, 1, "alice", NULL, 3600);

    (void)state;
    assert_true(check("alice/phone", "alice", token));
    assert_false(check("alice/phone", "bob", token));
    assert_false(check("bob/phone", "bob", token));
    assert_false(check("alice", "alice", token));
    assert_false(check("alice/", "alice", token));
    assert_false(check("alice/pho/ne", "alice", token));
    assert_false(check("alice/+", "alice", token));
    assert_false(check("bob/phone", "alice", token));
    assert_false(check(NULL, "alice", token));
    assert_false(check("alice/phone", NULL, token));
    assert_false(check("alice/phone", "alice", NULL));
    assert_false(check("alice/phone", "alice", ""));
    assert_false(check("alice/phone", "alice", "not a token"));
    assert_false(check(NULL, NULL, NULL));
    assert_int_equal(rig.core->stats.logins_refused, 13);
}

static void test_token_is_bound_to_a_device(void **state)
{
    const char *token = rig_token(&rig, 1, "alice", "phone", 3600);

    (void)state;
    assert_true(check("alice/phone", "alice", token));
    assert_false(check("alice/tablet", "alice", token));
    assert_false(check("alice/phone", "alice", rig_token(&rig, 1, "alice", NULL, -3600)));
}

static void test_bell(void **state)
{
    struct acl_publish p = {
        .client = &first, .client_id = BELL_NAME, .topic = slice_str(TOPIC_BELL)};

    (void)state;
    assert_true(check(BELL_NAME, BELL_NAME, RIG_KEY));
    assert_false(check(BELL_NAME, BELL_NAME, RIG_KEY "x"));
    assert_false(check(BELL_NAME, BELL_NAME, "0123456789abcdef0123456789abcdeX"));
    assert_false(check(BELL_NAME, BELL_NAME, ""));
    assert_false(check(BELL_NAME, BELL_NAME, NULL));
    assert_false(check("alice/phone", BELL_NAME, RIG_KEY));
    assert_false(check(NULL, BELL_NAME, RIG_KEY));
    assert_false(check(BELL_NAME, "alice", rig_token(&rig, 1, "alice", NULL, 3600)));
    assert_true(acl_may_publish(rig.core, &p));
    p.topic = slice_str("send/@bob");
    assert_false(acl_may_publish(rig.core, &p));
    assert_false(acl_may_subscribe(rig.core, &first, BELL_NAME, slice_str("chat/#")));
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    p.client_id = "alice/phone";
    p.topic = slice_str(TOPIC_BELL);
    assert_false(acl_may_publish(rig.core, &p));
}

/* All versions: BASIC_AUTH(new), then DISCONNECT(old). */
static void test_takeover(void **state)
{
    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &first, 1, "alice", "phone", NULL, 0);
    assert_int_equal(rig_count("alice/phone", "me/ready"), 1);
    assert_true(rig_login(&rig, &second, 1, "alice", "phone"));
    assert_true(session_of(&first)->superseded);
    assert_int_equal(rig_count("alice/phone", "me/ready"), 2);
    rig_forget();
    rig_device(&rig, 1, "phone", "once");
    assert_int_equal(rig_message_count, 1);
    core_disconnected(rig.core, &first);
    rig_device(&rig, 1, "phone", "once");
    assert_int_equal(rig_message_count, 2);
    assert_null(session_of(&first));
    assert_false(session_of(&second)->superseded);
}

/* BASIC_AUTH(new) was let in, but the broker did not finish the CONNECT. */
static void test_failed_takeover(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    assert_true(rig_login(&rig, &second, 1, "alice", "phone"));
    core_disconnected(rig.core, &second);
    assert_false(session_of(&first)->superseded);
    assert_ptr_equal(sessions_current(session_of(&first)->user, slice_str("phone")),
                     session_of(&first));
}

static void test_takeovers_in_a_row(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    assert_true(rig_login(&rig, &second, 1, "alice", "phone"));
    assert_true(rig_login(&rig, &third, 1, "alice", "phone"));
    core_disconnected(rig.core, &second);
    core_disconnected(rig.core, &third);
    assert_false(session_of(&first)->superseded);
    core_disconnected(rig.core, &first);
    core_disconnected(rig.core, &first); /* 2.0: again when a durable session is resumed */
    assert_null(rig.core->sessions.users);
}

/* A login that fails with a victim's client id; its DISCONNECT carries that id (2.0.21, 2.1) or
 * none (2.0.11), but never the victim's pointer. A bare TCP connection ends in DISCONNECT too. */
static void test_attacker_does_not_end_the_session(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    assert_false(auth_check(rig.core, &attacker, "alice/phone", "alice", "guess"));
    core_disconnected(rig.core, &attacker);
    core_disconnected(rig.core, NULL);
    assert_non_null(session_of(&first));
    assert_false(session_of(&first)->superseded);
    assert_true(rig_publish(&rig, &first, "alice/phone", "send/@bob", "{\"id\":\"1\"}"));
    assert_false(rig_publish(&rig, &attacker, "alice/phone", "send/@bob", "{\"id\":\"1\"}"));
}

/* The broker freed a connection without telling and uses its memory again. */
static void test_pointer_is_used_again(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    assert_false(rig_publish(&rig, &first, "bob/phone", "send/@bob", "{\"id\":\"1\"}"));
    assert_true(rig_login(&rig, &first, 2, "bob", "phone"));
    assert_int_equal(session_of(&first)->user->uid, 2);
    assert_null(sessions_find_user(&rig.core->sessions, 1));
    assert_false(auth_check(rig.core, &first, "carol/phone", "carol", "guess"));
    assert_null(session_of(&first));
}

static void test_reload_keeps_connections(void **state)
{
    static char token[TOKEN_MAX_LENGTH + 1];
    const char *other;

    (void)state;
    rig_link(&rig, true);
    snprintf(token, sizeof token, "%s", rig_token(&rig, 1, "alice", NULL, 3600));
    assert_true(auth_check(rig.core, &first, "alice/phone", "alice", token));
    rig_attached(&rig, 1, NULL, 0, true);
    auth_reload(rig.core);
    assert_true(auth_check(rig.core, &first, "alice/phone", "alice", token));
    /* A durable session without connection: let in, but it gets nothing. */
    assert_true(auth_check(rig.core, &second, "bob/phone", "bob", token));
    assert_null(session_of(&second));
    other = rig_token(&rig, 1, "alice", NULL, 1800);
    assert_false(auth_check(rig.core, &first, "alice/phone", "alice", other));
    assert_false(auth_check(rig.core, &first, "alice/tablet", "alice", token));
    assert_non_null(session_of(&first)); /* the broker disconnects it itself */
    assert_int_equal(rig_count(NULL, "me/ready"), 1);
    rig_tick(&rig);
    assert_false(auth_check(rig.core, &second, "bob/phone", "bob", token));
}

static void test_reload_ends_what_has_expired(void **state)
{
    static char token[TOKEN_MAX_LENGTH + 1];
    struct session *session;

    (void)state;
    snprintf(token, sizeof token, "%s", rig_token(&rig, 1, "alice", NULL, 3600));
    assert_true(auth_check(rig.core, &first, "alice/phone", "alice", token));
    session = sessions_find_any(&rig.core->sessions, &first);
    session->deadline_s = clock_wall_ms() / 1000 - 1;
    auth_reload(rig.core);
    assert_false(auth_check(rig.core, &first, "alice/phone", "alice", token));
}

static void test_expiry(void **state)
{
    struct session *session;

    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    assert_true(rig_login(&rig, &second, 2, "bob", "phone"));
    session = sessions_find_any(&rig.core->sessions, &first);
    assert_in_range(session->deadline_s, clock_wall_ms() / 1000 + 3600,
                    clock_wall_ms() / 1000 + 3600 + 40);
    session->deadline_s = clock_wall_ms() / 1000 - 1;
    rig_kick_client = &first;
    rig_tick(&rig);
    assert_true(rig_last_has("alice/phone", "me/event", "\"expired\""));
    assert_int_equal(rig_kick_count, 0); /* the event has to leave first */
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 1);
    assert_string_equal(rig_kicked[0], "alice/phone");
    assert_null(session_of(&first));
    assert_non_null(session_of(&second));
}

/* The plugin looks at jwks.json now, and then at all connections. */
static void look_at_keys(void)
{
    rig.core->auth.keys.look_ms = 0;
    rig.core->scan_ms = 0;
    rig_tick(&rig);
}

/* Logs in with a token of this key. */
static bool login_with(struct jwt_signer *signer, const void *client, const char *device)
{
    struct jwt_signer *own = rig.signer;
    bool ok;

    rig.signer = signer;
    ok = rig_login(&rig, client, 1, "alice", device);
    rig.signer = own;
    return ok;
}

static void test_keys_rotate(void **state)
{
    struct jwt_signer *new = jwt_signer_generate();

    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    assert_false(login_with(new, &second, "tablet"));
    rig_publish_keys(&rig, new, rig.signer);
    assert_false(login_with(new, &second, "tablet")); /* nobody has looked yet */
    look_at_keys();
    assert_true(login_with(new, &second, "tablet"));
    assert_true(rig_login(&rig, &third, 1, "alice", "laptop"));
    assert_int_equal(rig_count(NULL, "me/event"), 0);
    assert_int_equal(rig_kick_count, 0);
    /* The old one retires. */
    rig_publish_keys(&rig, new, NULL);
    look_at_keys();
    assert_true(rig_last_has("alice/phone", "me/event", "\"revoked\""));
    assert_true(rig_last_has("alice/laptop", "me/event", "\"revoked\""));
    assert_int_equal(rig_count("alice/tablet", "me/event"), 0);
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 2);
    assert_false(rig_login(&rig, &attacker, 1, "alice", "phone"));
    assert_non_null(session_of(&second));
    jwt_signer_destroy(new);
}

static void test_sighup_looks_at_once(void **state)
{
    struct jwt_signer *new = jwt_signer_generate();

    (void)state;
    rig_tick(&rig); /* the next look is a second away */
    rig_publish_keys(&rig, new, NULL);
    auth_reload(rig.core);
    rig_tick(&rig);
    assert_true(login_with(new, &first, "phone"));
    assert_false(rig_login(&rig, &second, 1, "alice", "tablet"));
    jwt_signer_destroy(new);
}

static void test_broken_keys_change_nothing(void **state)
{
    static const char *const broken[] = {"", "{", "{\"keys\":[]}",
                                         "{\"keys\":[{\"kty\":\"RSA\"}]}"};
    char path[128], away[140];

    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    for (size_t i = 0; i < ARRAY_LENGTH(broken); i++) {
        rig_write_jwks(&rig, broken[i]);
        look_at_keys();
        assert_true(rig_login(&rig, &second, 1, "alice", "tablet"));
    }
    snprintf(path, sizeof path, "%s/jwks.json", rig.directory);
    snprintf(away, sizeof away, "%s.away", path);
    assert_int_equal(rename(path, away), 0);
    look_at_keys();
    assert_true(rig_login(&rig, &third, 1, "alice", "laptop"));
    assert_int_equal(rename(away, path), 0);
    rig_publish_keys(&rig, rig.signer, NULL);
    look_at_keys();
    assert_int_equal(rig.core->auth.keys.retry_ms, 0);
    assert_int_equal(rig_count(NULL, "me/event"), 0);
}

/* What was wrong may not have been the file. */
static void test_keys_are_tried_again(void **state)
{
    struct public_keys *k = &rig.core->auth.keys;
    struct jwt_signer *new = jwt_signer_generate();

    (void)state;
    rig_publish_keys(&rig, new, rig.signer);
    k->retry_ms = k->look_ms = clock_monotonic_ms();
    assert_int_equal(stat(rig.core->options.jwks_file, &k->seen), 0);
    look_at_keys();
    assert_true(login_with(new, &first, "phone"));
    assert_int_equal(k->retry_ms, 0);
    jwt_signer_destroy(new);
}

/* The same when SIGHUP was the occasion. */
static void test_keys_are_tried_again_after_sighup(void **state)
{
    struct public_keys *k = &rig.core->auth.keys;
    struct jwt_signer *new = jwt_signer_generate();

    (void)state;
    rig_tick(&rig);
    rig_write_jwks(&rig, "{");
    auth_reload(rig.core);
    assert_true(k->retry_ms > rig.core->now_ms);
    rig_publish_keys(&rig, new, rig.signer);
    assert_int_equal(stat(rig.core->options.jwks_file, &k->seen), 0); /* nothing has changed */
    look_at_keys();
    assert_false(login_with(new, &first, "phone"));
    k->retry_ms = clock_monotonic_ms();
    look_at_keys();
    assert_true(login_with(new, &first, "phone"));
    k->retry_ms = UINT64_MAX;
    auth_reload(rig.core);
    assert_int_equal(k->retry_ms, 0);
    jwt_signer_destroy(new);
}

/* However many there are, all of them have been looked at within a second. */
static void test_a_retired_key_ends_all_soon(void **state)
{
    enum { SESSIONS = 1000, USERS = 100 };
    static const char clients[SESSIONS];
    struct jwt_signer *new = jwt_signer_generate();
    size_t ended = 0;

    (void)state;
    for (size_t i = 0; i < SESSIONS; i++) {
        char handle[16], device[16], client_id[40];

        snprintf(handle, sizeof handle, "user%zu", i % USERS);
        snprintf(device, sizeof device, "d%zu", i / USERS);
        snprintf(client_id, sizeof client_id, "%s/%s", handle, device);
        assert_int_equal(auth_check(rig.core, &clients[i], client_id, handle,
                                    rig_token(&rig, i % USERS + 1, handle, NULL, 3600)),
                         AUTH_GRANTED);
    }
    rig_publish_keys(&rig, new, NULL);
    look_at_keys();
    for (int i = 0; i < 9; i++) {
        rig.core->scan_ms = 0;
        auth_scan(rig.core);
    }
    for (size_t i = 0; i < SESSIONS; i++)
        ended += !session_of(&clients[i]) || session_of(&clients[i])->kick_turn > 0;
    assert_int_equal(ended, SESSIONS);
    for (size_t i = 0; i < SESSIONS; i++)
        core_disconnected(rig.core, &clients[i]);
    jwt_signer_destroy(new);
}

/* A device hears in good time that its token ends; one that came with a token of less knows. */
static void test_notice(void **state)
{
    (void)state;
    assert_true(auth_check(rig.core, &first, "alice/phone", "alice",
                           rig_token(&rig, 1, "alice", NULL, NOTICE_S + 1)));
    assert_true(
        auth_check(rig.core, &second, "bob/phone", "bob", rig_token(&rig, 2, "bob", NULL, 30)));
    sessions_find_any(&rig.core->sessions, &first)->token_hash = 0;
    rig_tick(&rig);
    assert_int_equal(rig_message_count, 0);
    sessions_find_any(&rig.core->sessions, &first)->token_hash = 5;
    rig.core->scan_ms = 0;
    rig_tick(&rig);
    assert_true(
        rig_last_has("alice/phone", "me/event", "{\"event\":\"token_expires\",\"at\":\"20"));
    rig.core->scan_ms = 0;
    rig_tick(&rig);
    assert_int_equal(rig_message_count, 1);
}

/* A kick that was queued must not hit the connection that has taken over meanwhile. */
static void test_kick_spares_the_newer_connection(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    core_kick(rig.core, sessions_find_any(&rig.core->sessions, &first));
    assert_true(rig_login(&rig, &second, 1, "alice", "phone"));
    rig_tick(&rig);
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 0);
    core_kick(rig.core, sessions_find_any(&rig.core->sessions, &second));
    core_disconnected(rig.core, &second); /* gone by itself */
    core_disconnected(rig.core, &first);
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 0);
}

struct publish_case {
    const char *topic;
    int qos;
    bool retain;
    bool allowed;
    const char *receipt; /* what the receipt contains; NULL: there is none */
};

static void test_publish_rules(void **state)
{
    static const struct publish_case cases[] = {
        {"send/@bob", 0, false, true, NULL},
        {"send/@bob", 1, false, true, NULL},
        {"send/@bob", 2, false, false, "\"id\":\"7\",\"conversation\":\"@bob\""},
        {"send/@bob", 0, true, false, "\"invalid\""},
        {"send/0198c0de-0000-7000-8000-000000000001", 1, false, true, NULL},
        {"send/0198C0DE-0000-7000-8000-000000000001", 1, false, false, "\"invalid\""},
        {"send/@Bob", 1, false, false, "\"conversation\":\"@Bob\""},
        {"send/", 1, false, false, "\"invalid\""},
        {"send/me/sync", 1, false, true, NULL},
        {"send/@bob/typing", 1, false, false, "\"invalid\""},
        {"$CONTROL/chat/v1", 1, false, true, NULL},
        {"$CONTROL/chat/v1", 2, false, false, NULL},
        {"$CONTROL/dynamic-security/v1", 1, false, false, NULL},
        {"chat/0198c0de-0000-7000-8000-000000000001", 1, false, false, NULL},
        {"me/receipt", 1, false, false, NULL},
        {"anything", 0, false, false, NULL},
        {"", 0, false, false, NULL},
    };

    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct acl_publish p = {&first,
                                "alice/phone",
                                slice_str(cases[i].topic),
                                slice_str("{\"id\":\"7\",\"text\":\"x\"}"),
                                cases[i].qos,
                                cases[i].retain};

        rig_forget();
        assert_int_equal(acl_may_publish(rig.core, &p), cases[i].allowed);
        assert_int_equal(rig_message_count, cases[i].receipt ? 1 : 0);
        if (cases[i].receipt)
            assert_true(rig_last_has("alice/phone", "me/receipt", cases[i].receipt));
    }
}

/* The will is asked for after DISCONNECT. */
static void test_will_is_refused(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &first, 1, "alice", "phone"));
    core_disconnected(rig.core, &first);
    assert_false(rig_publish(&rig, &first, "alice/phone", "send/@bob", "{\"id\":\"1\"}"));
    assert_int_equal(rig_message_count, 0);
}

static void test_subscribe_rules(void **state)
{
    (void)state;
    assert_true(acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("chat/#")));
    assert_true(acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("me/receipt")));
    assert_true(
        acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("$CONTROL/chat/v1/response")));
    assert_true(
        acl_may_subscribe(rig.core, &first, NULL, slice_str("chat/#"))); /* after DISCONNECT */
    assert_false(acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("#")));
    assert_false(acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("send/#")));
    assert_false(acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("$SYS/#")));
    assert_false(acl_may_subscribe(rig.core, &first, "alice/phone", slice_str("$share/g/chat/#")));
}

/* The broker looks through a client's filters one by one. */
static void test_filters_are_bounded(void **state)
{
    char filter[64];
    int granted = 0;

    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &first, 1, "alice", "phone", NULL, 0);
    for (int i = 0; i < 2 * ACL_FILTERS_MAX; i++) {
        snprintf(filter, sizeof filter, "chat/%d", i);
        granted += rig_subscribe(&rig, &first, "alice/phone", filter);
        if (i == ACL_PLAIN_FILTERS_MAX) /* those to a presence have a bound of their own */
            assert_true(rig_subscribe(&rig, &first, "alice/phone", "presence/alice"));
    }
    assert_int_equal(granted, ACL_PLAIN_FILTERS_MAX);
    assert_false(rig_subscribe(&rig, &first, "alice/phone", "presence/alice"));
}

static void test_devices_of_a_user_are_bounded(void **state)
{
    static const char clients[SESSIONS_PER_USER + 1];
    char device[16];

    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &clients[0], 1, "alice", "d0", NULL, 0);
    for (unsigned i = 1; i < SESSIONS_PER_USER; i++) {
        snprintf(device, sizeof device, "d%u", i);
        assert_true(rig_login(&rig, &clients[i], 1, "alice", device));
    }
    for (int i = 0; i < 4; i++)
        rig_tick(&rig);
    assert_int_equal(rig_kick_count, 0);
    /* One more: the one that has been here longest goes, and is told why. */
    rig_kick_client = &clients[0];
    assert_true(rig_login(&rig, &clients[SESSIONS_PER_USER], 1, "alice", "late"));
    for (int i = 0; i < 4; i++)
        rig_tick(&rig);
    assert_int_equal(rig_kick_count, 1);
    assert_string_equal(rig_kicked[0], "alice/d0");
    assert_true(rig_last_has("alice/d0", "me/event", "too_many_devices"));
    rig_kick_client = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_must_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_token_is_bound_to_a_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_notice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_takeover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_takeover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_takeovers_in_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_attacker_does_not_end_the_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pointer_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload_keeps_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload_ends_what_has_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expiry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_rotate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sighup_looks_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_keys_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_are_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys_are_tried_again_after_sighup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_retired_key_ends_all_soon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kick_spares_the_newer_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_publish_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_will_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subscribe_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filters_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_devices_of_a_user_are_bounded, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
