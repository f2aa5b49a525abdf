/* SPDX-License-Identifier: MIT */
/* commands_operator_test.c - administrators' commands: what they are told, what the plugin is told
 * and in which order, and that a password is hashed for administrators alone. */
#include "unit/unit.h"

#include "unit/commands_rig.h"

#include "core/command.h"
#include "core/invite_token.h"

#include <malloc.h>

static const struct uuid login_5 = {{[15] = 5}}, login_6 = {{[15] = 6}};

/* A row for each login; one without if there are none. */
static PGresult *ended(const struct uuid *const *logins, size_t count, int columns)
{
    PGresult *result = fake_result(columns);

    for (size_t i = 0; i < (count > 0 ? count : 1); i++) {
        int row = fake_result_add_row(result);

        fake_result_i64(result, row, 0, 2);
        if (i < count) {
            fake_result_uuid(result, row, 1, logins[i]);
            fake_result_i64(result, row, 2, 0);
        }
    }
    return result;
}

/* The word goes first, then the logins, then the barrier, then the answer. */
static void test_disabling_ends_everything_first(void **state)
{
    const struct uuid *const logins[] = {&login_5, &login_6};

    ask(*state, "{\"command\":\"disableUser\",\"user\":\"bob\"}");
    assert_string_equal(fake_database_statement(0), "disable_user");
    expect("");
    fake_database_answer(0, ended(logins, 2, 3));
    expect("kick 2  disabled; ended 5 of 2; ended 6 of 2; barrier; ");
    barrier_done(barrier_owner, true);
    expect("answer {\"responses\":[{\"command\":\"disableUser\",\"data\":{\"revoked\":2}}]}; ");
}

static void test_disabling_who_has_no_login(void **state)
{
    ask(*state, "{\"command\":\"disableUser\",\"user\":\"bob\"}");
    fake_database_answer(0, ended(NULL, 0, 3));
    expect("kick 2  disabled; barrier; ");
    barrier_done(barrier_owner, false);
    assert_non_null(strstr(happened.data, "\"unavailable\""));
    assert_non_null(strstr(happened.data, "not every node"));
}

static void test_a_kick_names_the_device(void **state)
{
    ask(*state, "{\"command\":\"kickUser\",\"user\":\"bob\",\"device\":\"phone\"}");
    assert_string_equal(fake_database_statement(0), "kick_user");
    fake_database_answer(0, ended(NULL, 0, 3));
    expect("kick 2 phone kicked; barrier; ");
    barrier_done(barrier_owner, true);
    expect("answer {\"responses\":[{\"command\":\"kickUser\",\"data\":{}}]}; ");
}

static void test_erasing_answers_the_receipt(void **state)
{
    static const struct uuid erasure = {{[15] = 9}};
    const struct uuid *const logins[] = {&login_5};
    PGresult *result = ended(logins, 1, 4);

    fake_result_uuid(result, 0, 3, &erasure);
    ask(*state, "{\"command\":\"eraseUser\",\"user\":\"bob\"}");
    assert_string_equal(fake_database_statement(0), "erase_user");
    fake_database_answer(0, result);
    expect("kick 2  disabled; ended 5 of 2; barrier; ");
    barrier_done(barrier_owner, true);
    expect("answer {\"responses\":[{\"command\":\"eraseUser\",\"data\":"
           "{\"erasure\":\"00000000-0000-0000-0000-000000000009\"}}]}; ");
}

static void test_what_is_refused_ends_nothing(void **state)
{
    static const char *const commands[] = {
        "createUser", "disableUser", "enableUser", "eraseUser",
        "exportUser", "getStats",    "kickUser",   "listSessions",
    };
    char command[128];

    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        (void)snprintf(command, sizeof command, "{\"command\":\"%s\",\"user\":\"bob\"}",
                       commands[i]);
        ask(*state, command);
        assert_int_equal(fake_database_waiting(), 1);
        fake_database_refuse(0, "BN003", "only administrators do this");
        turn(*state);
        assert_non_null(strstr(happened.data, "\"forbidden\""));
        assert_ptr_equal(strstr(happened.data, "answer"), happened.data);
        buf_reset(&happened);
    }
}

