/* SPDX-License-Identifier: MIT */
/* blobs_directory.c - blobs as files: DIRECTORY/1f/…1f, by the last digits of their name, in which
 * names differ. Files appear under their name only when they are whole and on the disk. All calls
 * that touch the disk are made by a worker thread. */
#include "core/blobs.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_MAX_BYTES = 4096,
    JOBS_MAX = 64, /* each with at most BLOB_MAX_BYTES */
    SHELF_DIGITS = 2,
    SUFFIX_ROOM = 8,
};

struct directory {
    struct blobs blobs;
    char *path;
    struct worker *worker;
};

struct blob_job {
    struct worker_job job; /* the first member */
    char shelf[PATH_MAX_BYTES];
    char path[PATH_MAX_BYTES];
    struct buf bytes;
    enum blob_result result;
    blobs_done_fn *done;
    void *owner;
};

static struct blob_job *job_of(struct worker_job *job)
{
    return (struct blob_job *)job;
}

static void free_job(struct worker_job *job)
{
    struct blob_job *j = job_of(job);

    buf_finish(&j->bytes);
    free(j);
}

static void tell(struct worker_job *job)
{
    struct blob_job *j = job_of(job);

    j->done(j->owner, j->result, j->result == BLOB_OK ? buf_slice(&j->bytes) : slice_of("", 0));
    free_job(job);
}

/* So that a name in the directory survives a crash. */
static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

/* Leaves a whole file under `path`, or none. */
static bool write_file(const char *path, struct slice bytes)
{
    char draft[PATH_MAX_BYTES + SUFFIX_ROOM];
    bool ok;
    int fd;

    snprintf(draft, sizeof draft, "%s.new", path);
    fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = file_write_all(fd, bytes) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok && rename(draft, path) == 0;
    if (!ok)
        unlink(draft);
    return ok;
}

static void do_write(struct worker_job *job)
{
    struct blob_job *j = job_of(job);
    bool ok = (mkdir(j->shelf, 0700) == 0 || errno == EEXIST) &&
              write_file(j->path, buf_slice(&j->bytes)) && sync_directory(j->shelf);

    if (!ok)
        log_error("blobs", "cannot write %s: %s", j->path, strerror(errno));
    j->result = ok ? BLOB_OK : BLOB_FAILED;
    buf_finish(&j->bytes);
}

static void do_read(struct worker_job *job)
{
    struct blob_job *j = job_of(job);

    if (file_read(j->path, &j->bytes)) {
        j->result = BLOB_OK;
    } else if (errno == ENOENT) {
        j->result = BLOB_NOT_FOUND;
    } else {
        log_error("blobs", "cannot read %s: %s", j->path, strerror(errno));
        j->result = BLOB_FAILED;
    }
}

static void do_remove(struct worker_job *job)
{
    struct blob_job *j = job_of(job);

    j->result = unlink(j->path) == 0 || errno == ENOENT ? BLOB_OK : BLOB_FAILED;
    if (j->result != BLOB_OK)
        log_error("blobs", "cannot remove %s: %s", j->path, strerror(errno));
}

static struct blob_job *new_job(struct directory *d, const struct uuid *name,
                                void (*work)(struct worker_job *job), blobs_done_fn *done,
                                void *owner)
{
    struct blob_job *j = must_calloc(1, sizeof *j);
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(name, text);
    snprintf(j->shelf, sizeof j->shelf, "%s/%s", d->path, text + UUID_TEXT_LENGTH - SHELF_DIGITS);
    snprintf(j->path, sizeof j->path, "%s/%s/%s", d->path, text + UUID_TEXT_LENGTH - SHELF_DIGITS,
             text);
    buf_init(&j->bytes, BLOB_MAX_BYTES);
    j->job.work = work;
    j->job.done = tell;
    j->done = done;
    j->owner = owner;
    return j;
}

static bool run(struct directory *d, struct blob_job *j)
{
    bool ok = worker_run(d->worker, &j->job);

    if (!ok)
        free_job(&j->job);
    return ok;
}

static bool directory_write(struct blobs *b, const struct uuid *name, struct slice bytes,
                            blobs_done_fn *done, void *owner)
{
    struct directory *d = (struct directory *)b;
    struct blob_job *j = new_job(d, name, do_write, done, owner);

    buf_slice_put(&j->bytes, bytes);
    if (j->bytes.failed)
        abort(); /* out of memory, or a caller that did not look at the length */
    return run(d, j);
}

static bool directory_read(struct blobs *b, const struct uuid *name, blobs_done_fn *done,
                           void *owner)
{
    struct directory *d = (struct directory *)b;

    return run(d, new_job(d, name, do_read, done, owner));
}

static bool directory_remove(struct blobs *b, const struct uuid *name, blobs_done_fn *done,
                             void *owner)
{
    struct directory *d = (struct directory *)b;

    return run(d, new_job(d, name, do_remove, done, owner));
}

static void directory_destroy(struct blobs *b)
{
    struct directory *d = (struct directory *)b;

    worker_destroy(d->worker, free_job);
    free(d->path);
    free(d);
}

static const struct blobs_type directory_type = {
    .write = directory_write,
    .read = directory_read,
    .remove = directory_remove,
    .destroy = directory_destroy,
};

struct blobs *blobs_in_directory(struct event_base *base, const char *directory)
{
    struct directory *d;

    if (strlen(directory) + UUID_TEXT_LENGTH + SHELF_DIGITS + SUFFIX_ROOM > PATH_MAX_BYTES) {
        log_error("blobs", "the directory's path is too long: %s", directory);
        return NULL;
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        log_error("blobs", "cannot make the directory %s: %s", directory, strerror(errno));
        return NULL;
    }
    d = must_calloc(1, sizeof *d);
    d->blobs.type = &directory_type;
    d->path = must_strndup(slice_str(directory));
    d->worker = worker_create(base, JOBS_MAX);
    if (!d->worker) {
        directory_destroy(&d->blobs);
        return NULL;
    }
    return &d->blobs;
}
