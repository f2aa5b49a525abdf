/* SPDX-License-Identifier: MIT */
/* fault_point_test.c - arming, counting across processes, and breaking rules. Only in the chaos
 * suite's build, as the code is. */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/fault_point.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64], fired[80];

static void arm(const char *text)
{
    char fresh[80];
    FILE *file;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    file = fopen(fresh, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(fresh, path), 0);
    usleep(60 * 1000); /* processes look every 50 ms */
}

static unsigned fired_lines(void)
{
    FILE *file = fopen(fired, "re");
    unsigned lines = 0;

    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
}

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/fault_point_test.%d", (int)getpid());
    snprintf(fired, sizeof fired, "%s.fired", path);
    return setenv("BANTER_FAULTS", path, 1) || setenv("BANTER_BREAK", "some_rule:3", 1);
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(fired);
    return 0;
}

static void test_fails_as_often_as_told(void **state)
{
    (void)state;
    assert_false(fault_fails("a.point"));
    arm("another.point fail\na.point fail 2 1\n");
    assert_false(fault_fails("a.point")); /* passed once before */
    assert_true(fault_fails("a.point"));
    assert_true(fault_fails("a.point"));
    assert_false(fault_fails("a.point"));
    assert_int_equal(fired_lines(), 2);
    arm("a.point fail\n");
    assert_true(fault_fails("a.point"));
    unlink(path);
    usleep(60 * 1000);
    assert_false(fault_fails("a.point"));
}

/* Returns how a child that goes through the point ended. */
static int child_at(const char *point)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        usleep(60 * 1000);
        fault_point(point);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_killed_once_in_all_processes(void **state)
{
    int status;

    (void)state;
    arm("a.point kill\n");
    status = child_at("a.point");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    status = child_at("a.point");
    assert_true(WIFEXITED(status));
}

static void test_sleeps(void **state)
{
    uint64_t begin;

    (void)state;
    arm("a.point sleep 1 120\n");
    begin = clock_monotonic_ms();
    fault_point("a.point");
    assert_true(clock_monotonic_ms() - begin >= 120);
    begin = clock_monotonic_ms();
    fault_point("a.point");
    assert_true(clock_monotonic_ms() - begin < 100);
}

static void test_breaks_every_third_time(void **state)
{
    static const char *const whats[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    unsigned broken = 0, chosen = 0;

    (void)state;
    for (int i = 0; i < 9; i++) {
        assert_false(fault_breaks(another_rule));
        broken += fault_breaks(some_rule);
    }
    assert_int_equal(broken, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(whats); i++) {
        bool first = fault_breaks_for(some_rule, slice_str(whats[i]));

        assert_int_equal(first, fault_breaks_for(some_rule, slice_str(whats[i])));
        chosen += first;
    }
    assert_true(chosen > 0 && chosen < ARRAY_LENGTH(whats));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fails_as_often_as_told),
        cmocka_unit_test(test_killed_once_in_all_processes),
        cmocka_unit_test(test_sleeps),
        cmocka_unit_test(test_breaks_every_third_time),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
