/* SPDX-License-Identifier: MIT */
/* keys.c - see keys.h. To rotate: add a newer key, restart, and delete the old one when the last
 * token that it signed has expired. */
#include "core/keys.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

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
    JWKS_MAX_BYTES = 16384,
    PATH_MAX_BYTES = 4096,
};

struct key {
    struct jwt_signer *signer;
    struct timespec modified;
};

struct keys {
    char *directory;
    char *issuer;
    char *audience;
    struct key items[JWT_KEYS_MAX]; /* newest first */
    size_t count;
    struct buf jwks;
    struct jwt_keys *verifiers; /* parsed back from `jwks` */
};

/* False after logging: the path is too long. */
static bool join(char path[PATH_MAX_BYTES], const char *directory, const char *name)
{
    int length = snprintf(path, PATH_MAX_BYTES, "%s/%s", directory, name);

    if (length > 0 && length < PATH_MAX_BYTES)
        return true;
    log_error("keys", "the path of %s is too long", name);
    return false;
}

/* Makes or replaces a file so that readers see the old content or the new, and a crash leaves
 * either of them. False after logging. */
static bool replace_file(const char *directory, const char *name, mode_t mode, struct slice content)
{
    char path[PATH_MAX_BYTES], temporary[PATH_MAX_BYTES];
    char temporary_name[JWT_KID_MAX_LENGTH + 16];
    int fd;
    bool written;

    snprintf(temporary_name, sizeof temporary_name, "%s.new", name);
    if (!join(path, directory, name) || !join(temporary, directory, temporary_name))
        return false;
    unlink(temporary); /* of a crash */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        log_error("keys", "%s: %s", temporary, strerror(errno));
        return false;
    }
    written = fchmod(fd, mode) == 0 && file_write_all(fd, content) && fsync(fd) == 0;
    written = close(fd) == 0 && written && rename(temporary, path) == 0;
    if (!written)
        log_error("keys", "%s: %s", path, strerror(errno));
    return written;
}

/* Keeps the items sorted, newest first. */
static void insert(struct keys *k, struct key key)
{
    size_t at = k->count++;

    while (at > 0 && (k->items[at - 1].modified.tv_sec < key.modified.tv_sec ||
                      (k->items[at - 1].modified.tv_sec == key.modified.tv_sec &&
                       k->items[at - 1].modified.tv_nsec < key.modified.tv_nsec))) {
        k->items[at] = k->items[at - 1];
        at--;
    }
    k->items[at] = key;
}

static bool load_key(struct keys *k, const char *path)
{
    struct stat status;
    struct buf pem;
    struct key key = {0};

    buf_init(&pem, PEM_MAX_BYTES);
    if (k->count == JWT_KEYS_MAX) {
        log_error("keys", "%s: more than %d keys", path, JWT_KEYS_MAX);
    } else if (stat(path, &status) != 0 || !file_read(path, &pem)) {
        log_error("keys", "%s: %s", path, strerror(errno));
    } else if (status.st_mode & 077) {
        log_error("keys", "%s: others than its owner may use it: chmod 600", path);
    } else {
        key.modified = status.st_mtim;
        key.signer = jwt_signer_from_pem(buf_slice(&pem));
        if (!key.signer)
            log_error("keys", "%s: not an Ed25519 private key in PEM (PKCS #8)", path);
        else
            insert(k, key);
    }
    if (pem.data)
        explicit_bzero(pem.data, pem.length);
    buf_finish(&pem);
    return key.signer;
}

static bool load_directory(struct keys *k)
{
    DIR *directory = opendir(k->directory);
    struct dirent *entry;
    bool loaded = true;

    if (!directory) {
        log_error("keys", "%s: %s", k->directory, strerror(errno));
        return false;
    }
    while (loaded && (entry = readdir(directory))) {
        char path[PATH_MAX_BYTES];
        const char *dot = strrchr(entry->d_name, '.');

        if (entry->d_name[0] != '.' && dot && strcmp(dot, ".pem") == 0)
            loaded = join(path, k->directory, entry->d_name) && load_key(k, path);
    }
    closedir(directory);
    return loaded;
}

static bool make_first_key(struct keys *k)
{
    struct key key = {.signer = jwt_signer_generate()};
    char name[JWT_KID_MAX_LENGTH + 8];
    struct buf pem;
    bool made = false;

    buf_init(&pem, PEM_MAX_BYTES);
    if (!key.signer || !jwt_signer_to_pem(key.signer, &pem)) {
        log_error("keys", "a key could not be made");
        goto done;
    }
    snprintf(name, sizeof name, "%s.pem", jwt_signer_kid(key.signer));
    made = replace_file(k->directory, name, 0600, buf_slice(&pem));
    if (made) {
        log_info("keys", "made a first signing key, %s", jwt_signer_kid(key.signer));
        insert(k, key);
    }
done:
    if (!made)
        jwt_signer_destroy(key.signer);
    if (pem.data)
        explicit_bzero(pem.data, pem.length);
    buf_finish(&pem);
    return made;
}

static bool publish(struct keys *k)
{
    const char *reason = "it does not fit";

    buf_str(&k->jwks, "{\"keys\":[");
    for (size_t i = 0; i < k->count; i++) {
        if (i > 0)
            buf_char(&k->jwks, ',');
        jwt_signer_write_jwk(k->items[i].signer, &k->jwks);
    }
    buf_str(&k->jwks, "]}\n");
    if (!k->jwks.failed)
        k->verifiers = jwt_keys_parse(buf_slice(&k->jwks), &reason);
    if (!k->verifiers) {
        log_error("keys", "the set of public keys is of no use: %s", reason);
        return false;
    }
    return replace_file(k->directory, "jwks.json", 0644, buf_slice(&k->jwks));
}

struct keys *keys_open(const char *directory, const char *issuer, const char *audience)
{
    struct keys *k = must_calloc(1, sizeof *k);

    k->directory = must_strndup(slice_str(directory));
    k->issuer = must_strndup(slice_str(issuer));
    k->audience = must_strndup(slice_str(audience));
    buf_init(&k->jwks, JWKS_MAX_BYTES);
    if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
        log_error("keys", "%s: %s", directory, strerror(errno));
        goto fail;
    }
    if (!load_directory(k) || (k->count == 0 && !make_first_key(k)) || !publish(k))
        goto fail;
    return k;

fail:
    keys_close(k);
    return NULL;
}

void keys_close(struct keys *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++)
        jwt_signer_destroy(k->items[i].signer);
    jwt_keys_destroy(k->verifiers);
    buf_finish(&k->jwks);
    free(k->directory);
    free(k->issuer);
    free(k->audience);
    free(k);
}

struct slice keys_jwks(const struct keys *k)
{
    return buf_slice(&k->jwks);
}

bool keys_sign(const struct keys *k, const struct jwt_claims *claims, struct buf *out)
{
    return jwt_sign(k->items[0].signer, claims, k->issuer, k->audience, out);
}

enum jwt_status keys_verify(const struct keys *k, struct slice token, struct jwt_claims *out)
{
    return jwt_verify(k->verifiers, token, k->issuer, k->audience, clock_wall_ms() / 1000, out);
}
