/* SPDX-License-Identifier: MIT */
/* history.c - a page of a conversation's log. */
#include "cli.h"

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000 };

static void show_page(void *owner, const struct banter_result *result,
                      const struct banter_entry *const *entries, size_t count, bool more)
{
    struct cli *c = owner;

    for (size_t i = 0; i < count; i++)
        show_entry(c, entries[i]);
    if (more && !c->json)
        fputs("(there is more)\n", stderr);
    ask_done(c, result);
}

static int history(struct cli *c, const struct arguments *a)
{
    struct banter_page page = BANTER_PAGE_INIT;

    page.after = argument_number(a, "after", page.after);
    page.before = argument_number(a, "before", page.before);
    page.limit = (uint32_t)argument_number(a, "limit", PAGE_DEFAULT);
    page.folded = argument_given(a, "folded");
    return ask_wait(c, banter_history(c->client, a->operands[0], &page, show_page, c));
}

static const struct option_row options[] = {
    {"after", "SEQ", "the oldest ones after it", OPTION_NUMBER, 0, INT64_MAX},
    {"before", "SEQ", "the newest ones before it", OPTION_NUMBER, 1, INT64_MAX},
    {"limit", "N", "so many at most (50)", OPTION_NUMBER, 1, PAGE_MAX},
    {"folded", NULL, "messages as they are now, without what became of them", OPTION_FLAG, 0, 0},
    {0},
};

const struct command command_history = {
    .name = "history",
    .operands = "CONVERSATION|@HANDLE",
    .summary = "read a log: the newest entries, or those beside a seq",
    .about = "In rising order. '(there is more)' on the standard error says that the limit was "
             "reached. All of a log: export.",
    .run = history,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
    .options = options,
};
