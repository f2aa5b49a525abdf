/* SPDX-License-Identifier: MIT */
/* commands_turns_test.c - commands that must look up what they are about, chores, and the end of a
 * conversation: whose turn it is, and what the plugin is told. */
#include "unit/unit.h"

#include "unit/commands_rig.h"

#include "core/effects.h"

/* The end of a conversation is one frame, however many members there were. */
static void test_the_end_is_told_once(void **state)
{
    PGresult *result = effects_result();
    struct uuid id;
    int row = fake_result_add_row(result);

    assert_true(uuid_parse(&id, slice_str(GROUP)));
    fake_result_uuid(result, row, EFFECT_COLUMN_CONVERSATION, &id);
    fake_result_i64(result, row, EFFECT_COLUMN_CONVERSATION_KIND, CONVERSATION_CHANNEL);
    fake_result_i64(result, row, EFFECT_COLUMN_SEQ, 9);
    ask(*state, "{\"command\":\"deleteConversation\",\"conversation\":\"" GROUP "\"}");
    fake_database_answer(0, result);
    expect("ended " GROUP "; barrier; ");
    barrier_done(barrier_owner, true);
    buf_reset(&happened);
}

static const char *const join_news = "{\"command\":\"join\",\"name\":\"news\"}";

static PGresult *found(const char *conversation)
{
    PGresult *result = fake_result(1);
    struct uuid id;

    assert_true(uuid_parse(&id, slice_str(conversation)));
    fake_result_uuid(result, fake_result_add_row(result), 0, &id);
    return result;
}

/* Whoever was looked up goes behind those who are at work on the conversation by then. */
static void test_a_look_up_comes_before_the_turn(void **state)
{
    ask(*state, join_news);
    assert_string_equal(fake_database_statement(0), "find_channel");
    ask(*state, remove_bob);
    assert_int_equal(fake_database_waiting(), 2);
    fake_database_answer(0, found(GROUP));
    assert_int_equal(fake_database_waiting(), 1);
    assert_string_equal(fake_database_statement(0), "remove_member");
    fake_database_answer(0, bob_changed(ROLE_NONE, 8));
    assert_string_equal(fake_database_statement(0), "join");
    buf_reset(&happened);
    fake_database_answer(0, bob_changed(ROLE_MEMBER, 10));
    expect("member 2 2 9; entry 10; answer {\"responses\":[{\"command\":\"join\",\"data\":"
           "{\"conversation\":\"" GROUP "\",\"role\":\"member\",\"last_seq\":9}}]}; ");
    barrier_done(barrier_owner, true);
    buf_reset(&happened);
}

static void test_a_look_up_may_fail(void **state)
{
    ask(*state, join_news);
    fake_database_answer(0, fake_result(1));
    turn(*state);
    assert_non_null(strstr(happened.data, "\"not_found\""));
    buf_reset(&happened);
    ask(*state, join_news);
    fake_database_fail(0, DB_LOST);
    turn(*state);
    assert_non_null(strstr(happened.data, "\"unavailable\""));
    assert_null(strstr(happened.data, "reset"));
    buf_reset(&happened);
    fake_database_set_up(false);
    ask(*state, join_news);
    turn(*state);
    assert_non_null(strstr(happened.data, "\"unavailable\""));
}

static void on_slice(void *owner, enum code code, const char *reason, struct slice data)
{
    (void)reason;
    (void)data;
    *(enum code *)owner = code;
}

static void test_chores_take_turns_too(void **state)
{
    struct fixture *f = *state;
    enum code code = CODE_INTERNAL;
    struct uuid id;

    assert_true(uuid_parse(&id, slice_str(GROUP)));
    ask(f, add_bob);
    commands_chore(f->commands, CHORE_ROLES, &id, on_slice, &code);
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_answer(0, bob_changed(ROLE_MEMBER, 7));
    assert_string_equal(fake_database_statement(0), "settle_roles");
    fake_database_answer(0, effects_result());
    assert_int_equal(code, CODE_OK);
    commands_chore(f->commands, CHORE_ERASE, &id, on_slice, &code);
    fake_database_refuse(0, "XX000", "no");
    assert_int_equal(code, CODE_INTERNAL);
}

/* The plugin has heard of it before the answer leaves. */
static void test_a_revocation_is_answered_behind_a_barrier(void **state)
{
    static const struct uuid login = {{[15] = 5}};
    struct fixture *f = *state;
    PGresult *result = fake_result(3);

    ask(f, "{\"command\":\"revokeDevice\",\"device\":\"phone\"}");
    assert_string_equal(fake_database_statement(0), "revoke_device");
    fake_result_add_row(result);
    fake_result_uuid(result, 0, 0, &login);
    fake_result_i64(result, 0, 1, 1);
    fake_result_i64(result, 0, 2, 0);
    fake_database_answer(0, result);
    expect("ended 5 of 1; barrier; ");
    barrier_done(barrier_owner, true);
    expect("answer {\"responses\":[{\"command\":\"revokeDevice\",\"data\":{\"revoked\":1}}]}; ");
}

/* Who has logged in again and again is not kept waiting by another's revocation. */
static void test_revocations_do_not_take_turns(void **state)
{
    struct fixture *f = *state;

    ask(f, "{\"command\":\"revokeDevice\",\"device\":\"phone\"}");
    ask(f, "{\"command\":\"revokeDevice\",\"device\":\"" GROUP "\"}");
    assert_int_equal(fake_database_waiting(), 2);
    fake_database_fail(0, DB_LOST);
    fake_database_fail(0, DB_LOST);
    assert_null(strstr(happened.data, "reset"));
    assert_non_null(strstr(happened.data, "unavailable"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_end_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_look_up_comes_before_the_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_look_up_may_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_chores_take_turns_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_revocation_is_answered_behind_a_barrier, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_revocations_do_not_take_turns, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
