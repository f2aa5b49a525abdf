/* SPDX-License-Identifier: MIT */
/* send.c - texts to a conversation: words of the call, or lines of the standard input. */
#include "cli.h"
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 500, LOOK_MS = 200 }; /* drafts that may wait when the next one is taken */

/* What has been taken so far. */
struct posting {
    struct cli *cli;
    const char *to;
    int64_t reply_to;
    int64_t count;
    struct progress progress;
};

/* Waits until not more than `left` drafts wait. However many there are: only when nothing moves for
 * the whole time it gives up. */
static int wait_for(struct posting *p, size_t left)
{
    size_t count = banter_outbox_count(p->cli->client), before = count;
    uint32_t still_ms = 0;
    int error = BANTER_TIMEOUT;

    while (count > left && error == BANTER_TIMEOUT && still_ms < p->cli->timeout_ms) {
        error = banter_wait(p->cli->client, BANTER_UNTIL_SENT, LOOK_MS);
        count = banter_outbox_count(p->cli->client);
        still_ms = count < before ? 0 : still_ms + LOOK_MS;
        before = count;
        progress_set(&p->progress, p->count - (int64_t)count);
    }
    return count > left ? error : BANTER_OK;
}

static int post(struct posting *p, const char *text)
{
    struct banter_draft draft = BANTER_DRAFT_INIT;
    int error;

    draft.text = text;
    draft.reply_to = p->reply_to;
    while ((error = banter_post(p->cli->client, p->to, &draft, NULL)) == BANTER_FULL) {
        error = wait_for(p, ROOM);
        if (error)
            break;
    }
    if (error)
        return fail_by(error, NULL);
    p->count++;
    return EXIT_OK;
}

/* Each line that is not empty. */
static int post_lines(struct posting *p)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int status = EXIT_OK;

    while (!status && (length = getline(&line, &size, stdin)) > 0) {
        if (line[length - 1] == '\n')
            line[--length] = '\0';
        if (strlen(line) != (size_t)length)
            status = fail("a line has a NUL in it");
        else if (length > 0)
            status = post(p, line);
    }
    if (!status && ferror(stdin))
        status = fail("the input cannot be read: %s", strerror(errno));
    free(line);
    if (status)
        (void)fail("it ended after %lld messages; these are taken", (long long)p->count);
    return status;
}

static int wait_sent(struct posting *p)
{
    struct banter *client = p->cli->client;
    int error = wait_for(p, 0);

    if (error == BANTER_TIMEOUT)
        (void)fail("%zu not sent yet; the next command goes on", banter_outbox_count(client));
    else if (error)
        (void)fail_by(error, NULL);
    if (error)
        return exit_status_of(error);
    return p->cli->refused > 0 ? EXIT_REFUSED : EXIT_OK;
}

static int send_text(struct cli *c, const struct arguments *a)
{
    struct posting p = {
        .cli = c, .to = a->operands[0], .reply_to = argument_number(a, "reply-to", 0)};
    char *const *words = a->operands + 1;
    const char *text;
    int status, sent;

    if (a->count > 1 && strcmp(words[0], "-") != 0) {
        text = text_of(words);
        status = text ? post(&p, text) : EXIT_REFUSED;
        return status ? status : wait_sent(&p);
    }
    if (a->count > 2)
        return EXIT_USAGE;
    if (isatty(STDIN_FILENO) != 1)
        progress_begin(&p.progress, "send", 0, 0, c->json);
    status = post_lines(&p);
    sent = wait_sent(&p);
    progress_end(&p.progress);
    return status ? status : sent;
}

static const struct option_row options[] = {
    {"reply-to", "SEQ", "the message that this answers", OPTION_NUMBER, 1, INT64_MAX},
    {0},
};

const struct command command_send = {
    .name = "send",
    .operands = "CONVERSATION|@HANDLE [TEXT...|-]",
    .summary = "send a text, or each line of the input",
    .about = "Returns when all is stored. Without a TEXT, or with '-', each line of the standard "
             "input that is not empty is a message. What was taken is sent even if this is "
             "interrupted: by the next command of the profile. With --json the receipts are "
             "printed. Options stand before the conversation, as what follows is the text.",
    .run = send_text,
    .flags = NEEDS_LOGIN | TEXT_FOLLOWS,
    .least = 1,
    .most = ANY_NUMBER,
    .options = options,
};
