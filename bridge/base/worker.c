/* SPDX-License-Identifier: MIT */
/* worker.c - see worker.h. The two queues and `stopping` are all that the threads share; the worker
 * wakes the loop through an eventfd. */
#include "base/worker.h"

#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

STAILQ_HEAD(job_queue, worker_job);

struct worker {
    unsigned queue_max;
    unsigned pending;   /* jobs taken and not done; loop thread only */
    struct event *wake; /* reads `wake_fd` */
    int wake_fd;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* for everything below */
    pthread_cond_t work;
    struct job_queue waiting;
    struct job_queue finished;
    bool stopping;
};

static void *run_jobs(void *owner)
{
    struct worker *w = owner;
    struct worker_job *job;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->stopping && STAILQ_EMPTY(&w->waiting))
            pthread_cond_wait(&w->work, &w->lock);
        if (w->stopping)
            break;
        job = STAILQ_FIRST(&w->waiting);
        STAILQ_REMOVE_HEAD(&w->waiting, next);
        pthread_mutex_unlock(&w->lock);
        job->work(job);
        pthread_mutex_lock(&w->lock);
        STAILQ_INSERT_TAIL(&w->finished, job, next);
        if (eventfd_write(w->wake_fd, 1) != 0)
            abort(); /* the counter cannot be full, and the loop must hear of this */
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void deliver(evutil_socket_t fd, short what, void *owner)
{
    struct worker *w = owner;
    struct job_queue finished = STAILQ_HEAD_INITIALIZER(finished);
    eventfd_t count;
    struct worker_job *job;

    (void)what;
    (void)!eventfd_read(fd, &count);
    pthread_mutex_lock(&w->lock);
    STAILQ_CONCAT(&finished, &w->finished);
    pthread_mutex_unlock(&w->lock);
    while ((job = STAILQ_FIRST(&finished)) != NULL) {
        STAILQ_REMOVE_HEAD(&finished, next);
        w->pending--;
        job->done(job);
    }
}

/* Signals are the loop thread's. */
static bool start_thread(struct worker *w)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&w->thread, NULL, run_jobs, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->started = error == 0;
    if (error != 0)
        log_error("worker", "cannot start a thread: %s", strerror(error));
    return w->started;
}

static void drop_nothing(struct worker_job *job)
{
    (void)job;
}

struct worker *worker_create(struct event_base *base, unsigned queue_max)
{
    struct worker *w = must_calloc(1, sizeof *w);

    w->queue_max = queue_max;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    STAILQ_INIT(&w->waiting);
    STAILQ_INIT(&w->finished);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake_fd >= 0)
        w->wake = event_new(base, w->wake_fd, EV_READ | EV_PERSIST, deliver, w);
    if (!w->wake || event_add(w->wake, NULL) != 0) {
        log_error("worker", "cannot watch for what is done: %s", strerror(errno));
        goto fail;
    }
    if (!start_thread(w))
        goto fail;
    return w;

fail:
    worker_destroy(w, drop_nothing);
    return NULL;
}

static void drop_queue(struct job_queue *queue, void (*drop)(struct worker_job *job))
{
    struct worker_job *job;

    while ((job = STAILQ_FIRST(queue)) != NULL) {
        STAILQ_REMOVE_HEAD(queue, next);
        drop(job);
    }
}

void worker_destroy(struct worker *w, void (*drop)(struct worker_job *job))
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    if (w->started)
        pthread_join(w->thread, NULL);
    if (w->wake)
        event_free(w->wake);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    drop_queue(&w->waiting, drop);
    drop_queue(&w->finished, drop);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

bool worker_run(struct worker *w, struct worker_job *job)
{
    if (w->pending >= w->queue_max)
        return false;
    w->pending++;
    pthread_mutex_lock(&w->lock);
    STAILQ_INSERT_TAIL(&w->waiting, job, next);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    return true;
}