static void test_arguments_are_judged(void **state)
{
    static const char *const wrong[] = {
        "{\"command\":\"createUser\"}",
        "{\"command\":\"createUser\",\"user\":\"Not A Handle\"}",
        "{\"command\":\"createUser\",\"user\":\"bob\",\"password\":\"short\"}",
        "{\"command\":\"createUser\",\"user\":\"bob\",\"password\":12345678}",
        "{\"command\":\"createUser\",\"user\":\"bob\",\"name\":\"a\\u0007b\"}",
        "{\"command\":\"createUser\",\"user\":\"bob\",\"name\":[]}",
        "{\"command\":\"disableUser\"}",
        "{\"command\":\"enableUser\",\"user\":7}",
        "{\"command\":\"eraseUser\",\"user\":\"\"}",
        "{\"command\":\"exportUser\"}",
        "{\"command\":\"kickUser\",\"user\":\"bob\",\"device\":\"no device\"}",
        "{\"command\":\"kickUser\",\"user\":\"bob\",\"device\":null}",
        "{\"command\":\"listSessions\",\"user\":\"@bob\"}",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        ask(*state, wrong[i]);
        assert_int_equal(fake_database_waiting(), 0);
        assert_non_null(strstr(happened.data, "\"invalid\""));
        buf_reset(&happened);
    }
}

/* `data` of the answer, of a user whose number is 2. */
static PGresult *number_2(void)
{
    PGresult *result = fake_result(1);

    fake_result_i64(result, fake_result_add_row(result), 0, 2);
    return result;
}

static void test_a_user_is_made_with_a_hash(void **state)
{
    ask(*state, "{\"command\":\"createUser\",\"user\":\"bob\",\"password\":\"secret enough\","
                "\"name\":\"Bob\"}");
    assert_string_equal(fake_database_statement(0), "may_operate");
    expect("");
    fake_database_answer(0, fake_result(0));
    expect("hash; ");
    assert_int_equal(fake_database_waiting(), 0);
    hash_done(hash_owner, PASSWORD_OK, "the hash");
    assert_string_equal(fake_database_statement(0), "create_user");
    fake_database_answer(0, number_2());
    expect("answer {\"responses\":[{\"command\":\"createUser\",\"data\":{\"user\":\"bob\"}}]}; ");
}

static void test_a_password_is_drawn(void **state)
{
    ask(*state, "{\"command\":\"createUser\",\"user\":\"bob\"}");
    fake_database_answer(0, fake_result(0));
    hash_done(hash_owner, PASSWORD_OK, "the hash");
    fake_database_answer(0, number_2());
    assert_non_null(strstr(happened.data, "\"user\":\"bob\",\"password\":\""));
    buf_reset(&happened);
}

static char drawn[INVITE_TOKEN_LENGTH + 1]; /* empty: it is not looked for */
static unsigned freed_with_it;

void __real_free(void *block);
void __wrap_free(void *block);

/* All that the engine frees comes here: the linker sees to that. */
void __wrap_free(void *block)
{
    if (block && drawn[0] &&
        memmem(block, malloc_usable_size(block), drawn, INVITE_TOKEN_LENGTH) != NULL)
        freed_with_it++;
    __real_free(block);
}

static void on_drawn(void *owner, enum code code, const char *reason, struct slice data)
{
    static const char before[] = "{\"user\":\"bob\",\"password\":\"";

    (void)owner;
    (void)reason;
    assert_int_equal(code, CODE_OK);
    assert_int_equal(data.length, strlen(before) + INVITE_TOKEN_LENGTH + strlen("\"}"));
    assert_memory_equal(data.data, before, strlen(before));
    memcpy(drawn, data.data + strlen(before), INVITE_TOKEN_LENGTH);
}

