/* SPDX-License-Identifier: MIT */
/* chat_view_test.c - whole screens, cell by cell. */
#include "unit/unit.h"

#include "unit/chat_rig.h"

#include <stdio.h>

static void check_screen(struct rig *r, const char *const *rows)
{
    bool is_same = true;

    for (int row = 0; row < r->model.rows; row++)
        is_same &= rows[row] && strcmp(rig_row(r, row), rows[row]) == 0;
    for (int row = 0; !is_same && row < r->model.rows; row++)
        print_error("        \"%s\",\n", rig_row(r, row));
    assert_true(is_same);
}

static void test_list(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    model_resize(&r->model, 11, 72);
    check_screen(r, (const char *const[]){
                        " find:                │ Banter",
                        "   bob             2  │    Choose a conversation with ↑ ↓ and Enter,",
                        "   Team        21 Nov │    or type a part of its name.",
                        "                      │",
                        "                      │    ^N  a chat with somebody",
                        "                      │    ^G  a new group",
                        "                      │    F1  all keys",
                        "                      │",
                        "                      │",
                        "                      │",
                        " connected                       Enter open  ^N chat  ^G group  F1 help",
                    });
}

static void test_conversation(void **state)
{
    struct rig *r = *state;
    struct news online = {.kind = NEWS_PRESENCE, .user = "bob", .reason = "online"};

    rig_open_bob(r);
    rig_hear(r, &online);
    model_resize(&r->model, 12, 76);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z','from':'alice',"
                 "'id':'a','kind':'text','reply_to':2,"
                 "'text':'yes: 日本語 and more words than there is room for in one row 🎉'}");
    rig_type(r, "two\\");
    rig_control(r, L'J');
    rig_type(r, "lines");
    check_screen(r,
                 (const char *const[]){
                     " alice                │ bob                                          online",
                     "▸● bob          12:00 │── Sunday, 22 November 2026 ─────────────────────────",
                     "   Team        21 Nov │── new ──────────────────────────────────────────────",
                     "                      │11:58   bob │ hello",
                     "                      │11:59   bob │ are you there?",
                     "                      │12:00 alice │ ↳ bob: are you there?",
                     "                      │            │ yes: 日本語 and more words than",
                     "                      │            │ there is room for in one row 🎉      ✓",
                     "                      │",
                     "                      │> two\\",
                     "                      │  lines",
                     " connected                                    Tab list  ↑ messages  F1 help",
                 });
    assert_int_equal(r->grid.cursor_row, 10);
    assert_int_equal(r->grid.cursor_column, 30);
}

static void test_narrow(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    model_resize(&r->model, 7, 30);
    check_screen(r, (const char *const[]){
                        " bob",
                        "── new ───────────────────────",
                        "bob │ hello",
                        "bob │ are you there?",
                        "",
                        ">",
                        " connected",
                    });
    rig_type(r, "\t");
    check_screen(r, (const char *const[]){
                        " find:",
                        "▸  bob  are you there?  11:59",
                        "   Team  alice create… 21 Nov",
                        "",
                        "",
                        "",
                        " connected",
                    });
    model_resize(&r->model, 3, 10);
    assert_string_equal(rig_row(r, 0), "too small");
}

static void test_receipts(void **state)
{
    struct rig *r = *state;
    struct news cursor = {.kind = NEWS_CURSOR, .conversation = BOB, .user = "bob", .number = 3};
    const struct message *m;

    rig_open_bob(r);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z','from':'alice',"
                 "'id':'a','kind':'text','text':'yes'}");
    m = room_find(r->model.current, 3);
    assert_true(rig_shows(r, "✓"));
    assert_false(rig_shows(r, "✓✓"));
    rig_hear(r, &cursor);
    assert_true(rig_shows(r, "✓✓"));
    rig_press(r, PRESS_UP);
    assert_true(rig_shows(r, "received"));
    cursor.read = 3;
    rig_hear(r, &cursor);
    assert_true(rig_shows(r, "read by bob"));
    assert_int_equal(m->seq, 3);
}

/* What others chose, wherever it is shown, gives the terminal no orders. */
static void test_injection(void **state)
{
    static const char *const evil = "\\u001b[2J\\u009b31m\\u0007\\u202e";
    struct rig *r = *state;
    char json[2048];

    rig_open_bob(r);
    (void)snprintf(json, sizeof json,
                   "{'conversation':'" TEAM "','kind':'group','title':'%s','role':'owner',"
                   "'last_seq':9,'read':1,'unread':1,'limits':{}}",
                   evil);
    rig_event(r, "{'event':'role_changed','conversation':'" TEAM "'}");
    rig_answer(r, WISH_ONE, json);
    (void)snprintf(json, sizeof json,
                   "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z','from':'%s',"
                   "'id':'a','kind':'text','text':'%s','reactions':{'%s':{'count':1}}}",
                   evil, evil, evil);
    rig_entry(r, json);
    rig_press(r, PRESS_UP);
    for (int row = 0; row < r->model.rows; row++)
        for (const char *c = rig_row(r, row); *c; c++) {
            assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
            assert_false((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0);
        }
    assert_true(rig_shows(r, "�[2J�31m�"));
}

static void test_long_drafts_show_their_end(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    for (int i = 0; i < 20; i++) {
        rig_type(r, "row");
        rig_control(r, L'J');
    }
    rig_type(r, "last");
    assert_true(rig_shows(r, "last"));
    assert_int_equal(r->grid.cursor_row, r->model.rows - 2);
    assert_true(rig_shows(r, "are you there?"));
    for (int i = 0; i < 20; i++)
        rig_press(r, PRESS_UP);
    assert_true(rig_shows(r, "> row"));
    assert_int_equal(r->model.focus, FOCUS_WRITE);
}

static void test_every_size(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_type(r, "a draft of some words");
    for (int rows = 1; rows < 30; rows++)
        for (int columns = 1; columns < 100; columns++) {
            model_resize(&r->model, rows, columns);
            (void)rig_row(r, 0);
            assert_true(r->grid.cursor_row < rows && r->grid.cursor_column < columns);
        }
    rig_press(r, PRESS_HELP);
    for (int rows = 1; rows < 30; rows++) {
        model_resize(&r->model, rows, 30);
        (void)rig_row(r, 0);
    }
}

static void test_help(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_press(r, PRESS_HELP);
    rig_press(r, PRESS_NOTHING); /* a change of size, or a key without a meaning */
    assert_true(rig_shows(r, "Alt-Enter"));
    rig_type(r, "x");
    assert_false(rig_shows(r, "Alt-Enter"));
    assert_int_equal(r->model.filter.length, 0);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(test_list),       RIG(test_conversation), RIG(test_narrow),
        RIG(test_receipts),   RIG(test_injection),    RIG(test_long_drafts_show_their_end),
        RIG(test_every_size), RIG(test_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
