/* SPDX-License-Identifier: MIT */
/* plugin_attach_test.c - memberships: what the bridge tells, in whatever order it comes. */
#include "unit/unit.h"

#include "unit/plugin_rig.h"
#include "wire/names.h"
#include "wire/topic.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig rig;
static const char alice, bob;

static int set_up(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_link(&rig, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static enum role role_in(uint64_t uid, unsigned n)
{
    struct uuid id = rig_uuid(n);
    struct user *u = sessions_find_user(&rig.core->sessions, uid);
    struct conversation *c = members_find(&rig.core->members, &id);
    struct membership *membership = u && c ? members_of(u, c) : NULL;

    return membership ? (enum role)membership->role : ROLE_NONE;
}

/* Alice and Bob are members of this conversation, and online. */
static void attach_both(const struct attached_conversation *item)
{
    rig_login_attached(&rig, &alice, 1, "alice", "phone", item, 1);
    rig_login_attached(&rig, &bob, 2, "bob", "phone", item, 1);
}

/* Of conversation 1. */
static size_t entries_for(const char *client)
{
    struct uuid one = rig_uuid(1);
    char chat[TOPIC_CHAT_LENGTH + 1];

    topic_format_chat(&one, chat);
    return rig_count(client, chat);
}

static unsigned attaches(void)
{
    struct slice body;
    unsigned count = 0;

    rig_tick(&rig);
    while (rig_next(&rig, FRAME_ATTACH, &body))
        count++;
    return count;
}

/* Publishes as alice; the code of the refusal, or "". */
static const char *post(const struct uuid *id)
{
    static const char *const codes[] = {"forbidden", "not_found", "too_large", "invalid"};
    char topic[64] = "send/";

    uuid_format(id, topic + 5);
    rig_forget();
    if (rig_publish(&rig, &alice, "alice/phone", topic, "{\"id\":\"1\",\"text\":\"x\"}"))
        return "";
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        if (rig_last_has("alice/phone", "me/receipt", codes[i]))
            return codes[i];
    }
    return "no receipt";
}

static void test_answer_in_parts(void **state)
{
    struct attached_conversation items[] = {rig_item(1, 5), rig_item(2, 6)};

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_int_equal(attaches(), 1);
    rig_attached(&rig, 1, items, 1, false);
    assert_int_equal(rig_message_count, 0);
    rig_attached(&rig, 1, items + 1, 1, true);
    assert_int_equal(rig_count("alice/phone", "me/ready"), 1);
    assert_int_equal(role_in(1, 1), ROLE_MEMBER);
    assert_int_equal(role_in(1, 2), ROLE_MEMBER);
    assert_int_equal(attaches(), 0);
}

static void test_right_to_post(void **state)
{
    struct attached_conversation items[] = {rig_item(1, 5), rig_item(2, 6)};
    struct uuid direct = direct_conversation_id(slice_str("alice"), slice_str("bob"));
    struct uuid unknown = rig_uuid(3);

    (void)state;
    items[1].role = ROLE_READER;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_string_equal(post(&unknown), ""); /* not attached: the bridge will judge */
    rig_attached(&rig, 1, items, 2, true);
    assert_string_equal(post(&items[0].conversation), "");
    assert_string_equal(post(&items[1].conversation), "forbidden");
    assert_string_equal(post(&unknown), "not_found");
    assert_string_equal(post(&direct), ""); /* may be on its way */
    rig_member(&rig, &unknown, 1, ROLE_ADMIN, 3);
    assert_string_equal(post(&unknown), "");
    rig_member(&rig, &unknown, 1, ROLE_NONE, 4);
    assert_string_equal(post(&unknown), "not_found");
    rig_unlink(&rig);
    assert_string_equal(post(&unknown), ""); /* what it knows may be old */
}

static void test_payload_limits(void **state)
{
    char *large = malloc(PAYLOAD_MAX_BYTES + 2);

    (void)state;
    assert_non_null(large);
    memset(large, ' ', PAYLOAD_MAX_BYTES + 1);
    large[PAYLOAD_MAX_BYTES + 1] = '\0';
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_false(rig_publish(&rig, &alice, "alice/phone", "send/@bob", large));
    assert_true(rig_last_has("alice/phone", "me/receipt", "\"too_large\""));
    assert_false(rig_publish(&rig, &alice, "alice/phone", "send/@bob", ""));
    assert_true(rig_last_has("alice/phone", "me/receipt", "\"invalid\""));
    large[PAYLOAD_MAX_BYTES] = '\0';
    assert_true(rig_publish(&rig, &alice, "alice/phone", "send/@bob", large));
    free(large);
}

/* MEMBER frames that come before the answer are newer than it. */
static void test_changes_while_the_answer_is_under_way(void **state)
{
    struct attached_conversation items[] = {rig_item(1, 5), rig_item(2, 6), rig_item(3, 7)};
    struct uuid one = rig_uuid(1), two = rig_uuid(2), four = rig_uuid(4);

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    rig_member(&rig, &one, 1, ROLE_NONE, 6);
    rig_member(&rig, &two, 1, ROLE_OWNER, 7);
    rig_member(&rig, &four, 1, ROLE_MEMBER, 1);
    rig_entry(&rig, &one, 6, 2, "", "{}");
    rig_attached(&rig, 1, items, 3, true);
    rig_entry(&rig, &one, 7, 2, "", "{}");
    assert_int_equal(rig_count("alice/phone", "me/ready"), 1);
    assert_int_equal(rig_message_count, 1);
    assert_int_equal(role_in(1, 1), ROLE_NONE);
    assert_int_equal(role_in(1, 2), ROLE_OWNER);
    assert_int_equal(role_in(1, 3), ROLE_MEMBER);
    assert_int_equal(role_in(1, 4), ROLE_MEMBER);
    assert_null(members_find(&rig.core->members, &one));
}

static void test_removal_takes_effect_at_once(void **state)
{
    struct attached_conversation item = rig_item(1, 0);
    struct uuid one = rig_uuid(1);

    (void)state;
    attach_both(&item);
    rig_entry(&rig, &one, 1, 1, "", "{}");
    rig_entry(&rig, &one, 3, 1, "", "{}"); /* waits for 2 */
    rig_member(&rig, &one, 2, ROLE_NONE, 3);
    rig_entry(&rig, &one, 2, 1, "", "{}");
    assert_int_equal(entries_for("alice/phone"), 3);
    assert_int_equal(entries_for("bob/phone"), 1);
}

/* What was posted before somebody joined is not theirs, even if it is delivered later. */
static void test_newcomer_gets_nothing_from_before(void **state)
{
    struct attached_conversation item = rig_item(1, 0);
    struct uuid one = rig_uuid(1);

    (void)state;
    rig_login_attached(&rig, &alice, 1, "alice", "phone", &item, 1);
    rig_login_attached(&rig, &bob, 2, "bob", "phone", NULL, 0);
    rig_entry(&rig, &one, 2, 1, "", "{}"); /* waits for 1 */
    rig_member(&rig, &one, 2, ROLE_MEMBER, 2);
    rig_entry(&rig, &one, 3, 1, "", "{}");
    rig_entry(&rig, &one, 1, 1, "", "{}");
    assert_int_equal(entries_for("alice/phone"), 3);
    assert_int_equal(entries_for("bob/phone"), 1);
}

/* Gone and back while the answer is under way: one question, one answer. */
static void test_user_comes_back_before_the_answer(void **state)
{
    struct attached_conversation item = rig_item(1, 0);
    struct uuid one = rig_uuid(1);

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    core_disconnected(rig.core, &alice);
    rig_member(&rig, &one, 1, ROLE_NONE, 1);
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_int_equal(attaches(), 1);
    rig_attached(&rig, 1, &item, 1, true);
    assert_int_equal(rig_count("alice/phone", "me/ready"), 1);
    assert_int_equal(role_in(1, 1), ROLE_NONE);
}

static void test_user_leaves_before_the_answer(void **state)
{
    struct attached_conversation item = rig_item(1, 0);

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    core_disconnected(rig.core, &alice);
    rig_attached(&rig, 1, &item, 1, true);
    assert_null(rig.core->sessions.users);
    assert_int_equal(rig.core->members.conversations.count, 0);
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    core_disconnected(rig.core, &alice);
    rig_unlink(&rig);
    assert_null(rig.core->sessions.users);
}

static void ended(const struct uuid *conversation)
{
    struct buf b;

    buf_init(&b, 1024);
    frame_write_ended(&b, &(struct frame_ended){*conversation});
    rig_send(&rig, &b);
    buf_finish(&b);
}

/* Devices that have had me/ready hear what becomes of memberships; nothing is told twice. */
static void test_events_of_memberships(void **state)
{
    struct attached_conversation item = rig_item(1, 5);
    struct uuid one = rig_uuid(1), two = rig_uuid(2);
    static const char tablet;

    (void)state;
    rig_login_attached(&rig, &alice, 1, "alice", "phone", &item, 1);
    assert_int_equal(rig_count(NULL, "me/event"), 0);
    assert_true(rig_login(&rig, &tablet, 1, "alice", "tablet"));
    rig_member(&rig, &two, 1, ROLE_READER, 3);
    assert_true(rig_last_has("alice/phone", "me/event", "{\"event\":\"added\","));
    assert_true(
        rig_last_has("alice/tablet", "me/event", "\"kind\":\"group\",\"role\":\"reader\"}"));
    rig_member(&rig, &two, 1, ROLE_READER, 3);
    assert_int_equal(rig_count("alice/phone", "me/event"), 1);
    rig_member(&rig, &two, 1, ROLE_ADMIN, 4);
    assert_true(rig_last_has("alice/phone", "me/event", "{\"event\":\"role_changed\","));
    rig_member(&rig, &one, 1, ROLE_NONE, 6);
    rig_member(&rig, &one, 1, ROLE_NONE, 6);
    assert_true(rig_last_has("alice/phone", "me/event", "{\"event\":\"removed\","));
    assert_int_equal(rig_count("alice/phone", "me/event"), 3);
    assert_int_equal(rig_count("alice/tablet", "me/event"), 3);
}

/* After the link was lost the answer tells what had changed; to a new device nothing is news. */
static void test_events_of_another_answer(void **state)
{
    struct attached_conversation items[] = {rig_item(1, 5), rig_item(2, 5), rig_item(3, 5)};
    static const char tablet;

    (void)state;
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, 2);
    rig_unlink(&rig);
    assert_true(rig_login(&rig, &tablet, 1, "alice", "tablet"));
    rig_link(&rig, true);
    items[1].role = ROLE_OWNER;
    rig_attached(&rig, 1, items + 1, 2, true);
    assert_int_equal(rig_count("alice/phone", "me/event"), 3);
    assert_int_equal(rig_count("alice/tablet", "me/event"), 0);
    assert_int_equal(rig_count("alice/tablet", "me/ready"), 1);
    assert_true(rig_last_has("alice/phone", "me/event", "\"removed\""));
}

