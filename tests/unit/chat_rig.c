/* SPDX-License-Identifier: MIT */
/* chat_rig.c - driving the chat's model. */
#include "unit/unit.h"

#include "unit/chat_rig.h"

#include "chat/view.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { JSON_SIZE = 8192 };

static const int64_t noon = INT64_C(1795348800000); /* 2026-11-22T12:00:00Z */

int rig_setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (!r || !setlocale(LC_ALL, "C.UTF-8") || setenv("TZ", "UTC", 1) != 0)
        return -1;
    tzset();
    model_init(&r->model, "alice");
    model_tick(&r->model, 1000, noon);
    *state = r;
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *r = *state;

    wish_finish(&r->last);
    model_finish(&r->model);
    grid_finish(&r->grid);
    free(r);
    return 0;
}

/* ---- in ---- */

void rig_pass(struct rig *r, unsigned ms)
{
    model_tick(&r->model, r->model.now_ms + ms, r->model.wall_ms + ms);
}

static json_t *json_of(const char *text)
{
    char quoted[JSON_SIZE];
    json_t *json;
    size_t i = 0;

    for (; text[i] && i + 1 < sizeof quoted; i++)
        quoted[i] = text[i] == '\'' ? '"' : text[i];
    quoted[i] = '\0';
    json = json_loads(quoted, 0, NULL);
    assert_non_null(json);
    return json;
}

void rig_hear(struct rig *r, const struct news *news)
{
    model_hear(&r->model, news);
    rig_pass(r, 0);
}

void rig_state(struct rig *r, enum banter_connection connection, const char *reason)
{
    struct news n = {.kind = NEWS_STATE, .number = connection, .ms = 5000};

    (void)snprintf(n.reason, sizeof n.reason, "%s", reason);
    rig_hear(r, &n);
}

static void hear_json(struct rig *r, enum news_kind kind, const char *json)
{
    struct news n = {.kind = kind, .json = json_of(json)};

    rig_hear(r, &n);
    json_decref(n.json);
}

void rig_entry(struct rig *r, const char *json)
{
    hear_json(r, NEWS_ENTRY, json);
}

void rig_event(struct rig *r, const char *json)
{
    hear_json(r, NEWS_EVENT, json);
}

void rig_answer(struct rig *r, enum wish_kind kind, const char *json)
{
    struct news n = {.kind = NEWS_ANSWER, .json = json_of(json)};

    rig_expect(r, kind);
    n.wish = r->last;
    rig_hear(r, &n);
    json_decref(n.json);
}

void rig_refuse(struct rig *r, enum wish_kind kind, int error)
{
    struct news n = {.kind = NEWS_ANSWER, .error = error};

    rig_expect(r, kind);
    n.wish = r->last;
    (void)snprintf(n.reason, sizeof n.reason, "refused for a reason");
    rig_hear(r, &n);
}

static void press(struct rig *r, struct press p)
{
    model_press(&r->model, &p);
    rig_pass(r, 0);
}

void rig_press(struct rig *r, enum press_code code)
{
    press(r, (struct press){code, 0, false});
}

void rig_alt(struct rig *r, wchar_t letter)
{
    press(r, (struct press){PRESS_TEXT, letter, true});
}

void rig_control(struct rig *r, wchar_t letter)
{
    press(r, (struct press){PRESS_CONTROL, letter, false});
}

void rig_type(struct rig *r, const char *text)
{
    static const struct {
        wchar_t character;
        enum press_code code;
    } keys[] = {{L'\t', PRESS_TAB},
                {L'\r', PRESS_ENTER},
                {L'\x1b', PRESS_ESCAPE},
                {L'\b', PRESS_BACKSPACE}};
    wchar_t wide[JSON_SIZE];
    size_t length = mbstowcs(wide, text, JSON_SIZE);

    assert_true(length < JSON_SIZE);
    for (size_t i = 0; i < length; i++) {
        struct press p = {PRESS_TEXT, wide[i], false};

        for (size_t k = 0; k < ARRAY_LENGTH(keys); k++)
            if (keys[k].character == wide[i])
                p = (struct press){keys[k].code, 0, false};
        press(r, p);
    }
}

/* ---- out ---- */

static bool take(struct rig *r, enum wish_kind kind)
{
    struct wish wish;

    while (wishes_take(&r->model.wishes, &wish)) {
        if (wish.kind == kind) {
            wish_finish(&r->last);
            r->last = wish;
            return true;
        }
        wish_finish(&wish);
    }
    return false;
}

void rig_expect(struct rig *r, enum wish_kind kind)
{
    assert_true(take(r, kind));
}

void rig_expect_none(struct rig *r, enum wish_kind kind)
{
    assert_false(take(r, kind));
}

const char *rig_row(struct rig *r, int row)
{
    view_draw(&r->model, &r->grid);
    return grid_row(&r->grid, row, r->row, sizeof r->row);
}

bool rig_shows(struct rig *r, const char *text)
{
    for (int row = 0; row < r->model.rows; row++)
        if (strstr(rig_row(r, row), text))
            return true;
    return false;
}

/* ---- beginnings ---- */

void rig_begin(struct rig *r)
{
    rig_state(r, BANTER_ONLINE, "");
    rig_answer(r, WISH_LIST,
               "{'conversations':["
               "{'conversation':'" BOB "','kind':'direct','user':'bob','role':'member',"
               "'last_seq':2,'received':0,'read':0,'unread':2,"
               "'limits':{'typing':true,'cursors':true}},"
               "{'conversation':'" TEAM "','kind':'group','title':'Team','role':'owner',"
               "'last_seq':1,'received':1,'read':1,'unread':0,"
               "'limits':{'typing':true,'cursors':true}}],'more':false}");
    rig_answer(r, WISH_PREVIEW,
               "{'entries':[{'conversation':'" BOB "','seq':2,'at':'2026-11-22T11:59:00.000Z',"
               "'from':'bob','kind':'text','id':'b2','text':'are you there?'}],'more':true}");
    rig_answer(r, WISH_PREVIEW,
               "{'entries':[{'conversation':'" TEAM "','seq':1,'at':'2026-11-21T10:00:00.000Z',"
               "'from':'alice','kind':'created','title':'Team','members':['bob','eve']}],"
               "'more':false}");
}

void rig_open_bob(struct rig *r)
{
    rig_begin(r);
    rig_type(r, "bob\r");
    rig_answer(r, WISH_NEWEST,
               "{'entries':[{'conversation':'" BOB "','seq':1,'at':'2026-11-22T11:58:00.000Z',"
               "'from':'bob','kind':'text','id':'b1','text':'hello'},"
               "{'conversation':'" BOB "','seq':2,'at':'2026-11-22T11:59:00.000Z',"
               "'from':'bob','kind':'text','id':'b2','text':'are you there?'}],'more':false}");
    rig_answer(r, WISH_MEMBERS,
               "{'members':[{'user':'alice','role':'member','received':2,'read':0},"
               "{'user':'bob','role':'member','received':2,'read':2}],'more':false}");
}
