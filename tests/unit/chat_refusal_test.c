/* SPDX-License-Identifier: MIT */
/* chat_refusal_test.c - what becomes of texts, questions and pages of the chat that are not taken,
 * refused, or answered when things have changed: nothing is lost, and no window has a hole. */
#include "unit/unit.h"

#include "unit/chat_rig.h"

#include <stdio.h>

enum { JSON_SIZE = 8192 };

static struct room *room_of(struct rig *r, const char *id)
{
    struct room *room = model_find(&r->model, id);

    assert_non_null(room);
    return room;
}

static const char *text_entry(const char *conversation, int seq)
{
    static char json[512];

    (void)snprintf(json, sizeof json,
                   "{'conversation':'%s','seq':%d,'at':'2026-11-22T11:59:30.000Z','from':'bob',"
                   "'id':'b%d','kind':'text','text':'text %d'}",
                   conversation, seq, seq, seq);
    return json;
}

static const char *page_of(const char *conversation, int from, int to, bool more)
{
    static char json[JSON_SIZE];

    (void)snprintf(json, sizeof json, "{'more':%s,'entries':[", more ? "true" : "false");
    for (int seq = from; seq <= to; seq++)
        (void)snprintf(json + strlen(json), sizeof json - strlen(json), "%s%s",
                       seq > from ? "," : "", text_entry(conversation, seq));
    (void)snprintf(json + strlen(json), sizeof json - strlen(json), "]}");
    return json;
}

/* ---- pages that are late ---- */

/* The wish is granted while another conversation is open, and bob goes on to write in this one
 * until only the newest WINDOW_ASIDE messages of it are kept. */
static void trim_bob(struct rig *r)
{
    rig_type(r, "\tteam\r");
    for (int seq = 61; seq <= 300; seq++)
        rig_entry(r, text_entry(BOB, seq));
    rig_expect_none(r, WISH_QUIT); /* what Team asked for is not answered */
}

static void open_bob(struct rig *r)
{
    rig_begin(r);
    rig_type(r, "bob\r");
    rig_answer(r, WISH_NEWEST, page_of(BOB, 41, 60, true));
}

static void test_older_ones_of_a_trimmed_window(void **state)
{
    struct rig *r = *state;
    struct room *bob;

    open_bob(r);
    rig_press(r, PRESS_PAGE_UP);
    bob = room_of(r, BOB);
    rig_expect(r, WISH_OLDER);
    trim_bob(r);
    assert_int_equal(bob->messages[0]->seq, 101);
    wishes_add(&r->model.wishes, &r->last);
    rig_answer(r, WISH_OLDER, page_of(BOB, 21, 40, true));
    assert_int_equal(bob->messages[0]->seq, 101);
    rig_type(r, "\tbob\r");
    rig_alt(r, L'<');
    rig_answer(r, WISH_OLDER, page_of(BOB, 81, 100, true));
    assert_int_equal(r->last.seq, 101);
    assert_int_equal(bob->messages[0]->seq, 81);
}

static void test_changes_of_a_trimmed_window(void **state)
{
    struct rig *r = *state;
    struct room *bob;

    open_bob(r);
    rig_answer(r, WISH_OLDER, page_of(BOB, 21, 40, false));
    bob = room_of(r, BOB);
    rig_entry(r, "{'conversation':'" BOB "','seq':61,'at':'2026-11-22T12:00:01.000Z','from':'bob',"
                 "'id':'e','kind':'edit','target':45,'text':'hullo'}");
    rig_expect(r, WISH_STALE);
    trim_bob(r);
    wishes_add(&r->model.wishes, &r->last);
    rig_answer(r, WISH_STALE, page_of(BOB, 45, 45, true));
    assert_int_equal(bob->messages[0]->seq, 101);
    assert_int_equal(bob->count, WINDOW_ASIDE);
}

static void test_the_newest_of_a_trimmed_window(void **state)
{
    struct rig *r = *state;
    struct room *bob;

    rig_begin(r);
    rig_type(r, "bob\r");
    bob = room_of(r, BOB);
    rig_expect(r, WISH_NEWEST);
    trim_bob(r);
    wishes_add(&r->model.wishes, &r->last);
    rig_answer(r, WISH_NEWEST, page_of(BOB, 41, 60, true));
    assert_int_equal(bob->messages[0]->seq, 101);
    rig_type(r, "\tbob\r");
    rig_answer(r, WISH_NEWEST, page_of(BOB, 281, 300, true));
    assert_int_equal(bob->count, 20);
    assert_int_equal(bob->messages[0]->seq, 281);
}

/* ---- questions without an answer ---- */

static void expect_again(struct rig *r, enum wish_kind kind)
{
    rig_refuse(r, kind, BANTER_TIMEOUT);
    rig_expect_none(r, kind);
    assert_int_equal(model_deadline(&r->model), r->model.now_ms + RETRY_MS);
    rig_pass(r, RETRY_MS);
    rig_expect(r, kind);
}

static void test_questions_are_asked_again(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_event(r, "{'event':'role_changed','conversation':'" TEAM "'}");
    expect_again(r, WISH_ONE);
    rig_entry(r, "{'conversation':'" TEAM "','seq':2,'at':'2026-11-22T12:00:01.000Z','from':'bob',"
                 "'id':'e','kind':'edit','target':1,'text':'hullo'}");
    expect_again(r, WISH_PREVIEW);
    rig_type(r, "team\r");
    expect_again(r, WISH_MEMBERS);
}

/* ---- what is too long, or pasted ---- */

static void test_the_filter_may_be_pasted(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_press(r, PRESS_DOWN);
    rig_press(r, PRESS_UP);
    assert_ptr_equal(r->model.marked, room_of(r, BOB));
    rig_press(r, PRESS_PASTE_BEGIN);
    rig_type(r, "team");
    rig_press(r, PRESS_PASTE_END);
    assert_ptr_equal(r->model.marked, room_of(r, TEAM));
    rig_control(r, L'U');
    assert_ptr_equal(r->model.marked, room_of(r, BOB));
    rig_press(r, PRESS_PASTE_BEGIN);
    rig_type(r, "team");
    rig_press(r, PRESS_PASTE_END);
    rig_type(r, "\r");
    assert_ptr_equal(r->model.current, room_of(r, TEAM));
}

static void test_titles_have_a_bound(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_control(r, L'G');
    for (int i = 0; i < TITLE_MAX_CHARACTERS; i++) {
        assert_false(rig_shows(r, "no more than"));
        rig_type(r, "🎉");
    }
    assert_true(rig_shows(r, "no more than 128 characters"));
    for (int i = 0; i < 100; i++)
        rig_type(r, "x");
    rig_type(r, "\rbob\r");
    rig_expect(r, WISH_GROUP);
    assert_int_equal(strlen(r->last.text), TITLE_MAX_CHARACTERS * strlen("🎉"));
    rig_control(r, L'N');
    rig_type(r, "bob");
    assert_false(rig_shows(r, "no more than"));
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(test_older_ones_of_a_trimmed_window), RIG(test_changes_of_a_trimmed_window),
        RIG(test_the_newest_of_a_trimmed_window), RIG(test_questions_are_asked_again),
        RIG(test_the_filter_may_be_pasted),       RIG(test_titles_have_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