static void test_a_drawn_password_is_wiped(void **state)
{
    const struct fixture *f = *state;
    json_t *arguments = json_pack("{s:s}", "user", "bob");

    freed_with_it = 0;
    command_run(f->commands, &alice, "createUser", arguments, on_drawn, NULL);
    fake_database_answer(0, fake_result(0));
    hash_done(hash_owner, PASSWORD_OK, "the hash");
    fake_database_answer(0, number_2());
    assert_int_equal(strlen(drawn), INVITE_TOKEN_LENGTH);
    assert_int_equal(freed_with_it, 0);
    drawn[0] = '\0';
    json_decref(arguments);
    buf_reset(&happened);
}

static void test_a_user_cannot_be_made_now(void **state)
{
    static const char *const busy =
        "{\"command\":\"createUser\",\"user\":\"bob\",\"password\":\"too busy\"}";

    ask(*state, busy);
    fake_database_answer(0, fake_result(0));
    turn(*state);
    assert_non_null(strstr(happened.data, "\"unavailable\""));
    buf_reset(&happened);
    ask(*state, "{\"command\":\"createUser\",\"user\":\"bob\"}");
    fake_database_answer(0, fake_result(0));
    hash_done(hash_owner, PASSWORD_FAILED, NULL);
    turn(*state);
    assert_non_null(strstr(happened.data, "\"unavailable\""));
    buf_reset(&happened);
    ask(*state, "{\"command\":\"createUser\",\"user\":\"me\"}");
    fake_database_answer(0, fake_result(0));
    turn(*state);
    assert_non_null(strstr(happened.data, "\"conflict\""));
    buf_reset(&happened);
    ask(*state, "{\"command\":\"createUser\",\"user\":\"bob\"}"); /* and then all is taken apart */
    fake_database_answer(0, fake_result(0));
    expect("hash; ");
}

enum { SESSION_COLUMNS = 8 };

static void test_sessions(void **state)
{
    PGresult *result = fake_result(SESSION_COLUMNS);
    int row = fake_result_add_row(result);

    fake_result_i64(result, row, 0, 2);
    fake_result_bool(result, row, 1, true);
    ask(*state, "{\"command\":\"listSessions\",\"user\":\"bob\"}");
    fake_database_answer(0, result);
    expect("answer {\"responses\":[{\"command\":\"listSessions\",\"data\":{\"disabled\":true,"
           "\"logins\":[],\"connected\":[\"phone\",\"laptop\"],\"elsewhere\":true}}]}; ");
}

static void test_stats(void **state)
{
    PGresult *result = fake_result(4);
    int row = fake_result_add_row(result);

    for (int i = 0; i < 4; i++)
        fake_result_i64(result, row, i, i + 1);
    ask(*state, "{\"command\":\"getStats\"}");
    fake_database_answer(0, result);
    expect("answer {\"responses\":[{\"command\":\"getStats\",\"data\":{\"users\":1,"
           "\"conversations\":2,\"messages\":3,\"logins\":4,\"devices\":5,\"users_online\":6,"
           "\"nodes\":7,\"drafts_waiting\":8}}]}; ");
}

static void test_where_an_export_is(void **state)
{
    PGresult *result = fake_result(2);
    int row = fake_result_add_row(result);

    fake_result_i64(result, row, 0, 2);
    fake_result_text(result, row, 1, "bob");
    ask(*state, "{\"command\":\"exportUser\",\"user\":\"bob\"}");
    fake_database_answer(0, result);
    expect("answer {\"responses\":[{\"command\":\"exportUser\",\"data\":{\"user\":\"bob\","
           "\"export\":\"/v1/users/bob/export\"}}]}; ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_disabling_ends_everything_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disabling_who_has_no_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_kick_names_the_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_erasing_answers_the_receipt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_refused_ends_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arguments_are_judged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_user_is_made_with_a_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_password_is_drawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_drawn_password_is_wiped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_user_cannot_be_made_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_where_an_export_is, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
