/* SPDX-License-Identifier: MIT */
/* export_file.c - see export_file.h. */
#include "export_file.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4 << 20, FILE_MODE = S_IRUSR | S_IWUSR };

/* Reads what is at `from`, all of it. */
static bool read_at(int file, char *to, size_t length, off_t from)
{
    while (length > 0) {
        ssize_t got = pread(file, to, length, from);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        from += got;
        length -= (size_t)got;
    }
    return true;
}

/* What the last entry of the file says. False: it is none. */
static bool take_entry(struct export_file *f, const char *line, size_t length)
{
    json_t *entry = json_loadb(line, length, 0, NULL);
    const char *conversation = json_string_value(json_object_get(entry, "conversation"));
    bool ok = conversation && strlen(conversation) == CONVERSATION_SIZE - 1;

    f->seq = json_integer_value(json_object_get(entry, "seq"));
    if (ok)
        memcpy(f->conversation, conversation, CONVERSATION_SIZE);
    json_decref(entry);
    return ok && f->seq > 0;
}

/* `end` is what the file ends with, beginning at `from`: finds the last whole line, and cuts off
 * the part of one behind it. An exit status. */
static int take_end(struct export_file *f, const char *end, size_t length, off_t from)
{
    static const char beginning[] = "{\"conversation\":\"";
    const char *last = memrchr(end, '\n', length), *line;
    size_t whole = last ? (size_t)(last - end) : 0;
    bool ok;

    if (last) {
        line = memrchr(end, '\n', whole);
        line = line ? line + 1 : end;
        ok = take_entry(f, line, (size_t)(last - line));
    } else { /* of the first line a part */
        size_t known = length < strlen(beginning) ? length : strlen(beginning);

        ok = from == 0 && memcmp(end, beginning, known) == 0;
    }
    if (!ok)
        return fail("%s holds something else than an export", f->path);
    if (ftruncate(fileno(f->to), last ? from + (off_t)whole + 1 : 0) != 0)
        return fail_output(f->path);
    return EXIT_OK;
}

static int go_on(struct export_file *f)
{
    int file = fileno(f->to), status;
    struct stat about;
    size_t length;
    char *end;

    if (fstat(file, &about) != 0)
        return fail_output(f->path);
    if (about.st_size == 0)
        return EXIT_OK;
    length = about.st_size < LINE_MAX_BYTES ? (size_t)about.st_size : LINE_MAX_BYTES;
    end = malloc(length);
    if (end && read_at(file, end, length, about.st_size - (off_t)length))
        status = take_end(f, end, length, about.st_size - (off_t)length);
    else
        status = fail_output(f->path);
    free(end);
    return status;
}

int export_file_open(struct export_file *f, const char *path)
{
    int file, status;

    *f = (struct export_file){.to = stdout, .path = path};
    if (!path)
        return EXIT_OK;
    file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    f->to = file >= 0 ? fdopen(file, "a") : NULL;
    if (!f->to) {
        status = fail_output(f->path);
        if (file >= 0)
            (void)close(file);
        return status;
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        (void)fail("%s: another export is under way", path);
        status = EXIT_LATER;
    } else {
        status = go_on(f);
    }
    if (status)
        (void)fclose(f->to);
    return status;
}

int export_file_add(struct export_file *f, int64_t seq, const char *line)
{
    if (fputs(line, f->to) < 0 || putc('\n', f->to) < 0)
        return fail_output(f->path);
    f->seq = seq;
    return EXIT_OK;
}

int export_file_flush(const struct export_file *f)
{
    return fflush(f->to) == 0 ? EXIT_OK : fail_output(f->path);
}

int export_file_close(struct export_file *f)
{
    int status = export_file_flush(f);

    if (!f->path)
        return status;
    if (!status && fsync(fileno(f->to)) != 0)
        status = fail_output(f->path);
    if (fclose(f->to) != 0 && !status)
        status = fail_output(f->path);
    return status;
}
