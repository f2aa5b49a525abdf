/* SPDX-License-Identifier: MIT */
/* file.c - see file.h. */
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_CHUNK_BYTES = 16384 };

bool file_read(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[READ_CHUNK_BYTES];
    ssize_t got;
    int error = 0;

    if (fd < 0)
        return false;
    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            error = errno;
            break;
        }
        buf_bytes(out, chunk, (size_t)got);
    }
    close(fd);
    explicit_bzero(chunk, sizeof chunk); /* it may have been a key */
    if (!error && out->failed)
        error = EFBIG;
    errno = error;
    return error == 0;
}

char *file_read_secret(const char *path, size_t max_length)
{
    struct buf content;
    char *secret = NULL;
    size_t length;

    buf_init(&content, max_length + READ_CHUNK_BYTES);
    if (!file_read(path, &content))
        goto done;
    errno = EINVAL;
    if (content.length == 0)
        goto done;
    length = strcspn(content.data, "\r\n");
    if (length > 0 && length <= max_length)
        secret = must_strndup(slice_of(content.data, length));
done:
    if (content.data)
        explicit_bzero(content.data, content.length);
    buf_finish(&content);
    return secret;
}

bool file_is_private(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 || (st.st_mode & (S_IROTH | S_IWOTH)) == 0;
}

bool file_write_all(int fd, struct slice bytes)
{
    while (bytes.length > 0) {
        ssize_t written = write(fd, bytes.data, bytes.length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes = slice_of(bytes.data + written, bytes.length - (size_t)written);
    }
    return true;
}
