/* SPDX-License-Identifier: MIT */
/* cli_output_test.c - what banter-cli prints: text that gives a terminal no orders, progress,
 * samples of metrics, and files that an export goes on with. */
#include "cli.h" /* before cmocka, which has a macro fail() */

#include "unit/unit.h"

#include "account_copy.h"
#include "completion.h"
#include "export_file.h"
#include "manual.h"
#include "progress.h"
#include "samples.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- text ---- */

static void assert_shown(const char *text, const char *shown)
{
    char *printed = NULL;
    size_t size;
    FILE *to = open_memstream(&printed, &size);

    show_text(to, text);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(printed, shown);
    free(printed);
}

static void test_text_gives_no_orders(void **state)
{
    (void)state;
    assert_shown("hello\tbob", "hello\tbob");
    assert_shown("\x1b[2Jgone\x7f\a\r", "[2Jgone");
    assert_shown("c1\xc2\x9b"
                 "2J \xc2\xa0 \xc3\x9b",
                 "c12J \xc2\xa0 \xc3\x9b");
    assert_shown("two\nlines", "two\n    lines");
    assert_shown("cut\xc2", "cut\xc2");
}

static void test_statuses(void **state)
{
    (void)state;
    assert_int_equal(exit_status_of(BANTER_OK), EXIT_OK);
    assert_int_equal(exit_status_of(BANTER_NOT_FOUND), EXIT_REFUSED);
    assert_int_equal(exit_status_of(BANTER_UNAUTHORIZED), EXIT_LOGIN);
    assert_int_equal(exit_status_of(BANTER_OFFLINE), EXIT_LATER);
    assert_int_equal(exit_status_of(BANTER_RATE_LIMITED), EXIT_LATER);
    assert_int_equal(exit_status_of(BANTER_NO_MEMORY), EXIT_REFUSED);
}

/* ---- progress ---- */

static void assert_line(const struct progress *p, int64_t now_ms, size_t columns, const char *line)
{
    char out[PROGRESS_LINE_SIZE];

    progress_line(out, p, now_ms, columns);
    assert_string_equal(out, line);
}

static void test_progress(void **state)
{
    struct progress p = {.what = "export", .first = 100, .done = 100, .total = 1000};

    (void)state;
    assert_line(&p, 0, 200, "export:  10% [###---------------------------] 100 of 1000, 0/s, 0:00");
    p.done = 500;
    assert_line(&p, 2000, 200,
                "export:  50% [###############---------------] 500 of 1000, 200/s, 0:02");
    p.done = 101;
    assert_line(&p, 1000, 200,
                "export:  10% [###---------------------------] 101 of 1000, 1/s, 14:59");
    assert_line(&p, 1000, 11, "export:  10");
    p.done = 1001; /* it has grown meanwhile */
    assert_line(&p, 1000, 200,
                "export: 100% [##############################] 1001 of 1000, 901/s, 0:00");
    p.total = 0;
    assert_line(&p, 1000, 200, "export: 1001, 901/s");
}

/* ---- metrics ---- */

static void assert_sample(const char *line, const char *expected)
{
    json_t *sample = sample_read(line);
    char *text = sample ? json_dumps(sample, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(sample);
    free(text);
    json_decref(sample);
}

static void test_samples(void **state)
{
    static const char *const none[] = {"",         "# HELP x y",  "name",      "name ",
                                       "name x",   "name{} ",     "a{b 1",     "a{b=\"c 1",
                                       "a{b=c} 1", "a{b=\"c\" 1", "a{b=\"c\\", "a 1 2"};

    (void)state;
    assert_sample("banter_ready 1", "{\"labels\":{},\"name\":\"banter_ready\",\"value\":1.0}");
    assert_sample(
        "a{b=\"c d\",e=\"\\\"\\\\\\n}\"} 0.5",
        "{\"labels\":{\"b\":\"c d\",\"e\":\"\\\"\\\\\\n}\"},\"name\":\"a\",\"value\":0.5}");
    for (size_t i = 0; i < ARRAY_LENGTH(none); i++)
        assert_sample(none[i], NULL);
}

/* ---- files ---- */

#define ID "01a2085b-4b41-718e-9acb-28e3005ee142"

static char directory[] = "/tmp/banter-cli-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    (void)snprintf(path, sizeof path, "%s/log", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(directory);
}

static void write_file(const char *text)
{
    FILE *to = fopen(path, "w");

    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
}

static void assert_file(const char *text)
{
    char found[1024];
    FILE *from = fopen(path, "r");
    size_t length;

    assert_non_null(from);
    length = fread(found, 1, sizeof found - 1, from);
    found[length] = '\0';
    assert_int_equal(fclose(from), 0);
    assert_string_equal(found, text);
}

#define ONE "{\"conversation\":\"" ID "\",\"seq\":1}\n"
#define TWO "{\"conversation\":\"" ID "\",\"seq\":2}\n"

