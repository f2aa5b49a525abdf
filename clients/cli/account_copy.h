/* SPDX-License-Identifier: MIT */
/* account_copy.h - the lines of an export of one's account (docs/protocol.md, "Export and
 * erasure") on their way to a file or the standard output: whole ones only, each with the place
 * behind it, to go on from.
 *
 * Rule: nobody goes on from behind a line that was not written. */
#ifndef BANTER_CLI_ACCOUNT_COPY_H
#define BANTER_CLI_ACCOUNT_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum { CURSOR_SIZE = 96 };

struct account_copy {
    FILE *to;
    const char *path;         /* NULL: the standard output */
    char cursor[CURSOR_SIZE]; /* behind the last line that was written; empty: none was */
    char ahead[CURSOR_SIZE];  /* behind the last one that came */
    off_t written;            /* bytes of the file up to `cursor` */
    bool has_ended;           /* that was the last one */
    int status;               /* after a message: it cannot go on */
    char *part;               /* of a line; to be freed */
    size_t length, space;
};

/* `after` is where it begins; NULL: at the beginning. An exit status after a message: a file that
 * is there already is not written to. */
int account_copy_open(struct account_copy *copy, const char *path, const char *after);
/* For fetch_call(). */
bool account_copy_take(void *copy, const char *data, size_t length);
/* What had begun is forgotten: it comes again. */
void account_copy_drop_part(struct account_copy *copy);
/* What is up to `cursor` is on the disk then, if it was to be a file, and nothing else. */
int account_copy_close(struct account_copy *copy);

#endif
