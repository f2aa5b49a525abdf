/* SPDX-License-Identifier: MIT */
/* passwords.c - see passwords.h.
 *
 * A job belongs to the loop thread, then (in `waiting`) to whoever holds the lock, then to one
 * worker alone, then (in `finished`) to the lock again, and at last to the loop. Nothing else is
 * shared. Workers wake the loop through an eventfd. */
#include "core/passwords.h"

#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

_Static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES, "the header says so");

struct job {
    STAILQ_ENTRY(job) next;
    bool verify; /* else hash */
    char *password;
    size_t password_length;
    char hash[PASSWORD_HASH_BYTES]; /* verify: the stored one. In the end: the new one, or "" */
    bool exists;                    /* verify: there is such a user */
    enum password_verdict verdict;
    passwords_done_fn *done;
    void *owner;
};

STAILQ_HEAD(job_queue, job);

struct passwords {
    struct passwords_config config;
    char dummy[PASSWORD_HASH_BYTES]; /* what a user who does not exist is compared with */
    unsigned pending;                /* loop thread only */
    struct event *wake;              /* reads `wake_fd` */
    int wake_fd;
    pthread_t *threads;
    unsigned thread_count;
    pthread_mutex_t lock; /* for everything below */
    pthread_cond_t work;
    struct job_queue waiting;
    struct job_queue finished;
    bool stopping;
};

static void free_job(struct job *job)
{
    sodium_memzero(job->password, job->password_length);
    free(job->password);
    free(job);
}

/* False: no memory; then the hash is "". */
static bool compute_hash(const struct passwords_config *c, struct slice password,
                         char hash[PASSWORD_HASH_BYTES])
{
    if (crypto_pwhash_str_alg(hash, password.data, password.length, c->passes,
                              (size_t)c->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0)
        return true;
    hash[0] = '\0';
    return false;
}

static void make_hash(const struct passwords_config *c, struct job *job)
{
    bool ok = compute_hash(c, slice_of(job->password, job->password_length), job->hash);

    if (!job->verify)
        job->verdict = ok ? PASSWORD_OK : PASSWORD_FAILED;
}

static void compare(const struct passwords_config *c, struct job *job)
{
    int differs;

    errno = 0;
    differs = crypto_pwhash_str_verify(job->hash, job->password, job->password_length);
    if (differs && errno == ENOMEM)
        job->verdict = PASSWORD_FAILED;
    else
        job->verdict = differs || !job->exists ? PASSWORD_WRONG : PASSWORD_OK;
    if (job->verdict == PASSWORD_OK &&
        crypto_pwhash_str_needs_rehash(job->hash, c->passes, (size_t)c->memory_kib * 1024) != 0)
        make_hash(c, job);
    else
        job->hash[0] = '\0';
}

static void *work(void *owner)
{
    struct passwords *p = owner;
    struct job *job;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stopping && STAILQ_EMPTY(&p->waiting))
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stopping)
            break;
        job = STAILQ_FIRST(&p->waiting);
        STAILQ_REMOVE_HEAD(&p->waiting, next);
        pthread_mutex_unlock(&p->lock);
        if (job->verify)
            compare(&p->config, job);
        else
            make_hash(&p->config, job);
        pthread_mutex_lock(&p->lock);
        STAILQ_INSERT_TAIL(&p->finished, job, next);
        if (eventfd_write(p->wake_fd, 1) != 0)
            abort(); /* the counter cannot be full, and the loop must hear of this */
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void deliver(evutil_socket_t fd, short what, void *owner)
{
    struct passwords *p = owner;
    struct job_queue finished = STAILQ_HEAD_INITIALIZER(finished);
    eventfd_t count;
    struct job *job;

    (void)what;
    (void)!eventfd_read(fd, &count);
    pthread_mutex_lock(&p->lock);
    STAILQ_CONCAT(&finished, &p->finished);
    pthread_mutex_unlock(&p->lock);
    while ((job = STAILQ_FIRST(&finished))) {
        STAILQ_REMOVE_HEAD(&finished, next);
        p->pending--;
        job->done(job->owner, job->verdict, job->hash[0] ? job->hash : NULL);
        free_job(job);
    }
}

