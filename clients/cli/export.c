/* SPDX-License-Identifier: MIT */
/* export.c - the whole log of a conversation, page by page. */
#include "cli.h"
#include "export_file.h"
#include "progress.h"

#include <string.h>

enum { PAGE = 1000 };

/* What a page adds to; it is taken on the client's thread, while the command waits. */
static struct {
    struct export_file file;
    struct progress progress;
    int64_t last; /* seq of the newest entry, when it began */
    bool has_more;
    int status;
} job;

static int take_entry(const struct banter_entry *entry)
{
    if (entry->seq != job.file.seq + 1)
        return fail("seq %lld comes after %lld: something is missing", (long long)entry->seq,
                    (long long)job.file.seq);
    return export_file_add(&job.file, entry->seq, entry->json);
}

static void take_page(void *owner, const struct banter_result *result,
                      const struct banter_entry *const *entries, size_t count, bool more)
{
    job.has_more = more;
    for (size_t i = 0; i < count && !job.status; i++)
        job.status = take_entry(entries[i]);
    if (!job.status)
        job.status = export_file_flush(&job.file);
    progress_set(&job.progress, job.file.seq);
    ask_done(owner, result);
}

/* The newest entry says how far there is to go, and whether this is the file's conversation. */
static void take_newest(void *owner, const struct banter_result *result,
                        const struct banter_entry *const *entries, size_t count, bool more)
{
    (void)more;
    if (count > 0) {
        const struct banter_entry *newest = entries[count - 1];

        job.last = newest->seq;
        if (job.file.conversation[0] && strcmp(job.file.conversation, newest->conversation) != 0)
            job.status = fail("%s is an export of %s", job.file.path, job.file.conversation);
    }
    ask_done(owner, result);
}

static int look_ahead(struct cli *c, const char *conversation)
{
    struct banter_page page = BANTER_PAGE_INIT;
    int status;

    page.limit = 1;
    status = ask_wait(c, banter_history(c->client, conversation, &page, take_newest, c));
    if (!status)
        status = job.status;
    if (!status && job.file.path && job.last < job.file.seq)
        status = fail("%s has more entries than the server: it is of another one", job.file.path);
    return status;
}

static int copy_all(struct cli *c, const char *conversation)
{
    struct banter_page page = BANTER_PAGE_INIT;
    int status = EXIT_OK;

    page.limit = PAGE;
    job.has_more = job.last > job.file.seq;
    while (!status && job.has_more) {
        page.after = job.file.seq;
        status = ask_wait(c, banter_history(c->client, conversation, &page, take_page, c));
        if (!status)
            status = job.status;
    }
    return status;
}

static int export(struct cli *c, const struct arguments *a)
{
    const char *path = argument_text(a, "output"), *conversation = a->operands[0];
    int status, closed;

    if (path && argument_given(a, "after")) {
        (void)fail("a file goes on where it ends: --after is for the standard output");
        return EXIT_USAGE;
    }
    status = export_file_open(&job.file, path);
    if (status)
        return status;
    if (!path)
        job.file.seq = argument_number(a, "after", 0);
    status = look_ahead(c, conversation);
    if (!status) {
        progress_begin(&job.progress, "export", job.file.seq, job.last, !path);
        status = copy_all(c, conversation);
        progress_end(&job.progress);
    }
    banter_destroy(c->client); /* a page that was not waited for is not taken any more */
    c->client = NULL;
    closed = status && !path ? EXIT_OK : export_file_close(&job.file);
    return status ? status : closed;
}

static const struct option_row options[] = {
    {"output", "FILE", "to go on where it ends; made with mode 0600 if it is not there",
     OPTION_FILE, 0, 0},
    {"after", "SEQ", "leave out the entries up to this one", OPTION_NUMBER, 0, INT64_MAX},
    {0},
};

const struct command command_export = {
    .name = "export",
    .operands = "CONVERSATION|@HANDLE",
    .summary = "write a whole log, one JSON object a line",
    .about = "Every entry from the first one on, as it was written, in the order of seq without a "
             "gap. With --output a run that was interrupted, or an older one, is gone on with: the "
             "file then has everything up to now, once. A text that was deleted since stays in "
             "the file. Always JSON.",
    .run = export,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
    .options = options,
};
