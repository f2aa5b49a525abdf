/* SPDX-License-Identifier: MIT */
/* commands_test.c - the command engine between a fake database and a fake link: what is told to the
 * plugin in which order, when answers come, and what every wrong request is told. */
#include "unit/unit.h"

#include "unit/commands_rig.h"

#include "core/command.h"

static void test_effects_come_before_the_answer(void **state)
{
    ask(*state, add_bob);
    expect("");
    assert_string_equal(fake_database_statement(0), "add_members");
    fake_database_answer(0, bob_changed(ROLE_MEMBER, 7));
    expect("member 2 2 6; entry 7; answer {\"responses\":[{\"command\":\"addMembers\",\"data\":"
           "{\"conversation\":\"" GROUP "\",\"added\":[\"bob\"]}}]}; ");
}

static void test_removals_are_answered_behind_a_barrier(void **state)
{
    struct uuid group;

    changed_conversation = (struct uuid){0};
    ask(*state, remove_bob);
    fake_database_answer(0, bob_changed(ROLE_NONE, 8));
    expect("member 2 0 8; entry 8; barrier; ");
    assert_true(uuid_parse(&group, slice_str(GROUP)));
    assert_true(uuid_equal(&changed_conversation, &group)); /* the writer has to look again */
    turn(*state);
    expect("");
    barrier_done(barrier_owner, true);
    expect(
        "answer {\"responses\":[{\"command\":\"removeMember\",\"data\":{\"conversation\":\"" GROUP
        "\"}}]}; ");
}

/* The first one may have been done and not confirmed. */
static void test_a_second_try_waits_for_the_barrier_too(void **state)
{
    static const struct {
        bool everywhere;
        const char *code;
    } cases[] = {{true, "\"not_found\""}, {false, "\"unavailable\""}};

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        ask(*state, remove_bob);
        fake_database_refuse(0, "BN004", "gone");
        expect("barrier; ");
        barrier_done(barrier_owner, cases[i].everywhere);
        assert_non_null(strstr(happened.data, cases[i].code));
        buf_reset(&happened);
    }
}

/* The same of somebody who has left: of whom it is known without being told. */
static void test_who_leaves_again_is_told_of(void **state)
{
    ask(*state, "{\"command\":\"leave\",\"conversation\":\"" GROUP "\"}");
    fake_database_refuse(0, "BN004", "gone");
    expect("member 1 0 0; barrier; ");
    barrier_done(barrier_owner, true);
    assert_non_null(strstr(happened.data, "\"not_found\""));
}

/* While the answer is on its way another node undoes the change, and the plugin hears of that. */
static void test_a_late_answer_undoes_nothing(void **state)
{
    const struct fixture *f = *state;
    struct uuid group;

    assert_true(uuid_parse(&group, slice_str(GROUP)));
    ask(*state, add_bob);
    commands_overtake(f->commands, &(struct uuid){{9}});
    fake_database_answer(0, bob_changed(ROLE_MEMBER, 7));
    assert_non_null(strstr(happened.data, "; entry 7; answer"));
    assert_null(strstr(happened.data, "overtaken"));
    buf_reset(&happened);

    ask(*state, add_bob);
    ask(*state, remove_bob);
    commands_overtake(f->commands, &group);
    fake_database_answer(0, bob_changed(ROLE_MEMBER, 8));
    assert_non_null(strstr(happened.data, "overtaken 2 2 7; entry 8; answer"));
    buf_reset(&happened);
    fake_database_answer(0, bob_changed(ROLE_NONE, 9)); /* was sent afterwards */
    expect("member 2 0 9; entry 9; barrier; ");
    barrier_done(barrier_owner, true);
    buf_reset(&happened);

    ask(*state, "{\"command\":\"leave\",\"conversation\":\"" GROUP "\"}");
    commands_overtake(f->commands, &group);
    fake_database_refuse(0, "BN004", "gone");
    expect("overtaken 1 0 0; barrier; ");
    barrier_done(barrier_owner, true);
}

static void test_refusals_change_nothing(void **state)
{
    static const struct {
        const char *sqlstate;
        const char *code;
        bool ours;
    } cases[] = {
        {"BN001", "invalid", true},       {"BN003", "forbidden", true},
        {"BN007", "limit_reached", true}, {"BN005", "conflict", true},
        {"40P01", "unavailable", false},  {"57014", "unavailable", false},
        {"53100", "unavailable", false},  {"42P01", "internal", false},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        ask(*state, remove_bob);
        fake_database_refuse(0, cases[i].sqlstate, "because");
        assert_null(strstr(happened.data, "reset"));
        assert_null(strstr(happened.data, "barrier"));
        assert_non_null(strstr(happened.data, cases[i].code));
        assert_int_equal(strstr(happened.data, "\"because\"") != NULL, cases[i].ours);
        buf_reset(&happened);
    }
}

