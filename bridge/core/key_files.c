/* SPDX-License-Identifier: MIT */
/* key_files.c - see key_files.h. Files appear whole under their names or not at all, and several
 * processes may write at the same time. */
#include "core/key_files.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PEM_MAX_BYTES = 4096,
    PATH_MAX_BYTES = 4096,
    /* No write takes so long, also by the clock of another node of the same directory. */
    TEMPORARY_MAX_AGE_S = 600,
};

static const char jwks_name[] = "jwks.json";
static const char temporary_name[] = ".new-XXXXXX"; /* of mkostemp(), which replaces the X */

/* False after logging: the path is too long. */
static bool join(char path[PATH_MAX_BYTES], const char *directory, const char *name)
{
    int length = snprintf(path, PATH_MAX_BYTES, "%s/%s", directory, name);

    if (length > 0 && length < PATH_MAX_BYTES)
        return true;
    log_error("keys", "the path of %s is too long", name);
    return false;
}

static bool is_key_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot && strcmp(dot, ".pem") == 0;
}

/* Of root's commands, what is made belongs to whoever the directory does. */
static bool give_away(int fd, const char *directory)
{
    struct stat status;

    return geteuid() != 0 ||
           (stat(directory, &status) == 0 && fchown(fd, status.st_uid, status.st_gid) == 0);
}

/* Makes or replaces a file so that readers see the old content or the new, and a crash leaves
 * either of them. Several bridges may do so at once: each has a temporary file of its own, and
 * the last rename wins. False after logging. */
static bool replace_file(const char *directory, const char *name, mode_t mode, struct slice content)
{
    char path[PATH_MAX_BYTES], temporary[PATH_MAX_BYTES];
    bool written;
    int fd;

    if (!join(path, directory, name) || !join(temporary, directory, temporary_name))
        return false;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        log_error("keys", "%s: %s", temporary, strerror(errno));
        return false;
    }
    written = give_away(fd, directory) && fchmod(fd, mode) == 0 && file_write_all(fd, content) &&
              fsync(fd) == 0;
    written = close(fd) == 0 && written && rename(temporary, path) == 0;
    if (!written) {
        log_error("keys", "%s: %s", path, strerror(errno));
        unlink(temporary);
    }
    return written;
}

static bool is_temporary_name(const char *name)
{
    return strlen(name) == strlen(temporary_name) &&
           strncmp(name, temporary_name, strcspn(temporary_name, "X")) == 0;
}

void key_files_sweep(const char *directory, int64_t now_s)
{
    DIR *listing = opendir(directory);
    struct dirent *entry;
    struct stat status;

    if (!listing)
        return; /* whoever reads it says so */
    while ((entry = readdir(listing))) {
        if (!is_temporary_name(entry->d_name) ||
            fstatat(dirfd(listing), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode) || status.st_mtim.tv_sec + TEMPORARY_MAX_AGE_S > now_s)
            continue;
        if (unlinkat(dirfd(listing), entry->d_name, 0) == 0)
            log_info("keys", "%s/%s: removed, left by a crash", directory, entry->d_name);
    }
    closedir(listing);
}

/* Order of two keys, of which the newer one comes first. Whole seconds: copies may keep no more. */
static bool is_before(const struct key_file *a, const struct key_file *b)
{
    return a->made_s != b->made_s ? a->made_s > b->made_s : strcmp(a->name, b->name) > 0;
}

/* Takes the key over. Of too many the oldest goes. */
static void insert(struct key_files *f, const struct key_file *key)
{
    size_t at;

    if (f->count == JWT_KEYS_MAX) {
        struct key_file *oldest = &f->items[f->count - 1];
        const struct key_file *surplus = is_before(key, oldest) ? oldest : key;

        log_error("keys", "%s: more than %d keys; this one is not used", surplus->name,
                  JWT_KEYS_MAX);
        f->broken++;
        jwt_signer_destroy(surplus->signer);
        if (surplus == key)
            return;
        f->count--;
    }
    for (at = f->count++; at > 0 && is_before(key, &f->items[at - 1]); at--)
        f->items[at] = f->items[at - 1];
    f->items[at] = *key;
}

static struct jwt_signer *read_key(const char *path, const struct stat *status)
{
    struct jwt_signer *signer = NULL;
    struct buf pem;

    buf_init(&pem, PEM_MAX_BYTES);
    if (!S_ISREG(status->st_mode)) {
        log_error("keys", "%s: not a file", path);
    } else if (status->st_mode & 077) {
        log_error("keys", "%s: others than its owner may use it: chmod 600", path);
    } else if (!file_read(path, &pem)) {
        log_error("keys", "%s: %s", path, strerror(errno));
    } else {
        signer = jwt_signer_from_pem(buf_slice(&pem));
        if (!signer)
            log_error("keys", "%s: not an Ed25519 private key in PEM (PKCS #8)", path);
    }
    if (pem.data)
        explicit_bzero(pem.data, pem.capacity);
    buf_finish(&pem);
    return signer;
}