/* A well-formed hash of our parameters that no password has: comparing with it costs the same. */
static void make_dummy(struct passwords *p)
{
    uint8_t salt[crypto_pwhash_SALTBYTES], digest[32];
    char salt_text[sodium_base64_ENCODED_LEN(sizeof salt,
                                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
    char digest_text[sodium_base64_ENCODED_LEN(sizeof digest,
                                               sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];

    randombytes_buf(salt, sizeof salt);
    randombytes_buf(digest, sizeof digest);
    sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    sodium_bin2base64(digest_text, sizeof digest_text, digest, sizeof digest,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    snprintf(p->dummy, sizeof p->dummy, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s", p->config.memory_kib,
             p->config.passes, salt_text, digest_text);
}

/* Signals are the loop thread's. */
static bool start_threads(struct passwords *p)
{
    sigset_t all, before;
    int error = 0;

    p->threads = must_calloc(p->config.threads, sizeof *p->threads);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (error == 0 && p->thread_count < p->config.threads) {
        error = pthread_create(&p->threads[p->thread_count], NULL, work, p);
        if (error == 0)
            p->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        log_error("passwords", "cannot start a thread: %s", strerror(error));
    return error == 0;
}

struct passwords *passwords_create(struct event_base *base, const struct passwords_config *config)
{
    struct passwords *p = must_calloc(1, sizeof *p);

    assert(config->threads > 0 && config->queue_max > 0);
    p->config = *config;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    STAILQ_INIT(&p->waiting);
    STAILQ_INIT(&p->finished);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->wake_fd < 0 || sodium_init() < 0) {
        log_error("passwords", "cannot start: %s", strerror(errno));
        goto fail;
    }
    make_dummy(p);
    p->wake = event_new(base, p->wake_fd, EV_READ | EV_PERSIST, deliver, p);
    if (!p->wake || event_add(p->wake, NULL) != 0 || !start_threads(p))
        goto fail;
    return p;

fail:
    passwords_destroy(p);
    return NULL;
}

static void free_queue(struct job_queue *queue)
{
    struct job *job;

    while ((job = STAILQ_FIRST(queue))) {
        STAILQ_REMOVE_HEAD(queue, next);
        free_job(job);
    }
}

void passwords_destroy(struct passwords *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    if (p->wake)
        event_free(p->wake);
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    free_queue(&p->waiting);
    free_queue(&p->finished);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}

static struct job *make_job(struct slice password, passwords_done_fn *done, void *owner)
{
    struct job *job = must_calloc(1, sizeof *job);

    job->password = must_strndup(password);
    job->password_length = password.length;
    job->done = done;
    job->owner = owner;
    return job;
}

static void submit(struct passwords *p, struct job *job)
{
    p->pending++;
    pthread_mutex_lock(&p->lock);
    STAILQ_INSERT_TAIL(&p->waiting, job, next);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

bool passwords_hash(struct passwords *p, struct slice password, passwords_done_fn *done,
                    void *owner)
{
    if (p->pending >= p->config.queue_max)
        return false;
    submit(p, make_job(password, done, owner));
    return true;
}

bool passwords_verify(struct passwords *p, struct slice password, const char *stored,
                      passwords_done_fn *done, void *owner)
{
    struct job *job;

    if (p->pending >= p->config.queue_max)
        return false;
    job = make_job(password, done, owner);
    job->verify = true;
    job->exists = stored;
    snprintf(job->hash, sizeof job->hash, "%s", stored ? stored : p->dummy);
    submit(p, job);
    return true;
}

unsigned passwords_pending(const struct passwords *p)
{
    return p->pending;
}

bool passwords_hash_now(const struct passwords_config *config, struct slice password,
                        char hash[PASSWORD_HASH_BYTES])
{
    bool ok = sodium_init() >= 0 && compute_hash(config, password, hash);

    if (!ok)
        log_error("passwords", "no memory to hash a password");
    return ok;
}