static void test_an_unknown_outcome_resets_the_link(void **state)
{
    static const enum db_status lost[] = {DB_LOST, DB_TIMED_OUT};

    for (size_t i = 0; i < ARRAY_LENGTH(lost); i++) {
        ask(*state, remove_bob);
        fake_database_fail(0, lost[i]);
        assert_ptr_equal(strstr(happened.data, "reset; answer "), happened.data);
        assert_non_null(strstr(happened.data, "\"unavailable\""));
        buf_reset(&happened);
    }
    ask(*state, remove_bob);
    fake_database_refuse(0, "57P01", "terminating connection");
    assert_ptr_equal(strstr(happened.data, "reset; answer "), happened.data);
    buf_reset(&happened);

    ask(*state, "{\"command\":\"listMembers\",\"conversation\":\"" GROUP "\"}");
    fake_database_fail(0, DB_LOST);
    assert_null(strstr(happened.data, "reset"));
}

static void test_no_database_is_unavailable(void **state)
{
    fake_database_set_up(false);
    ask(*state, remove_bob);
    expect(
        "answer {\"responses\":[{\"command\":\"removeMember\",\"error\":{\"code\":\"unavailable\","
        "\"reason\":\"the database is not available: try again\"}}]}; ");
}

static void test_changes_of_one_conversation_take_turns(void **state)
{
    ask(*state, add_bob);
    ask(*state, remove_bob);
    ask(*state, remove_elsewhere);
    ask(*state, add_bob);
    assert_int_equal(fake_database_waiting(), 2);
    assert_string_equal(fake_database_statement(1), "remove_member"); /* elsewhere */

    fake_database_answer(0, bob_changed(ROLE_MEMBER, 7));
    buf_reset(&happened);
    assert_int_equal(fake_database_waiting(), 2);
    assert_string_equal(fake_database_statement(1), "remove_member");

    /* The next one does not wait for the barrier, only for what goes before it on the link. */
    fake_database_answer(1, bob_changed(ROLE_NONE, 8));
    expect("member 2 0 8; entry 8; barrier; ");
    assert_string_equal(fake_database_statement(1), "add_members");
    fake_database_answer(1, bob_changed(ROLE_MEMBER, 9));
    barrier_done(barrier_owner, true);
    fake_database_fail(0, DB_LOST);
    assert_int_equal(fake_database_waiting(), 0);
}

static void test_waiting_changes_end_when_the_database_goes(void **state)
{
    ask(*state, add_bob);
    ask(*state, remove_bob);
    ask(*state, add_bob);
    fake_database_set_up(false);
    fake_database_fail(0, DB_LOST);
    turn(*state);
    for (int i = 0; i < 3; i++) {
        char *answer = strstr(happened.data, "\"unavailable\"");
        assert_non_null(answer);
        memset(answer, ' ', 1);
    }
    assert_null(strstr(happened.data, "\"unavailable\""));
}

static void test_an_envelope_runs_in_order_and_echoes(void **state)
{
    execute(*state,
            "{\"commands\":["
            "{\"command\":\"leave\",\"conversation\":\"" GROUP "\",\"correlationData\":\"1\"},"
            "{\"command\":\"no\\u00e9\",\"correlationData\":\"\\\"2\\\"\"},"
            "{\"command\":\"getConversation\",\"conversation\":\"" GROUP "\"}]}");
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_refuse(0, "BN003", "no");
    turn(*state);
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_answer(0, fake_result(9));
    expect("answer {\"responses\":["
           "{\"command\":\"leave\",\"correlationData\":\"1\","
           "\"error\":{\"code\":\"forbidden\",\"reason\":\"no\"}},"
           "{\"command\":\"no\xc3\xa9\",\"correlationData\":\"\\\"2\\\"\","
           "\"error\":{\"code\":\"invalid\",\"reason\":\"unknown command \\\"no\xc3\xa9\\\"\"}},"
           "{\"command\":\"getConversation\",\"error\":{\"code\":\"not_found\",\"reason\":"
           "\"no such conversation, or you are not a member of it\"}}]}; ");
}

