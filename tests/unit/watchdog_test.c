/* SPDX-License-Identifier: MIT */
/* watchdog_test.c - who is aborted, and who is not. Each case runs in a process of its own. */
#include "unit/unit.h"

#include "base/pulse.h"
#include "base/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 1000 };

static void pause_ms(unsigned ms)
{
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

/* Lives for two and a half limits, and beats, or does not, meanwhile. */
static pid_t start(unsigned limit_ms, bool beats)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    static struct pulse pulse = {.name = "the loop of the test"};
    const struct pulse *const pulses[] = {&pulse};
    const struct rlimit no_core = {0, 0};
    struct watchdog *w;

    setrlimit(RLIMIT_CORE, &no_core);
    pulse_beat(&pulse);
    if (!watchdog_start(&w, limit_ms, pulses, 1))
        _exit(EXIT_FAILURE);
    for (unsigned ms = 0; ms < LIMIT_MS * 5 / 2; ms += 100) {
        pause_ms(100);
        if (beats)
            pulse_beat(&pulse);
    }
    watchdog_stop(w);
    _exit(EXIT_SUCCESS);
}

static int end_of(pid_t pid)
{
    int status;

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_who_makes_no_progress_is_aborted(void **state)
{
    int status = end_of(start(LIMIT_MS, false));
    (void)state;

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_who_goes_on_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(end_of(start(LIMIT_MS, true)), 0);
    assert_int_equal(end_of(start(0, false)), 0); /* off */
}

/* Time in which nobody ran does not count. */
static void test_who_was_stopped_is_left_alone(void **state)
{
    pid_t pid = start(LIMIT_MS, true);
    (void)state;

    pause_ms(300);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    pause_ms(2 * LIMIT_MS);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_int_equal(end_of(pid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_makes_no_progress_is_aborted),
        cmocka_unit_test(test_who_goes_on_is_left_alone),
        cmocka_unit_test(test_who_was_stopped_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
