/* SPDX-License-Identifier: MIT */
/* watchdog.c - see watchdog.h. */
#include "base/watchdog.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "base/pulse.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 250 }; /* above PULSE_BEAT_MS */

static_assert((int)LOOK_MS > (int)PULSE_BEAT_MS, "a loop that is well beats between two looks");

struct watched {
    const struct pulse *pulse;
    uint64_t last_ms;  /* its last beat, as of the last look */
    uint64_t still_ms; /* for how long none has come */
};

struct watchdog {
    unsigned limit_ms;  /* 0: off */
    unsigned notify_ms; /* how often the service manager is told; 0: it does not want it */
    struct watched watched[WATCHDOG_PULSES_MAX];
    size_t count;
    uint64_t told_ms;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping; /* under `mutex` */
};

/* Half of what the manager allows (sd_watchdog_enabled(3)). */
static unsigned manager_interval_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    unsigned long long value = usec ? strtoull(usec, NULL, 10) : 0;

    if (pid && strtoull(pid, NULL, 10) != (unsigned long long)getpid())
        return 0;
    value /= 2000;
    return value < UINT32_MAX ? (unsigned)value : UINT32_MAX;
}

/* A look that comes late, because nobody ran, counts as one in time. */
static void look(struct watchdog *w)
{
    uint64_t now_ms = clock_monotonic_ms(), longest_ms = 0;

    for (size_t i = 0; i < w->count; i++) {
        struct watched *it = &w->watched[i];
        uint64_t last_ms = pulse_last_ms(it->pulse);

        it->still_ms = last_ms == it->last_ms ? it->still_ms + LOOK_MS : 0;
        it->last_ms = last_ms;
        longest_ms = it->still_ms > longest_ms ? it->still_ms : longest_ms;
        if (w->limit_ms > 0 && it->still_ms >= w->limit_ms) {
            log_error("watchdog", "%s has made no progress for %u ms: aborting", it->pulse->name,
                      w->limit_ms);
            abort();
        }
    }
    if (w->notify_ms > 0 && longest_ms < w->notify_ms && now_ms - w->told_ms >= w->notify_ms) {
        w->told_ms = now_ms;
        notify_manager("WATCHDOG=1");
    }
}

static void *run(void *argument)
{
    struct watchdog *w = argument;

    pthread_setname_np(pthread_self(), "banter-watchdog");
    pthread_mutex_lock(&w->mutex);
    while (!w->stopping) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&w->wake, &w->mutex, &until) == ETIMEDOUT)
            look(w);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* Signals are the loop thread's. */
static int start_thread(struct watchdog *w)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool watchdog_start(struct watchdog **out, unsigned limit_ms, const struct pulse *const *pulses,
                    size_t count)
{
    unsigned notify_ms = manager_interval_ms();
    pthread_condattr_t monotonic;
    struct watchdog *w;
    int error;

    assert(count <= WATCHDOG_PULSES_MAX);
    *out = NULL;
    if (limit_ms == 0 && notify_ms == 0)
        return true;
    w = must_calloc(1, sizeof *w);
    w->limit_ms = limit_ms;
    w->notify_ms = notify_ms;
    w->count = count;
    for (size_t i = 0; i < count; i++)
        w->watched[i].pulse = pulses[i];
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    error = start_thread(w);
    if (error == 0) {
        *out = w;
        return true;
    }
    log_error("watchdog", "cannot start a thread: %s", strerror(error));
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w);
    return false;
}

void watchdog_stop(struct watchdog *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
