/* SPDX-License-Identifier: MIT */
/* client.c - a client's life: making it, its thread, waiting for it, ending it. */
#include "client/client.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SLEEP_MAX_MS = 60000,
    EVENTS_PER_TURN = 256, /* then HTTP and time have their turn */
    MS_PER_SECOND = 1000,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

/* Whose thread this is. */
static _Thread_local const struct banter *running;

static bool is_own_thread(const struct banter *b)
{
    return running == b;
}

/* ---- on the client's thread ---- */

/* An engine's hook: what others may see of it. */
static void show(void *owner)
{
    struct banter *b = owner;
    struct banter_state state = engine_state(&b->engine);
    struct banter_login login = session_login(b->engine.session);
    size_t length = login.user ? strnlen(login.user, HANDLE_MAX_LENGTH) : 0;

    pthread_mutex_lock(&b->mutex);
    b->connection = state.connection;
    if (length > 0)
        memcpy(b->user, login.user, length);
    b->user[length] = '\0';
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

static void wake(void *owner)
{
    http_curl_wake(((struct banter *)owner)->http);
}

/* Whether there is more. */
static bool take_events(struct banter *b)
{
    for (int i = 0; i < EVENTS_PER_TURN; i++) {
        struct net_event *e = mailbox_next_event(&b->mailbox);

        if (!e)
            return false;
        engine_event(&b->engine, e);
        free(e);
    }
    return true;
}

static void take_jobs(struct banter *b)
{
    struct job *j;

    while ((j = mailbox_next_job(&b->mailbox)) != NULL)
        j->run(j);
}

/* Whether to go on. */
static bool look_around(struct banter *b)
{
    bool posted, stopping;

    pthread_mutex_lock(&b->mutex);
    posted = b->posted;
    b->posted = false;
    stopping = b->stopping;
    pthread_mutex_unlock(&b->mutex);
    if (posted)
        outbox_look(&b->engine.outbox);
    return !stopping;
}

static int sleep_of(const struct banter *b, bool is_more)
{
    uint64_t deadline = engine_deadline(&b->engine), now = platform_now(&platform_real);

    if (is_more || deadline <= now)
        return 0;
    return deadline - now < SLEEP_MAX_MS ? (int)(deadline - now) : SLEEP_MAX_MS;
}

static void *run(void *owner)
{
    struct banter *b = owner;
    bool is_more = false;

    running = b;
    engine_start(&b->engine);
    while (look_around(b)) {
        http_curl_wait(b->http, sleep_of(b, is_more));
        http_curl_work(b->http);
        take_jobs(b);
        is_more = take_events(b);
        if (mailbox_take_torn(&b->mailbox))
            engine_torn(&b->engine);
        engine_tick(&b->engine);
    }
    engine_stop(&b->engine);
    http_curl_stop(b->http);
    for (struct job *j; (j = mailbox_next_job(&b->mailbox)) != NULL;)
        j->drop(j);
    return NULL;
}

/* ---- making and ending ---- */

static bool make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    bool ok;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

/* The program's signals are for its own threads; Paho's are started by this one, and inherit. */
static bool start_thread(struct banter *b)
{
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    ok = pthread_create(&b->thread, NULL, run, b) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static int make_engine(struct banter *b, struct banter **out)
{
    struct engine_parts parts = {
        .platform = &platform_real,
        .settings = &b->settings,
        .store = b->store,
        .callbacks = &b->callbacks,
        .changed = show,
        .owner = b,
    };
    int error;

    b->http = http_curl_create(b->settings.ca_file);
    b->transport = b->http ? transport_paho_create(&b->mailbox) : NULL;
    if (!b->transport)
        return BANTER_NO_MEMORY;
    parts.http = http_curl_interface(b->http);
    parts.transport = transport_paho_interface(b->transport);
    error = engine_init(&b->engine, &parts);
    if (error)
        return error;
    show(b);
    *out = b; /* a callback may need it at once */
    if (start_thread(b))
        return BANTER_OK;
    *out = NULL;
    engine_finish(&b->engine);
    return BANTER_NO_MEMORY;
}

/* All but the thread and the engine. */
static void finish(struct banter *b)
{
    transport_paho_destroy(b->transport);
    http_curl_destroy(b->http);
    mailbox_finish(&b->mailbox);
    store_close(b->store);
    settings_finish(&b->settings);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
    free(b);
}

static struct banter *allocate(void)
{
    struct banter *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    if (pthread_mutex_init(&b->mutex, NULL) != 0)
        goto no_mutex;
    if (!make_condition(&b->changed))
        goto no_condition;
    if (mailbox_init(&b->mailbox, wake, b))
        return b;
    pthread_cond_destroy(&b->changed);
no_condition:
    pthread_mutex_destroy(&b->mutex);
no_mutex:
    free(b);
    return NULL;
}

int banter_create(struct banter **out, const struct banter_options *options,
                  const struct banter_callbacks *callbacks)
{
    const struct banter_callbacks nobody = BANTER_CALLBACKS_INIT;
    struct banter *b;
    int error;

    if (!out)
        return BANTER_INVALID;
    *out = NULL;
    b = allocate();
    if (!b)
        return BANTER_NO_MEMORY;
    b->callbacks = nobody;
    error = settings_init(&b->settings, options);
    if (!error && callbacks && !structure_take(&b->callbacks, sizeof b->callbacks, callbacks))
        error = BANTER_INVALID;
    if (!error)
        error = store_open(&b->store, b->settings.store);
    if (!error)
        error = make_engine(b, out);
    if (error)
        finish(b);
    return error;
}

void banter_destroy(struct banter *b)
{
    if (!b || is_own_thread(b))
        return;
    mailbox_close(&b->mailbox);
    pthread_mutex_lock(&b->mutex);
    b->stopping = true;
    pthread_mutex_unlock(&b->mutex);
    wake(b);
    pthread_join(b->thread, NULL);
    engine_finish(&b->engine);
    finish(b);
}

/* ---- what others may see ---- */

static int look(struct banter *b, enum banter_wait what)
{
    if (b->connection == BANTER_SIGNED_OUT && b->entering == 0)
        return BANTER_UNAUTHORIZED;
    if (what == BANTER_UNTIL_ONLINE)
        return b->connection == BANTER_ONLINE ? BANTER_OK : BANTER_TIMEOUT;
    return store_draft_count(b->store) == 0 ? BANTER_OK : BANTER_TIMEOUT;
}

int banter_wait(struct banter *b, enum banter_wait what, uint32_t timeout_ms)
{
    struct timespec deadline;
    int error;

    if (is_own_thread(b))
        return BANTER_WRONG_THREAD;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / MS_PER_SECOND;
    deadline.tv_nsec += (long)(timeout_ms % MS_PER_SECOND) * NS_PER_MS;
    if (deadline.tv_nsec >= NS_PER_SECOND) {
        deadline.tv_sec++;
        deadline.tv_nsec -= NS_PER_SECOND;
    }
    pthread_mutex_lock(&b->mutex);
    while ((error = look(b, what)) == BANTER_TIMEOUT &&
           pthread_cond_timedwait(&b->changed, &b->mutex, &deadline) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&b->mutex);
    return error;
}

bool banter_user(struct banter *b, char *handle, size_t size)
{
    size_t length;

    pthread_mutex_lock(&b->mutex);
    length = strlen(b->user);
    if (length < size)
        memcpy(handle, b->user, length + 1);
    pthread_mutex_unlock(&b->mutex);
    return length < size;
}

size_t banter_outbox_count(struct banter *b)
{
    return store_draft_count(b->store);
}

/* ---- requests ---- */

void request_free(struct request *r)
{
    for (size_t i = 0; i < REQUEST_TEXTS; i++)
        free(r->text[i]);
    free(r);
}

void request_end(struct request *r, const struct banter_result *result)
{
    struct banter *b = r->b;

    if (r->done)
        r->done(r->owner, result);
    if (r->paged)
        r->paged(r->owner, result, NULL, 0, false);
    if (r->enters) {
        pthread_mutex_lock(&b->mutex);
        b->entering--;
        pthread_cond_broadcast(&b->changed);
        pthread_mutex_unlock(&b->mutex);
    }
    request_free(r);
}

void request_done(void *request, const struct banter_result *result)
{
    request_end(request, result);
}

void request_fail(struct request *r, const struct failure *f)
{
    const struct banter_result result = {
        .error = f->error, .reason = f->reason, .retry_after_ms = f->retry_after_ms};

    request_end(r, &result);
}

static void run_request(struct job *j)
{
    struct request *r = (struct request *)j;
    int error = r->act(r);

    if (error) {
        const struct failure f = failure_make(error, NULL);

        request_fail(r, &f);
    }
}

static void drop_request(struct job *j)
{
    const struct failure f = failure_make(BANTER_STOPPED, NULL);

    request_fail((struct request *)j, &f);
}

struct request *request_make(struct banter *b, int (*act)(struct request *r))
{
    struct request *r = calloc(1, sizeof *r);

    if (r) {
        r->job.run = run_request;
        r->job.drop = drop_request;
        r->b = b;
        r->act = act;
    }
    return r;
}

bool request_take(struct request *r, size_t place, const char *text)
{
    assert(place < REQUEST_TEXTS);
    r->text[place] = text ? strdup(text) : NULL;
    return r->text[place] || !text;
}

int request_submit(struct request *r)
{
    struct banter *b;
    int error;

    if (!r)
        return BANTER_NO_MEMORY;
    b = r->b;
    pthread_mutex_lock(&b->mutex);
    b->entering += r->enters;
    pthread_mutex_unlock(&b->mutex);
    error = mailbox_call(&b->mailbox, &r->job);
    if (!error)
        return BANTER_OK;
    pthread_mutex_lock(&b->mutex);
    b->entering -= r->enters;
    pthread_mutex_unlock(&b->mutex);
    request_free(r);
    return error;
}
