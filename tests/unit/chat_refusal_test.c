/* SPDX-License-Identifier: MIT */
/* chat_refusal_test.c - what becomes of texts, questions and pages of the chat that are not taken,
 * refused, or answered when things have changed: nothing is lost, and no window has a hole. */
#include "unit/unit.h"

#include "unit/chat_rig.h"

static struct room *room_of(struct rig *r, const char *id)
{
    struct room *room = model_find(&r->model, id);

    assert_non_null(room);
    return room;
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
        RIG(test_the_filter_may_be_pasted),
        RIG(test_titles_have_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