static void test_files_are_gone_on_with(void **state)
{
    static const struct {
        const char *before;
        int64_t seq;
        const char *kept;
    } cases[] = {{"", 0, ""},     {ONE, 1, ONE},    {ONE TWO, 2, ONE TWO}, {ONE "{\"conv", 1, ONE},
                 {"{\"c", 0, ""}, {ONE "{", 1, ONE}};
    struct export_file f;
    char after[1024];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        write_file(cases[i].before);
        assert_int_equal(export_file_open(&f, path), EXIT_OK);
        assert_int_equal(f.seq, cases[i].seq);
        assert_string_equal(f.conversation, cases[i].seq > 0 ? ID : "");
        assert_int_equal(export_file_add(&f, f.seq + 1, "{}"), EXIT_OK);
        assert_int_equal(export_file_close(&f), EXIT_OK);
        (void)snprintf(after, sizeof after, "%s{}\n", cases[i].kept);
        assert_file(after);
    }
}

static void test_files_of_others_are_left_alone(void **state)
{
    static const char *const others[] = {"letter",
                                         "letter\n",
                                         "\n",
                                         "{}\n",
                                         ONE "\n",
                                         ONE "{}\n",
                                         "{\"conversation\":\"x\",\"seq\":1}\n",
                                         "{\"conversation\":\"" ID "\",\"seq\":0}\n"};
    struct export_file f, second;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        write_file(others[i]);
        assert_int_equal(export_file_open(&f, path), EXIT_REFUSED);
        assert_file(others[i]);
    }
    assert_int_equal(export_file_open(&f, "/nonexistent/log"), EXIT_REFUSED);
    write_file(ONE);
    assert_int_equal(export_file_open(&f, path), EXIT_OK);
    assert_int_equal(export_file_open(&second, path), EXIT_LATER);
    assert_int_equal(export_file_close(&f), EXIT_OK);
}

static void bound_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#define PLACE(number) "{\"type\":\"entry\",\"cursor\":\"entries:" number "\"}\n"

/* Whoever goes on from the place that is told misses nothing, whichever byte was the last. */
static void test_a_full_disk_loses_no_line(void **state)
{
    static const char first[] = PLACE("1") PLACE("2"), second[] = PLACE("3") PLACE("4") "{\"ty";
    static const char *const kept[] = {"", PLACE("1") PLACE("2"),
                                       PLACE("1") PLACE("2") PLACE("3") PLACE("4")};
    static const char *const cursors[] = {"entries:0", "entries:2", "entries:4"};
    struct account_copy copy;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    for (size_t most = 0; most <= strlen(kept[2]); most++) {
        size_t chunks = most < strlen(kept[1]) ? 0 : most < strlen(kept[2]) ? 1 : 2;
        bool ok;

        (void)unlink(path);
        assert_int_equal(account_copy_open(&copy, path, "entries:0"), EXIT_OK);
        bound_files(most);
        ok = account_copy_take(&copy, first, strlen(first)) &&
             account_copy_take(&copy, second, strlen(second));
        bound_files(RLIM_INFINITY);
        assert_int_equal(ok, chunks == 2);
        assert_int_equal(copy.status, ok ? EXIT_OK : EXIT_REFUSED);
        assert_string_equal(copy.cursor, cursors[chunks]);
        assert_int_equal(account_copy_close(&copy), EXIT_OK);
        assert_file(kept[chunks]);
    }
    (void)signal(SIGXFSZ, SIG_DFL);
}

/* ---- what is made from the table ---- */

static char *printed_by(void (*print)(FILE *to))
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    print(to);
    assert_int_equal(fclose(to), 0);
    return text;
}

struct pages {
    char *manual, *bash, *zsh, *fish;
};

static void see(void *owner, const struct command *command, const char *name)
{
    const struct pages *p = owner;
    char heading[128];

    (void)snprintf(heading, sizeof heading, "\n.SS \"%s", name);
    assert_non_null(strstr(p->manual, heading));
    (void)snprintf(heading, sizeof heading, "\n    '%s') ", name);
    assert_non_null(strstr(p->bash, heading));
    assert_non_null(strstr(p->zsh, heading));
    assert_non_null(strstr(p->fish, command->name));
}

static void test_pages_have_every_command(void **state)
{
    struct pages p = {printed_by(manual_print), printed_by(completion_bash),
                      printed_by(completion_zsh), printed_by(completion_fish)};

    (void)state;
    command_walk(see, &p);
    assert_null(strstr(p.manual, "\n.\n"));
    free(p.manual);
    free(p.bash);
    free(p.zsh);
    free(p.fish);
}

static void test_quotes(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    completion_put_quoted(to, "one's");
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, "'one'\\''s'");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_gives_no_orders),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_files_are_gone_on_with),
        cmocka_unit_test(test_files_of_others_are_left_alone),
        cmocka_unit_test(test_a_full_disk_loses_no_line),
        cmocka_unit_test(test_pages_have_every_command),
        cmocka_unit_test(test_quotes),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
