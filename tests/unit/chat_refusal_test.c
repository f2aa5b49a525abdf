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

/* ---- texts that are not taken, or not sent ---- */

/* Own message 3, which is being edited to "done!". */
static void edit(struct rig *r)
{
    rig_open_bob(r);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z',"
                 "'from':'alice','id':'a','kind':'text','text':'done'}");
    rig_press(r, PRESS_UP);
    rig_type(r, "e!\r");
    rig_expect(r, WISH_EDIT);
    assert_int_equal(r->last.seq, 3);
}

static void test_an_edit_that_is_not_taken(void **state)
{
    struct rig *r = *state;

    edit(r);
    model_posted(&r->model, &r->last, "", BANTER_FULL, "a queue has reached its bound");
    assert_true(rig_shows(r, "> done!"));
    rig_type(r, "!\r");
    rig_expect(r, WISH_EDIT);
    assert_int_equal(r->last.seq, 3);
    assert_string_equal(r->last.text, "done!!");
}

static void test_a_reply_that_is_not_taken(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_press(r, PRESS_UP);
    rig_type(r, "ryes\r");
    rig_expect(r, WISH_TEXT);
    model_posted(&r->model, &r->last, "", BANTER_FULL, "a queue has reached its bound");
    assert_true(rig_shows(r, "reply to bob: are you there?"));
    rig_type(r, "\r");
    rig_expect(r, WISH_TEXT);
    assert_int_equal(r->last.seq, 2);
    assert_string_equal(r->last.text, "yes");
}

/* There is another text where it was written: it is not lost. */
static void test_an_edit_that_finds_its_place_taken(void **state)
{
    struct rig *r = *state;

    edit(r);
    rig_type(r, "next");
    model_posted(&r->model, &r->last, "", BANTER_FULL, "a queue has reached its bound");
    assert_true(rig_shows(r, "> next"));
    assert_true(rig_shows(r, "done! (edit)"));
    rig_control(r, L'U');
    rig_press(r, PRESS_UP);
    rig_type(r, "e\r");
    rig_expect(r, WISH_EDIT);
    assert_int_equal(r->last.seq, 3);
    assert_string_equal(r->last.text, "done!");
    assert_false(rig_shows(r, "done! (edit)"));
}

static void test_a_refused_edit(void **state)
{
    struct rig *r = *state;
    struct news receipt = {.kind = NEWS_RECEIPT,
                           .conversation = BOB,
                           .draft = "e1",
                           .error = BANTER_FORBIDDEN,
                           .reason = "it is too late"};

    edit(r);
    model_posted(&r->model, &r->last, "e1", BANTER_OK, "");
    assert_false(rig_shows(r, "done!"));
    rig_hear(r, &receipt);
    assert_true(rig_shows(r, "done! (edit)"));
    assert_true(rig_shows(r, "it is too late"));
    rig_press(r, PRESS_UP);
    rig_type(r, "e\r");
    rig_expect(r, WISH_EDIT);
    assert_int_equal(r->last.seq, 3);
    model_posted(&r->model, &r->last, "e2", BANTER_OK, "");
    receipt = (struct news){.kind = NEWS_RECEIPT, .conversation = BOB, .draft = "e2", .number = 4};
    rig_hear(r, &receipt);
    assert_int_equal(room_of(r, BOB)->count, 3);
    assert_int_equal(room_of(r, BOB)->edit_count, 0);
}

static void test_a_refused_reply(void **state)
{
    struct rig *r = *state;
    struct news receipt = {.kind = NEWS_RECEIPT,
                           .conversation = BOB,
                           .draft = "d1",
                           .error = BANTER_FORBIDDEN,
                           .reason = "you are blocked"};

    rig_open_bob(r);
    rig_press(r, PRESS_UP);
    rig_type(r, "ryes\r");
    rig_expect(r, WISH_TEXT);
    model_posted(&r->model, &r->last, "d1", BANTER_OK, "");
    rig_hear(r, &receipt);
    rig_press(r, PRESS_UP);
    rig_type(r, "e\r");
    rig_expect(r, WISH_TEXT);
    assert_int_equal(r->last.seq, 2);
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

/* ---- the chosen message ---- */

/* Own message "yes", which waits for its receipt and is chosen. */
static void choose_unsent(struct rig *r)
{
    rig_open_bob(r);
    rig_type(r, "yes\r");
    rig_expect(r, WISH_TEXT);
    model_posted(&r->model, &r->last, "d1", BANTER_OK, "");
    rig_press(r, PRESS_UP);
    assert_true(r->model.selected >= SEQ_UNSENT);
}

static void test_the_chosen_one_is_stored(void **state)
{
    struct rig *r = *state;
    struct news receipt = {.kind = NEWS_RECEIPT, .conversation = BOB, .draft = "d1", .number = 3};

    choose_unsent(r);
    rig_hear(r, &receipt);
    rig_entry(r, text_entry(BOB, 4));
    assert_int_equal(r->model.selected, 3);
    rig_type(r, "dy");
    rig_expect(r, WISH_DELETE);
    assert_int_equal(r->last.seq, 3);
}

static void test_the_chosen_one_is_told_before_its_receipt(void **state)
{
    struct rig *r = *state;

    choose_unsent(r);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z',"
                 "'from':'alice','id':'d1','kind':'text','text':'yes'}");
    assert_int_equal(r->model.selected, 3);
}

/* What is deleted is what is shown as chosen. */
static void test_the_chosen_one_is_gone(void **state)
{
    struct rig *r = *state;

    choose_unsent(r);
    room_remove(r->model.current, 2);
    rig_type(r, "d");
    assert_int_equal(r->model.selected, 2);
    rig_type(r, "y");
    rig_expect(r, WISH_DELETE);
    assert_int_equal(r->last.seq, 2);
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
        RIG(test_older_ones_of_a_trimmed_window),
        RIG(test_changes_of_a_trimmed_window),
        RIG(test_the_newest_of_a_trimmed_window),
        RIG(test_an_edit_that_is_not_taken),
        RIG(test_a_reply_that_is_not_taken),
        RIG(test_an_edit_that_finds_its_place_taken),
        RIG(test_a_refused_edit),
        RIG(test_a_refused_reply),
        RIG(test_questions_are_asked_again),
        RIG(test_the_chosen_one_is_stored),
        RIG(test_the_chosen_one_is_told_before_its_receipt),
        RIG(test_the_chosen_one_is_gone),
        RIG(test_the_filter_may_be_pasted),
        RIG(test_titles_have_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