static void test_what_is_no_envelope_gets_one_answer(void **state)
{
    static const char *const requests[] = {
        "", "x", "[]", "{}", "{\"commands\":7}", "{\"commands\":{}}", "{\"commands\":[]}",
    };
    struct buf many;

    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        execute(*state, requests[i]);
        assert_ptr_equal(strstr(happened.data, "answer {\"responses\":[{\"command\":\"\",\"error\":"
                                               "{\"code\":\"invalid\",\"reason\":\""),
                         happened.data);
        buf_reset(&happened);
    }
    buf_init(&many, 1 << 20);
    buf_str(&many, "{\"commands\":[{}");
    for (int i = 0; i < COMMANDS_MAX_COUNT; i++)
        buf_str(&many, ",{}");
    buf_str(&many, "]}");
    execute(*state, many.data);
    expect("answer {\"responses\":[{\"command\":\"\",\"error\":{\"code\":\"invalid\",\"reason\":"
           "\"\\\"commands\\\" has more than 100 commands\"}}]}; ");
    buf_finish(&many);
}

struct bad_command {
    const char *command;
    const char *code;
    const char *names; /* what the reason must name */
};

static void expect_refused(struct fixture *f, const struct bad_command *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *error;

        ask(f, cases[i].command);
        turn(f);
        assert_int_equal(fake_database_waiting(), 0);
        error = strstr(happened.data, "\"error\"");
        assert_non_null(error);
        assert_non_null(strstr(error, cases[i].code));
        assert_non_null(strstr(error, cases[i].names));
        buf_reset(&happened);
    }
}

static void test_arguments_about_invites(void **state)
{
    static const struct bad_command cases[] = {
        {"{\"command\":\"join\"}", "invalid", "invite"},
        {"{\"command\":\"join\",\"name\":\"news\",\"invite\":\"x\"}", "invalid", "one of"},
        {"{\"command\":\"join\",\"name\":\"\"}", "invalid", "name"},
        {"{\"command\":\"join\",\"invite\":\"x\"}", "not_found", "invite"},
        {"{\"command\":\"join\",\"invite\":7}", "invalid", "invite"},
        {"{\"command\":\"createInvite\",\"conversation\":\"" GROUP "\",\"uses\":0}", "invalid",
         "uses"},
        {"{\"command\":\"createInvite\",\"conversation\":\"" GROUP "\",\"expires_in\":1.5}",
         "invalid", "expires_in"},
        {"{\"command\":\"revokeInvite\"}", "invalid", "invite"},
        {"{\"command\":\"revokeInvite\",\"id\":\"x\"}", "invalid", "id"},
        {"{\"command\":\"revokeInvite\",\"id\":\"" GROUP "\",\"conversation\":\"" GROUP "\"}",
         "invalid", "one of"},
        {"{\"command\":\"listInvites\"}", "invalid", "conversation"},
        {"{\"command\":\"listInvites\",\"conversation\":\"" GROUP "\",\"after\":7}", "invalid",
         "after"},
        {"{\"command\":\"listInvites\",\"conversation\":\"" GROUP "\",\"limit\":0}", "invalid",
         "limit"},
    };

    expect_refused(*state, cases, ARRAY_LENGTH(cases));
}

