/* SPDX-License-Identifier: MIT */
/* worker_test.c - jobs go to the thread and come back, in order, once each. What the threads share
 * is left without locks here on purpose: under the tsan preset a job that two of them held at the
 * same time would show. */
#include "unit/unit.h"

#include "base/worker.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUEUE_MAX = 16, MANY = 5000 };

struct job {
    struct worker_job job; /* the first member */
    unsigned number;
    unsigned steps; /* 1 after work, 2 after done */
    bool signals_are_blocked;
    bool is_other_thread;
};

static struct event_base *base;
static struct worker *worker;
static pthread_t loop_thread;
static unsigned made, finished, dropped, worked; /* `worked` is the worker's until it has ended */

static int set_up(void **state)
{
    (void)state;
    base = event_base_new();
    assert_non_null(base);
    worker = worker_create(base, QUEUE_MAX);
    loop_thread = pthread_self();
    made = finished = dropped = worked = 0;
    return worker ? 0 : -1;
}

static void drop(struct worker_job *job)
{
    dropped++;
    free(job);
}

static int tear_down(void **state)
{
    (void)state;
    worker_destroy(worker, drop);
    event_base_free(base);
    assert_int_equal(finished + dropped, made);
    return 0;
}

static void work(struct worker_job *job)
{
    struct job *j = (struct job *)job;
    sigset_t blocked;

    j->steps++;
    j->is_other_thread = !pthread_equal(pthread_self(), loop_thread);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    j->signals_are_blocked = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP);
    worked++;
}

static void work_slowly(struct worker_job *job)
{
    usleep(30000);
    work(job);
}

static void done(struct worker_job *job)
{
    struct job *j = (struct job *)job;

    assert_int_equal(j->number, finished); /* in order */
    assert_int_equal(++j->steps, 2);
    assert_true(j->is_other_thread && j->signals_are_blocked);
    assert_true(pthread_equal(pthread_self(), loop_thread));
    finished++;
    free(j);
}

static bool submit(void (*what)(struct worker_job *job), void (*after)(struct worker_job *job))
{
    struct job *j = calloc(1, sizeof *j);

    assert_non_null(j);
    j->job.work = what;
    j->job.done = after;
    j->number = made;
    if (!worker_run(worker, &j->job)) {
        free(j);
        return false;
    }
    made++;
    return true;
}

static void wait_finished(unsigned count)
{
    while (finished < count)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void test_jobs_come_back_in_order(void **state)
{
    (void)state;
    while (made < MANY) {
        if (!submit(work, done))
            wait_finished(finished + 1);
    }
    wait_finished(MANY);
}

/* What is not done yet counts, whether or not it has been worked on. */
static void test_the_queue_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < QUEUE_MAX; i++)
        assert_true(submit(work, done));
    assert_false(submit(work, done));
    usleep(20000);
    assert_false(submit(work, done));
    wait_finished(QUEUE_MAX);
    assert_true(submit(work, done));
    wait_finished(QUEUE_MAX + 1);
}

static void done_with_another(struct worker_job *job)
{
    done(job);
    if (made < 100)
        assert_true(submit(work, done_with_another));
}

static void test_one_job_leads_to_the_next(void **state)
{
    (void)state;
    assert_true(submit(work, done_with_another));
    wait_finished(100);
}

/* The job under way is waited for; it and all others are dropped, and nobody is told. */
static void test_destroyed_at_work(void **state)
{
    (void)state;
    assert_true(submit(work_slowly, done));
    for (unsigned i = 1; i < QUEUE_MAX; i++)
        assert_true(submit(work, done));
    usleep(5000);
    worker_destroy(worker, drop);
    worker = NULL;
    assert_int_equal(finished, 0);
    assert_int_equal(dropped, QUEUE_MAX);
    assert_in_range(worked, 0, 1);
    assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 1); /* it waits for nothing more */
}

/* So are those that are worked on, but not told of. */
static void test_destroyed_before_the_loop_heard(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(submit(work, done));
    usleep(20000);
    worker_destroy(worker, drop);
    worker = NULL;
    assert_int_equal(dropped, 3);
}

static void test_destroying_none(void **state)
{
    (void)state;
    worker_destroy(NULL, drop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_jobs_come_back_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_queue_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_job_leads_to_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed_at_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed_before_the_loop_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroying_none, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