/* One frame ends it for all: those who know, and those whose answer may be older. */
static void test_end_of_a_conversation(void **state)
{
    struct attached_conversation item = rig_item(1, 5);
    struct uuid one = rig_uuid(1);
    static const char carol;
    struct slice body;

    (void)state;
    attach_both(&item);
    assert_true(rig_login(&rig, &carol, 3, "carol", "phone"));
    ended(&one);
    rig_barrier(&rig, 7);
    rig_tick(&rig);
    assert_true(rig_next(&rig, FRAME_BARRIER_DONE, &body));
    assert_true(rig_last_has("alice/phone", "me/event", "\"removed\""));
    assert_true(rig_last_has("bob/phone", "me/event", "\"removed\""));
    assert_int_equal(role_in(1, 1), ROLE_NONE);
    assert_int_equal(role_in(2, 1), ROLE_NONE);
    rig_attached(&rig, 3, &item, 1, true);
    assert_int_equal(role_in(3, 1), ROLE_NONE);
    assert_int_equal(rig_count("carol/phone", "me/event"), 0);
    assert_null(members_find(&rig.core->members, &one));
    ended(&one); /* nobody is left */
    assert_int_equal(rig.core->attaching, 0);
}

/* Who was removed and added again while nobody heard of it does not get what was said between. */
static void test_back_among_the_members(void **state)
{
    struct attached_conversation item = rig_item(1, 5);
    struct uuid one = rig_uuid(1);

    (void)state;
    attach_both(&item);
    rig_unlink(&rig);
    rig_link(&rig, true);
    item.last_seq = 9;
    rig_attached(&rig, 2, &item, 1, true);
    item.joined_seq = 8;
    rig_attached(&rig, 1, &item, 1, true);
    for (int64_t seq = 6; seq <= 9; seq++)
        rig_entry(&rig, &one, seq, 3, "phone", "{}");
    assert_int_equal(entries_for("bob/phone"), 4);
    assert_int_equal(entries_for("alice/phone"), 1);
    assert_int_equal(role_in(1, 1), ROLE_MEMBER);
}

