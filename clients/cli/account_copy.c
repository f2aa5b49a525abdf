/* SPDX-License-Identifier: MIT */
/* account_copy.c - see account_copy.h. */
#include "account_copy.h"

#include "cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16 << 20, SPACE_LEAST = 64 << 10, FILE_MODE = S_IRUSR | S_IWUSR };

int account_copy_open(struct account_copy *copy, const char *path, const char *after)
{
    int file;

    *copy = (struct account_copy){.to = stdout, .path = path};
    (void)snprintf(copy->cursor, sizeof copy->cursor, "%s", after ? after : "");
    memcpy(copy->ahead, copy->cursor, sizeof copy->ahead);
    if (!path)
        return EXIT_OK;
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    copy->to = file >= 0 ? fdopen(file, "w") : NULL;
    if (copy->to)
        return EXIT_OK;
    if (file >= 0)
        (void)close(file);
    return fail_output(copy->path);
}

static bool add(struct account_copy *copy, const char *data, size_t length)
{
    size_t space = copy->space > 0 ? copy->space : SPACE_LEAST;
    char *larger;

    if (length > LINE_MAX_BYTES - copy->length) {
        copy->status = fail("a line is too long");
        return false;
    }
    while (space < copy->length + length)
        space *= 2;
    if (space > copy->space) {
        larger = realloc(copy->part, space);
        if (!larger) {
            copy->status = fail_by(BANTER_NO_MEMORY, NULL);
            return false;
        }
        copy->part = larger;
        copy->space = space;
    }
    memcpy(copy->part + copy->length, data, length);
    copy->length += length;
    return true;
}

static bool write_line(struct account_copy *copy)
{
    if (fwrite(copy->part, 1, copy->length, copy->to) == copy->length &&
        putc('\n', copy->to) != EOF)
        return true;
    copy->status = fail_output(copy->path);
    return false;
}

/* A line is whole. The one that only says that there is more is nobody's data. */
static bool take_line(struct account_copy *copy)
{
    json_t *line = json_loadb(copy->part, copy->length, JSON_ALLOW_NUL, NULL);
    const char *type = json_string_value(json_object_get(line, "type"));
    const char *cursor = json_string_value(json_object_get(line, "cursor"));
    bool ok = type != NULL;

    if (!ok || (cursor && strlen(cursor) >= CURSOR_SIZE)) {
        copy->status = fail("the server sends something else than an export");
        ok = false;
    } else {
        ok = strcmp(type, "more") == 0 || write_line(copy);
        if (ok && cursor)
            memcpy(copy->ahead, cursor, strlen(cursor) + 1);
        copy->has_ended = ok && strcmp(type, "end") == 0;
    }
    json_decref(line);
    copy->length = 0;
    return ok;
}

/* What came is written: one may go on behind it. */
static bool settle(struct account_copy *copy)
{
    if (fflush(copy->to) != 0) {
        copy->status = fail_output(copy->path);
        return false;
    }
    if (copy->path)
        copy->written = ftello(copy->to);
    memcpy(copy->cursor, copy->ahead, sizeof copy->cursor);
    return true;
}

static bool take_lines(struct account_copy *copy, const char *data, size_t length)
{
    const char *end = data + length, *newline;

    while ((newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        if (!add(copy, data, (size_t)(newline - data)) || !take_line(copy))
            return false;
        data = newline + 1;
    }
    return data == end || add(copy, data, (size_t)(end - data));
}

bool account_copy_take(void *owner, const char *data, size_t length)
{
    struct account_copy *copy = owner;
    bool ok = take_lines(copy, data, length);

    return !ferror(copy->to) && settle(copy) && ok;
}

void account_copy_drop_part(struct account_copy *copy)
{
    copy->length = 0;
}

/* Of lines that could not be written a part may be there, or come when the stream is closed. */
int account_copy_close(struct account_copy *copy)
{
    int file, status;

    free(copy->part);
    copy->part = NULL;
    if (!copy->path)
        return EXIT_OK; /* that it was written, or was not, is known line by line */
    file = fcntl(fileno(copy->to), F_DUPFD_CLOEXEC, 0);
    (void)fclose(copy->to);
    status = file >= 0 && ftruncate(file, copy->written) == 0 && fsync(file) == 0
                 ? EXIT_OK
                 : fail_output(copy->path);
    if (file >= 0 && close(file) != 0 && !status)
        status = fail_output(copy->path);
    return status;
}
