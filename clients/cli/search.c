/* SPDX-License-Identifier: MIT */
/* search.c - messages that have all words, newest first. */
#include "cli.h"

enum { PAGE_MAX = 100, HITS_DEFAULT = 50, HITS_MAX = 100000, KEY_SIZE = 256 };

/* The next page of at most `limit` hits; `key` is where it begins, and is set to where another one
 * would, or to nothing. */
static int search_page(struct cli *c, const struct arguments *a, const char *query, int64_t limit,
                       char key[KEY_SIZE])
{
    const char *from = argument_text(a, "from"), *next;
    json_t *command = json_pack(
        "{s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:I, s:s*}", "command", "searchMessages", "query",
        query, "conversation", argument_text(a, "in"), "from", from ? handle_of(from) : NULL,
        "after", argument_text(a, "after"), "before", argument_text(a, "before"), "limit",
        (json_int_t)limit, "next", key[0] ? key : NULL);
    int status = ask_command(c, command);

    next = status ? NULL : json_string_value(json_object_get(c->answer, "next"));
    if (snprintf(key, KEY_SIZE, "%s", next ? next : "") >= KEY_SIZE)
        key[0] = '\0';
    return status;
}

static int search(struct cli *c, const struct arguments *a)
{
    static const struct list list = {
        .name = "hits", .columns = {"conversation", "seq", "at", "from", "text", NULL}};
    int64_t left = argument_number(a, "limit", HITS_DEFAULT);
    const char *query = text_of(a->operands);
    char key[KEY_SIZE] = "";
    int status = query ? EXIT_OK : EXIT_REFUSED;

    do {
        if (!status)
            status = search_page(c, a, query, left < PAGE_MAX ? left : PAGE_MAX, key);
        if (status)
            return status;
        show_list(c, &list);
        left -= (int64_t)json_array_size(json_object_get(c->answer, list.name));
    } while (left > 0 && key[0]);
    if (json_integer_value(json_object_get(c->answer, "pending")) > 0)
        fputs("(the newest entries cannot be found yet)\n", stderr);
    return EXIT_OK;
}

static const struct option_row options[] = {
    {"in", "CONVERSATION", "only there", OPTION_TEXT, 0, 0},
    {"from", "HANDLE", "only what this user wrote", OPTION_TEXT, 0, 0},
    {"after", "TIME", "not older, such as 2026-11-22T10:00:00Z", OPTION_TEXT, 0, 0},
    {"before", "TIME", "older", OPTION_TEXT, 0, 0},
    {"limit", "N", "so many at most (50)", OPTION_NUMBER, 1, HITS_MAX},
    {0},
};

const struct command command_search = {
    .name = "search",
    .operands = "WORD...",
    .summary = "find messages that have all words",
    .about = "Newest first, in one's conversations as they are now. Words are whole words.",
    .run = search,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = ANY_NUMBER,
    .options = options,
};