static void read_file(const char *directory, const char *name, struct key_files *f)
{
    struct key_file key = {0};
    char path[PATH_MAX_BYTES];
    struct stat status;

    snprintf(key.name, sizeof key.name, "%s", name);
    snprintf(key.kid, sizeof key.kid, "%.*s", (int)(strlen(name) - strlen(".pem")), name);
    if (!join(path, directory, name))
        return;
    if (stat(path, &status) != 0) {
        if (errno == ENOENT)
            return; /* it has just been deleted */
        log_error("keys", "%s: %s", path, strerror(errno));
    } else {
        key.made_s = status.st_mtim.tv_sec;
        key.signer = read_key(path, &status);
    }
    if (key.signer)
        snprintf(key.kid, sizeof key.kid, "%s", jwt_signer_kid(key.signer));
    f->broken += !key.signer;
    insert(f, &key);
}

bool key_files_read(const char *directory, struct key_files *out)
{
    DIR *listing = opendir(directory);
    struct dirent *entry;

    *out = (struct key_files){0};
    if (!listing) {
        log_error("keys", "%s: %s", directory, strerror(errno));
        return false;
    }
    while ((entry = readdir(listing))) {
        if (is_key_name(entry->d_name))
            read_file(directory, entry->d_name, out);
    }
    closedir(listing);
    return true;
}

void key_files_finish(struct key_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        jwt_signer_destroy(f->items[i].signer);
    f->count = 0;
}

const struct key_file *key_files_signing(const struct key_files *f, int64_t now_s,
                                         int64_t overlap_s)
{
    const struct key_file *last = NULL;

    for (size_t i = 0; i < f->count; i++) {
        if (!f->items[i].signer)
            continue;
        last = &f->items[i];
        if (last->made_s + overlap_s <= now_s)
            break;
    }
    return last;
}

int64_t key_files_signs_from(const struct key_files *f, const struct key_file *key,
                             int64_t overlap_s)
{
    for (const struct key_file *older = key + 1; older < f->items + f->count; older++) {
        if (older->signer)
            return key->made_s + overlap_s;
    }
    return key->made_s;
}

static uint64_t mark_of(const char *name, const struct stat *status)
{
    const struct {
        uint64_t name, inode, mode, size, modified_s, modified_ns, changed_s, changed_ns;
    } what = {
        .name = hash_bytes(name, strlen(name)),
        .inode = status->st_ino,
        .mode = status->st_mode,
        .size = (uint64_t)status->st_size,
        .modified_s = (uint64_t)status->st_mtim.tv_sec,
        .modified_ns = (uint64_t)status->st_mtim.tv_nsec,
        .changed_s = (uint64_t)status->st_ctim.tv_sec,
        .changed_ns = (uint64_t)status->st_ctim.tv_nsec,
    };

    return hash_bytes(&what, sizeof what);
}

uint64_t key_files_mark(const char *directory)
{
    DIR *listing = opendir(directory);
    struct dirent *entry;
    struct stat status;
    uint64_t mark = 1;

    if (!listing)
        return 0;
    while ((entry = readdir(listing))) {
        if ((is_key_name(entry->d_name) || strcmp(entry->d_name, jwks_name) == 0) &&
            fstatat(dirfd(listing), entry->d_name, &status, 0) == 0)
            mark += mark_of(entry->d_name, &status); /* in whatever order they come */
    }
    closedir(listing);
    return mark ? mark : 1;
}

bool key_files_make(const char *directory, char kid[JWT_KID_MAX_LENGTH + 1])
{
    struct jwt_signer *signer = jwt_signer_generate();
    char name[JWT_KID_MAX_LENGTH + 8];
    struct buf pem;
    bool made = false;

    buf_init(&pem, PEM_MAX_BYTES);
    if (!signer || !jwt_signer_to_pem(signer, &pem)) {
        log_error("keys", "a key could not be made");
    } else {
        snprintf(kid, JWT_KID_MAX_LENGTH + 1, "%s", jwt_signer_kid(signer));
        snprintf(name, sizeof name, "%s.pem", kid);
        made = replace_file(directory, name, 0600, buf_slice(&pem));
    }
    jwt_signer_destroy(signer);
    if (pem.data)
        explicit_bzero(pem.data, pem.capacity);
    buf_finish(&pem);
    return made;
}

bool key_files_delete(const char *directory, const struct key_file *key)
{
    char path[PATH_MAX_BYTES];

    if (!join(path, directory, key->name))
        return false;
    if (unlink(path) == 0)
        return true;
    log_error("keys", "%s: %s", path, strerror(errno));
    return false;
}

bool key_files_read_jwks(const char *directory, struct buf *out)
{
    char path[PATH_MAX_BYTES];

    if (join(path, directory, jwks_name))
        return file_read(path, out);
    errno = ENAMETOOLONG;
    return false;
}

bool key_files_publish(const char *directory, struct slice jwks)
{
    struct buf there;
    bool same;

    buf_init(&there, JWKS_MAX_BYTES);
    same = key_files_read_jwks(directory, &there) && slice_equal(buf_slice(&there), jwks);
    buf_finish(&there);
    return same || replace_file(directory, jwks_name, 0644, jwks);
}