static void test_arguments_are_judged_before_anything_is_asked(void **state)
{
    static const struct bad_command cases[] = {
        {"1", "invalid", "object"},
        {"{}", "invalid", "command"},
        {"{\"command\":[]}", "invalid", "command"},
        {"{\"command\":\"\"}", "invalid", "unknown"},
        {"{\"command\":\"leav\"}", "invalid", "unknown"},
        {"{\"command\":\"leaves\"}", "invalid", "unknown"},
        {"{\"command\":\"leave\",\"correlationData\":1}", "invalid", "correlationData"},
        {"{\"command\":\"leave\"}", "invalid", "conversation"},
        {"{\"command\":\"leave\",\"conversation\":null}", "invalid", "conversation"},
        {"{\"command\":\"leave\",\"conversation\":\"x\"}", "invalid", "conversation"},
        {"{\"command\":\"createDirect\"}", "invalid", "user"},
        {"{\"command\":\"createDirect\",\"user\":\"Bob\"}", "invalid", "user"},
        {"{\"command\":\"createDirect\",\"user\":\"@bob\"}", "invalid", "user"},
        {"{\"command\":\"createGroup\",\"title\":\"\"}", "invalid", "title"},
        {"{\"command\":\"createGroup\",\"title\":\"a\\tb\"}", "invalid", "title"},
        {"{\"command\":\"createGroup\",\"members\":{}}", "invalid", "members"},
        {"{\"command\":\"createGroup\",\"members\":[\"bob\",\"\"]}", "invalid", "number 2"},
        {"{\"command\":\"createGroup\",\"members\":[null]}", "invalid", "members"},
        {"{\"command\":\"addMembers\",\"conversation\":\"" GROUP "\"}", "invalid", "members"},
        {"{\"command\":\"addMembers\",\"conversation\":\"" GROUP "\",\"members\":[]}", "invalid",
         "members"},
        {"{\"command\":\"removeMember\",\"conversation\":\"" GROUP "\"}", "invalid", "user"},
        {"{\"command\":\"getConversation\"}", "invalid", "conversation"},
        {"{\"command\":\"createChannel\"}", "invalid", "title"},
        {"{\"command\":\"createChannel\",\"title\":null}", "invalid", "title"},
        {"{\"command\":\"createChannel\",\"title\":\"t\",\"name\":\"No\"}", "invalid", "name"},
        {"{\"command\":\"createChannel\",\"title\":\"t\",\"public\":1}", "invalid", "public"},
        {"{\"command\":\"createChannel\",\"title\":\"t\",\"posting\":\"x\"}", "invalid", "posting"},
        {"{\"command\":\"modifyConversation\",\"title\":\"t\"}", "invalid", "conversation"},
        {"{\"command\":\"modifyConversation\",\"conversation\":\"" GROUP "\",\"title\":7}",
         "invalid", "title"},
        {"{\"command\":\"deleteConversation\"}", "invalid", "conversation"},
        {"{\"command\":\"setRole\",\"conversation\":\"" GROUP "\",\"user\":\"bob\"}", "invalid",
         "role"},
        {"{\"command\":\"setRole\",\"conversation\":\"" GROUP
         "\",\"user\":\"bob\",\"role\":\"none\"}",
         "invalid", "role"},
        {"{\"command\":\"mute\",\"conversation\":\"" GROUP "\"}", "invalid", "until"},
        {"{\"command\":\"mute\",\"conversation\":\"" GROUP "\",\"until\":\"tomorrow\"}", "invalid",
         "until"},
        {"{\"command\":\"block\"}", "invalid", "user"},
        {"{\"command\":\"unblock\",\"user\":\"\"}", "invalid", "user"},
        {"{\"command\":\"listBlocks\",\"limit\":0}", "invalid", "limit"},
        {"{\"command\":\"listConversations\",\"limit\":0}", "invalid", "limit"},
        {"{\"command\":\"listConversations\",\"limit\":1001}", "invalid", "limit"},
        {"{\"command\":\"listConversations\",\"limit\":1.0}", "invalid", "limit"},
        {"{\"command\":\"listConversations\",\"after\":\"bob\"}", "invalid", "after"},
        {"{\"command\":\"listMembers\",\"conversation\":\"" GROUP "\",\"after\":\"\"}", "invalid",
         "after"},
    };

    expect_refused(*state, cases, ARRAY_LENGTH(cases));
}

/* `count` times `item`, with commas, between `before` and `after`. */
static void ask_repeated(struct fixture *f, const char *before, const char *item, int count,
                         const char *after)
{
    struct buf command;

    buf_init(&command, 1 << 20);
    buf_str(&command, before);
    for (int i = 0; i < count; i++)
        buf_str(&command, item);
    buf_str(&command, after);
    ask(f, command.data);
    turn(f);
    buf_finish(&command);
}

static void test_limits_of_arguments(void **state)
{
    const char *const title = "{\"command\":\"createGroup\",\"title\":\"";
    const char *const members = "{\"command\":\"createGroup\",\"members\":[\"bob\"";

    ask_repeated(*state, title, "\xf0\x9f\x98\x80", TITLE_MAX_CHARACTERS, "\"}");
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_fail(0, DB_LOST);
    buf_reset(&happened);
    ask_repeated(*state, title, "\xf0\x9f\x98\x80", TITLE_MAX_CHARACTERS + 1, "\"}");
    assert_non_null(strstr(happened.data, "\"too_large\""));
    buf_reset(&happened);
    ask_repeated(*state, members, ",\"bob\"", GROUP_MEMBERS_CEILING, "]}");
    assert_non_null(strstr(happened.data, "\"limit_reached\""));
    assert_int_equal(fake_database_waiting(), 0);
}