/* The end of it is news for a user who is being asked for again. */
static void test_end_while_asked_again(void **state)
{
    struct attached_conversation item = rig_item(1, 5);
    struct uuid one = rig_uuid(1);

    (void)state;
    rig_login_attached(&rig, &alice, 1, "alice", "phone", &item, 1);
    rig_unlink(&rig);
    rig_link(&rig, true);
    ended(&one);
    assert_true(rig_last_has("alice/phone", "me/event", "\"removed\""));
    rig_attached(&rig, 1, &item, 1, true);
    assert_int_equal(rig_count("alice/phone", "me/event"), 1);
    assert_int_equal(role_in(1, 1), ROLE_NONE);
}

static void kick(uint64_t uid, const char *device, const char *reason)
{
    struct frame_kick f = {uid, slice_str(device), slice_str(reason)};
    struct buf b;

    buf_init(&b, 1024);
    frame_write_kick(&b, &f);
    rig_send(&rig, &b);
    buf_finish(&b);
}

static void test_kick_of_one_device(void **state)
{
    static const char tablet;

    (void)state;
    rig_login_attached(&rig, &alice, 1, "alice", "phone", NULL, 0);
    assert_true(rig_login(&rig, &tablet, 1, "alice", "tablet"));
    kick(1, "tablet", "kicked");
    kick(9, "", "kicked"); /* nobody here */
    assert_true(rig_last_has("alice/tablet", "me/event", "\"kicked\""));
    rig_kick_client = &tablet;
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 1);
    assert_string_equal(rig_kicked[0], "alice/tablet");
    assert_non_null(sessions_find_any(&rig.core->sessions, &alice));
}

