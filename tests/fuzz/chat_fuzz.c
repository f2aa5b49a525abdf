/* SPDX-License-Identifier: MIT */
/* chat_fuzz.c - banter-cli's chat, whatever is pressed and told: every screen has only cells that
 * give a terminal no orders, and its cursor within it. The input is a story of steps. */
#include "fuzz/fuzz.h"

#include "chat/view.h"

#include <locale.h>
#include <string.h>

enum { STEPS_MAX = 200, TEXT_MAX = 64 };

static const char *const ids[] = {"a", "b", "0190f3a1-0000-7000-8000-000000000001"};
static const char *const kinds[] = {"text",    "edit",    "delete",       "reaction",
                                    "created", "renamed", "members_added"};

struct story {
    const uint8_t *at, *end;
};

static unsigned next(struct story *s)
{
    return s->at < s->end ? *s->at++ : 0;
}

/* Some of the input as a string of JSON; what is not UTF-8 becomes another text. */
static json_t *next_text(struct story *s)
{
    size_t length = next(s) % TEXT_MAX, left = (size_t)(s->end - s->at);
    json_t *text = json_stringn((const char *)s->at, length < left ? length : left);

    s->at += length < left ? length : left;
    return text ? text
                : json_string("\xc2\x9b"
                              "2J \xe2\x80\xae");
}

static json_t *next_entry(struct story *s)
{
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:[s]}", "conversation",
                     ids[next(s) % 3], "seq", (int)next(s), "at", "2026-11-22T10:00:00.000Z",
                     "from", next(s) % 2 ? "alice" : "bob", "kind", kinds[next(s) % 7], "target",
                     (int)next(s), "reply_to", (int)next(s) % 4, "text", next_text(s), "title",
                     next_text(s), "members", "eve");
}

/* Most pages are those that were asked for. */
static void choose_page(const struct model *m, struct wish *wish)
{
    const struct room *r = model_find(m, wish->conversation);

    if (r && wish->seq % 4 > 0 && (wish->kind == WISH_NEWEST || wish->kind == WISH_OLDER))
        wish->seq = r->older_before;
}

static void hear(struct model *m, struct story *s)
{
    struct news n = {.kind = next(s) % (NEWS_ANSWER + 1), .flag = next(s) % 2};

    (void)copy_text(n.conversation, sizeof n.conversation, ids[next(s) % 3]);
    (void)copy_text(n.user, sizeof n.user, next(s) % 2 ? "bob" : "alice");
    (void)copy_text(n.draft, sizeof n.draft, "draft");
    n.number = n.kind == NEWS_STATE ? next(s) % (BANTER_DISPLACED + 1) : next(s);
    n.error = next(s) % 4 == 0 ? BANTER_NOT_FOUND : 0;
    if (n.kind == NEWS_ENTRY || n.kind == NEWS_EVENT) {
        n.json = next_entry(s);
    } else if (n.kind == NEWS_ANSWER) {
        n.wish.kind = WISH_LIST + next(s) % (WISH_LEAVE + 1 - WISH_LIST);
        n.wish.seq = next(s);
        n.wish.to = next(s);
        memcpy(n.wish.conversation, n.conversation, sizeof n.conversation);
        choose_page(m, &n.wish);
        n.json = json_pack("{s:[o], s:[o], s:[{s:s}], s:b, s:s, s:s, s:o}", "entries",
                           next_entry(s), "conversations", next_entry(s), "members", "user", "bob",
                           "more", (int)next(s) % 2, "conversation", ids[next(s) % 3], "kind",
                           next(s) % 2 ? "direct" : "group", "title", next_text(s));
    }
    model_hear(m, &n);
    json_decref(n.json);
}

static void press(struct model *m, struct story *s)
{
    struct press p = {next(s) % (PRESS_PASTE_END + 1), (wchar_t)next(s), next(s) % 4 == 0};

    if (p.code == PRESS_CONTROL)
        p.character = L'A' + p.character % 26;
    model_press(m, &p);
}

static void grant_wishes(struct model *m)
{
    struct wish wish;

    while (wishes_take(&m->wishes, &wish)) {
        if (wish.kind <= WISH_REACT)
            model_posted(m, &wish, "draft", wish.seq % 3 == 2 ? BANTER_FULL : 0, "full");
        else if (wish.kind < WISH_LIST && m->now_ms % 3 == 0)
            model_not_said(m, &wish);
        wish_finish(&wish);
    }
}

static void check(const struct model *m, struct grid *g)
{
    view_draw(m, g);
    must(g->cursor_row < g->rows && g->cursor_column < g->columns);
    for (int i = 0; i < g->rows * g->columns; i++)
        for (const wchar_t *c = g->cells[i].text; *c; c++)
            must(*c >= L' ' && !(*c >= 0x7f && *c < 0xa0) && *c != 0x202e && wcwidth(*c) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story s = {data, data + size};
    struct grid grid = {0};
    struct model m;

    (void)setlocale(LC_ALL, "C.UTF-8");
    model_init(&m, "alice");
    for (int step = 0; step < STEPS_MAX && s.at < s.end; step++) {
        unsigned what = next(&s) % 8;

        if (what == 0)
            model_resize(&m, (int)next(&s) % 40 + 1, (int)next(&s) % 120 + 1);
        else if (what < 4)
            press(&m, &s);
        else
            hear(&m, &s);
        model_tick(&m, m.now_ms + next(&s) * 100, m.wall_ms + 1);
        grant_wishes(&m);
        check(&m, &grid);
    }
    model_finish(&m);
    grid_finish(&grid);
    return 0;
}