static void test_the_table_finds_every_command(void **state)
{
    static const char *const names[] = {
        "addMembers",
        "block",
        "createChannel",
        "createDirect",
        "createGroup",
        "createInvite",
        "deleteConversation",
        "getConversation",
        "join",
        "leave",
        "listBlocks",
        "listInvites",
        "modifyProfile",
        "listDevices",
        "revokeDevice",
        "listConversations",
        "listMembers",
        "modifyConversation",
        "mute",
        "removeMember",
        "revokeInvite",
        "setRole",
        "unblock",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        assert_non_null(command_find(names[i]));
        assert_string_equal(command_find(names[i])->name, names[i]);
    }
    assert_null(command_find("zzz"));
    assert_null(command_find(""));
}

enum { PROFILE_COLUMN_VISIBILITY = 8, PROFILE_COLUMN_HIDDEN, PROFILE_COLUMN_CHANGED };

static PGresult *profile(bool changed, int last_seen_visibility)
{
    PGresult *result = fake_result(PROFILE_COLUMN_CHANGED + 1);
    int row = fake_result_add_row(result);

    fake_result_bool(result, row, 0, false);
    fake_result_text(result, row, 1, "alice");
    fake_result_i64(result, row, PROFILE_COLUMN_VISIBILITY, last_seen_visibility);
    fake_result_bool(result, row, PROFILE_COLUMN_HIDDEN, true);
    fake_result_bool(result, row, PROFILE_COLUMN_CHANGED, changed);
    return result;
}

/* The own devices hear of what has changed, and of what may have; who watches the user is judged by
 * the row as it is now, whether this command has changed it or one whose answer was lost. */
static void test_a_changed_profile_is_told(void **state)
{
    static const char command[] = "{\"command\":\"modifyProfile\"}";
    static const char event[] = "profile of 1; ";
    char expected[128];

    ask(*state, command);
    fake_database_answer(0, profile(true, 0));
    snprintf(expected, sizeof expected, "%srow 1 of alice: 0 hidden discreet; answer ", event);
    assert_memory_equal(happened.data, expected, strlen(expected));
    buf_reset(&happened);
    ask(*state, command);
    fake_database_answer(0, profile(false, 1));
    assert_memory_equal(happened.data, "row 1 of alice: 0 hidden; answer ", 33);
    buf_reset(&happened);
    ask(*state, command);
    fake_database_fail(0, DB_LOST);
    assert_memory_equal(happened.data, event, strlen(event));
    buf_reset(&happened);
    ask(*state, command);
    fake_database_refuse(0, "BN003", "no");
    assert_memory_equal(happened.data, "answer ", 7);
    buf_reset(&happened);
}

static void on_one(void *owner, enum code code, const char *reason, struct slice data)
{
    int *counts = owner;

    assert_int_equal(code == CODE_OK, reason == NULL);
    assert_int_equal(code == CODE_OK, data.length > 0);
    counts[code]++;
}

static void test_too_many_at_once_are_refused(void **state)
{
    struct fixture *f = *state;
    int counts[CODE_INTERNAL + 1] = {0};
    json_t *arguments = json_pack("{s:s}", "conversation", GROUP);

    for (int i = 0; i < 300; i++)
        command_run(f->commands, &alice, "getConversation", arguments, on_one, counts);
    json_decref(arguments);
    assert_int_equal(fake_database_waiting(), 256);
    turn(f);
    assert_int_equal(counts[CODE_UNAVAILABLE], 300 - 256);
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    assert_int_equal(counts[CODE_UNAVAILABLE], 300);
}

/* Whatever state the commands are in, destroying them frees them and calls nobody. */
static void test_destroy_while_running(void **state)
{
    struct fixture *f = *state;

    ask(f, remove_bob); /* waits for the plugin */
    fake_database_answer(0, bob_changed(ROLE_NONE, 8));
    buf_reset(&happened);
    ask(f, add_bob);    /* waits for PostgreSQL */
    ask(f, remove_bob); /* waits for the one before */
    commands_execute(f->commands, &alice, slice_str("x"), on_answer, NULL); /* is due */
    commands_destroy(f->commands);
    f->commands = NULL;
    turn(f);
    fake_database_answer(0, bob_changed(ROLE_MEMBER, 9));
    barrier_done(barrier_owner, true);
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_effects_come_before_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_try_waits_for_the_barrier_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_who_leaves_again_is_told_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_late_answer_undoes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removals_are_answered_behind_a_barrier, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_unknown_outcome_resets_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_database_is_unavailable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_of_one_conversation_take_turns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_changes_end_when_the_database_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_envelope_runs_in_order_and_echoes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_envelope_gets_one_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_arguments_are_judged_before_anything_is_asked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_arguments_about_invites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits_of_arguments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_table_finds_every_command, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_changed_profile_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_at_once_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroy_while_running, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