/* A user who does not exist any more: KICK is the answer to ATTACH. */
static void test_kick_instead_of_an_answer(void **state)
{
    struct attached_conversation item = rig_item(1, 0);

    (void)state;
    attach_both(&item);
    rig_unlink(&rig);
    rig_forget();
    rig_link(&rig, true);
    assert_int_equal(rig.core->resyncing, 2);
    kick(1, "", KICK_DISABLED);
    rig_attached(&rig, 2, &item, 1, true);
    assert_int_equal(rig.core->resyncing, 0);
    assert_int_equal(rig_count(NULL, "me/ready"), 0);
    assert_int_equal(role_in(1, 1), ROLE_NONE);
    rig_kick_client = &alice;
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 1);
    assert_null(sessions_find_user(&rig.core->sessions, 1));
}

/* Whoever is merely kicked exists: the answer still comes, also for who is back by then. */
static void test_a_kick_that_is_no_answer(void **state)
{
    static const char tablet;
    struct attached_conversation item = rig_item(1, 0);

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    kick(1, "", "kicked");
    assert_true(rig_login(&rig, &tablet, 1, "alice", "tablet"));
    assert_int_equal(rig_count("alice/tablet", "me/ready"), 0);
    rig_kick_client = &alice;
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 1);
    rig_attached(&rig, 1, &item, 1, true);
    assert_int_equal(rig_count("alice/tablet", "me/ready"), 1);
    assert_int_equal(role_in(1, 1), ROLE_MEMBER);
}

/* 50 conversations, nobody else online: the budget of docs/architecture.md's plugin. */
static void test_memory_per_user(void **state)
{
    enum { CONVERSATIONS = 50, BUDGET = 8192, MALLOC_OVERHEAD = 16 };
    struct attached_conversation items[CONVERSATIONS];
    const struct user *u;
    size_t bytes = 0;

    (void)state;
    for (unsigned i = 0; i < CONVERSATIONS; i++)
        items[i] = rig_item(i, 0);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, CONVERSATIONS);
    u = sessions_find_user(&rig.core->sessions, 1);
    bytes += sizeof(struct user) + sizeof(struct session) + 3 * MALLOC_OVERHEAD;
    bytes += u->memberships.capacity * sizeof(struct membership);
    bytes +=
        CONVERSATIONS * (sizeof(struct conversation) + sizeof(struct member) + 2 * MALLOC_OVERHEAD);
    bytes += rig.core->members.conversations.slot_count * sizeof(void *);
    assert_in_range(bytes, 1, BUDGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answer_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_right_to_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_payload_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_while_the_answer_is_under_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_removal_takes_effect_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newcomer_gets_nothing_from_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_user_comes_back_before_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_user_leaves_before_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_of_memberships, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_of_another_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_of_a_conversation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_back_among_the_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_while_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kick_of_one_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kick_instead_of_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_kick_that_is_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_per_user, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
