/* SPDX-License-Identifier: MIT */
/* cli_arguments_test.c - calls of banter-cli, good and bad, read by a table; and that the program's
 * own table holds together. */
#include "unit/unit.h"

#include "arguments.h"

#include <stdio.h>

enum { WORDS_MAX = 16 };

static const struct option_row send_options[] = {
    {"reply-to", "SEQ", "", OPTION_NUMBER, 1, 99}, {"quiet", NULL, "", OPTION_FLAG, 0, 0}, {0}};
static const struct command send_row = {
    .name = "send", .flags = TEXT_FOLLOWS, .least = 1, .most = ANY_NUMBER, .options = send_options};
static const struct command one_row = {.name = "one", .least = 1, .most = 1};
static const struct command pick_row = {
    .name = "pick", .choices = "bash zsh", .least = 1, .most = 1};
static const struct command *const make_parts[] = {&one_row, &pick_row, NULL};
static const struct command make_row = {.name = "make", .parts = make_parts};
static const struct command hand_row = {.name = "hand", .flags = PASSES_ON, .most = ANY_NUMBER};
static const struct command *const parts[] = {&send_row, &make_row, &hand_row, NULL};
static const struct option_row common[] = {{"server", "URL", "", OPTION_TEXT, 0, 0},
                                           {"json", NULL, "", OPTION_FLAG, 0, 0},
                                           {"help", NULL, "", OPTION_FLAG, 0, 0},
                                           {"version", NULL, "", OPTION_FLAG, 0, 0},
                                           {0}};
static const struct command root = {.name = "cli", .options = common, .parts = parts};

/* Reads a call given as words with blanks between. */
static bool read_line(struct arguments *a, const char *line)
{
    static char text[256];
    static char *words[WORDS_MAX];
    int count = 0;

    (void)snprintf(text, sizeof text, "cli %s", line);
    for (char *at = text, *word; (word = strsep(&at, " ")) != NULL;) {
        if (*word)
            words[count++] = word;
    }
    return arguments_read(a, &root, count, words);
}

static void test_options_stand_anywhere_before_a_text(void **state)
{
    static const char *const same[] = {
        "--json send --reply-to 7 bob hello --json", "send --reply-to=7 --json bob hello --json",
        "send --json --reply-to 7 -- bob hello --json", "--json send --reply-to 7 bob -- --json"};
    struct arguments a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(same); i++) {
        assert_true(read_line(&a, same[i]));
        assert_ptr_equal(a.command, &send_row);
        assert_string_equal(a.name, "send");
        assert_true(argument_given(&a, "json"));
        assert_false(argument_given(&a, "quiet"));
        assert_int_equal(argument_number(&a, "reply-to", 0), 7);
        assert_int_equal(a.count, 3);
        assert_string_equal(a.operands[0], "bob");
        assert_string_equal(a.operands[2], "--json");
        assert_null(a.operands[3]);
    }
}

static void test_options_stand_behind_operands(void **state)
{
    struct arguments a;

    (void)state;
    assert_true(read_line(&a, "make one x --server http://y --json"));
    assert_string_equal(a.name, "make one");
    assert_string_equal(argument_text(&a, "server"), "http://y");
    assert_true(argument_given(&a, "json"));
    assert_true(read_line(&a, "send - "));
    assert_string_equal(a.operands[0], "-");
    assert_null(argument_text(&a, "server"));
    assert_int_equal(argument_number(&a, "reply-to", 3), 3);
    assert_true(read_line(&a, "make one -- --json"));
    assert_string_equal(a.operands[0], "--json");
}

static void test_words_for_another_program_are_left_alone(void **state)
{
    struct arguments a;

    (void)state;
    assert_true(read_line(&a, "--json hand --help -x -- y"));
    assert_int_equal(a.count, 4);
    assert_string_equal(a.operands[0], "--help");
    assert_string_equal(a.operands[2], "--");
    assert_false(argument_given(&a, "help"));
}

static void test_help_needs_no_operands(void **state)
{
    struct arguments a;

    (void)state;
    assert_true(read_line(&a, "--help") && a.command == &root);
    assert_true(read_line(&a, "make --help") && a.command == &make_row);
    assert_true(read_line(&a, "make one --help") && a.command == &one_row);
    assert_true(argument_given(&a, "help"));
}

static void test_problems(void **state)
{
    static const struct {
        const char *line, *problem;
    } cases[] = {
        {"", "which command?"},
        {"make", "which command?"},
        {"dance", "there is no command 'dance'"},
        {"make two", "there is no command 'make two'"},
        {"make one", "'make one' needs more than that"},
        {"make one a b", "'b' is too much"},
        {"make pick ash", "'ash' is none of: bash zsh"},
        {"make pick bas", "'bas' is none of: bash zsh"},
        {"--jso", "there is no option --jso"},
        {"-json", "there is no option -json"},
        {"--=x", "there is no option --=x"},
        {"make one --reply-to 1", "there is no option --reply-to"},
        {"--quiet send x", "there is no option --quiet"},
        {"--json=1 make one x", "--json takes no value"},
        {"make one x --server", "--server needs a value"},
        {"send --reply-to 0 x", "--reply-to takes a number from 1 to 99, not 0"},
        {"send --reply-to 100 x", "--reply-to takes a number from 1 to 99, not 100"},
        {"send --reply-to 1x x", "--reply-to takes a number from 1 to 99, not 1x"},
        {"send --reply-to= x", "--reply-to takes a number from 1 to 99, not "},
        {"send --reply-to 99999999999999999999 x",
         "--reply-to takes a number from 1 to 99, not 99999999999999999999"},
    };
    struct arguments a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(read_line(&a, cases[i].line));
        assert_string_equal(a.problem, cases[i].problem);
    }
    assert_true(read_line(&a, "make pick zsh"));
}

/* ---- the real table ---- */

static void assert_options(const struct option_row *options)
{
    int count = 0;

    for (; options && options->name; options++, count++) {
        assert_true(options->help && options->help[0] != '\0');
        assert_int_equal(options->value == NULL, options->kind == OPTION_FLAG);
        assert_true(options->kind != OPTION_NUMBER || options->least < options->most);
    }
    assert_in_range(count, 0, ARGUMENT_OPTIONS_MAX);
}

static void see(void *owner, const struct command *command, const char *name)
{
    int *count = owner;

    (*count)++;
    assert_true(strlen(name) < sizeof((struct arguments *)NULL)->name);
    assert_non_null(command->run);
    assert_true(command->summary && command->summary[0] != '\0');
    assert_in_range(command->most, command->least, ANY_NUMBER);
    assert_int_equal(command->operands == NULL, command->most == 0);
    assert_options(command->options);
}

static void test_the_program(void **state)
{
    int count = 0;

    (void)state;
    command_walk(see, &count);
    assert_true(count > 10);
    assert_options(program.options);
    for (const struct command *const *command = program.parts; command[1]; command++)
        assert_true(strcmp(command[0]->name, command[1]->name) < 0); /* help is in order */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_anywhere_before_a_text),
        cmocka_unit_test(test_options_stand_behind_operands),
        cmocka_unit_test(test_words_for_another_program_are_left_alone),
        cmocka_unit_test(test_help_needs_no_operands),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
