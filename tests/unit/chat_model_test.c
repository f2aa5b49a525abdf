/* SPDX-License-Identifier: MIT */
/* chat_model_test.c - what news and keys make of the chat: what it counts, asks for and sends. */
#include "unit/unit.h"

#include "unit/chat_rig.h"

#include <stdio.h>

#define TEXT_ENTRY(conversation, seq, from, text)                                                  \
    "{'conversation':'" conversation "','seq':" #seq                                               \
    ",'at':'2026-11-22T12:00:01.000Z','from':'" from "','id':'x" #seq                              \
    "','kind':'text','text':'" text "'}"

static struct room *room_of(struct rig *r, const char *id)
{
    struct room *room = model_find(&r->model, id);

    assert_non_null(room);
    return room;
}

static void test_unread_rises_and_falls(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    assert_int_equal(room_of(r, BOB)->unread, 2);
    rig_entry(r, TEXT_ENTRY(BOB, 3, "bob", "hello?"));
    rig_entry(r, TEXT_ENTRY(BOB, 3, "bob", "hello?")); /* told again */
    assert_int_equal(room_of(r, BOB)->unread, 3);
    rig_entry(r, TEXT_ENTRY(BOB, 4, "alice", "from my phone"));
    assert_int_equal(room_of(r, BOB)->unread, 3);
    rig_expect_none(r, WISH_READ);
    rig_type(r, "bob\r");
    rig_answer(
        r, WISH_NEWEST,
        "{'entries':[" TEXT_ENTRY(BOB, 4, "alice", "from my phone") "],'more':true,'next':4}");
    rig_expect(r, WISH_READ);
    assert_int_equal(r->last.seq, 4);
    assert_int_equal(room_of(r, BOB)->unread, 0);
}

static void test_reading_elsewhere(void **state)
{
    struct rig *r = *state;
    struct news read = {.kind = NEWS_CURSOR, .conversation = BOB, .user = "alice", .read = 1};

    rig_begin(r);
    rig_expect_none(r, WISH_ONE);
    rig_hear(r, &read);
    rig_expect(r, WISH_ONE); /* how many are left, the server knows */
    read.read = 2;
    rig_hear(r, &read);
    assert_int_equal(room_of(r, BOB)->unread, 0);
}

static void test_not_read_while_nobody_looks(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_expect(r, WISH_READ);
    rig_pass(r, 6 * 60 * 1000);
    rig_expect(r, WISH_AWAY);
    assert_true(r->last.flag);
    rig_entry(r, TEXT_ENTRY(BOB, 3, "bob", "still there?"));
    rig_expect_none(r, WISH_READ);
    assert_int_equal(room_of(r, BOB)->unread, 1);
    rig_type(r, "y");
    rig_expect(r, WISH_AWAY);
    assert_false(r->last.flag);
    rig_expect(r, WISH_READ);
}

static void post(struct rig *r, const char *id)
{
    rig_expect(r, WISH_TEXT);
    model_posted(&r->model, &r->last, id, BANTER_OK, "");
}

static void test_a_message_is_sent(void **state)
{
    struct rig *r = *state;
    struct news receipt = {.kind = NEWS_RECEIPT, .conversation = BOB, .draft = "d1", .number = 3};
    const struct message *m;

    rig_open_bob(r);
    rig_type(r, "I am");
    rig_expect(r, WISH_TYPING);
    rig_type(r, "\r");
    post(r, "d1");
    assert_string_equal(r->last.text, "I am");
    m = room_find_draft(room_of(r, BOB), "d1");
    assert_int_equal(m->fate, FATE_SENDING);
    receipt.ms = r->model.wall_ms;
    rig_hear(r, &receipt);
    m = room_find(room_of(r, BOB), 3);
    assert_int_equal(m->fate, FATE_STORED);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z',"
                 "'from':'alice','id':'d1','kind':'text','text':'I am'}");
    assert_int_equal(room_of(r, BOB)->count, 3);
    assert_int_equal(room_of(r, BOB)->unread, 0);
}

/* After a broken connection the entry may be told first. */
static void test_entry_before_receipt(void **state)
{
    struct rig *r = *state;
    struct news receipt = {.kind = NEWS_RECEIPT, .conversation = BOB, .draft = "d1", .number = 3};

    rig_open_bob(r);
    rig_type(r, "I am\r");
    post(r, "d1");
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z',"
                 "'from':'alice','id':'d1','kind':'text','text':'I am'}");
    rig_hear(r, &receipt);
    assert_int_equal(room_of(r, BOB)->count, 3);
}

/* Whoever is erased is another one in all that is here already, too. */
static void test_a_user_is_erased(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z',"
                 "'from':'erased-0123456789ab','kind':'member_erased','owner':'eve'}");
    assert_string_equal(room_find(room_of(r, BOB), 3)->text,
                        "deleted the account; eve is the owner now");
    rig_expect(r, WISH_STALE);
    assert_int_equal(r->last.seq, 1);
    assert_int_equal(r->last.to, 3);
}

static void test_a_refused_text_comes_back(void **state)
{
    struct rig *r = *state;
    struct news receipt = {.kind = NEWS_RECEIPT,
                           .conversation = BOB,
                           .draft = "d1",
                           .error = BANTER_FORBIDDEN,
                           .reason = "you are blocked"};

    rig_open_bob(r);
    rig_type(r, "I am\r");
    post(r, "d1");
    rig_hear(r, &receipt);
    assert_true(rig_shows(r, "not sent: you are blocked"));
    assert_int_equal(room_find_draft(room_of(r, BOB), "d1")->fate, FATE_REFUSED);
    rig_press(r, PRESS_UP);
    rig_type(r, "e");
    assert_string_equal(line_text(&room_of(r, BOB)->draft), "I am");
    assert_null(room_find_draft(room_of(r, BOB), "d1"));
    rig_type(r, "\r");
    rig_expect(r, WISH_TEXT);
    model_posted(&r->model, &r->last, "", BANTER_FULL, "a queue has reached its bound");
    assert_string_equal(line_text(&room_of(r, BOB)->draft), "I am");
}

static void test_what_changes_is_read_again(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_entry(r, "{'conversation':'" BOB "','seq':3,'at':'2026-11-22T12:00:01.000Z','from':'bob',"
                 "'id':'e','kind':'edit','target':1,'text':'hullo'}");
    rig_answer(r, WISH_STALE,
               "{'entries':[{'conversation':'" BOB "','seq':1,'at':'2026-11-22T11:58:00.000Z',"
               "'from':'bob','kind':'text','id':'b1','text':'hullo','edited_at':'x',"
               "'reactions':{'👍':{'count':2,'users':['bob','eve'],'own':false}}}],'more':true}");
    assert_int_equal(r->last.seq, 1);
    assert_int_equal(r->last.to, 1);
    assert_true(rig_shows(r, "hullo (edited)"));
    assert_true(rig_shows(r, "👍 2"));
    rig_expect_none(r, WISH_STALE);
}

/* A page that cannot be had is asked for again, and not at once. */
static void test_pages_are_tried_again(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_type(r, "bob\r");
    rig_refuse(r, WISH_NEWEST, BANTER_TIMEOUT);
    rig_expect_none(r, WISH_NEWEST);
    rig_pass(r, RETRY_MS);
    rig_expect(r, WISH_NEWEST);
}

static void test_older_pages(void **state)
{
    struct rig *r = *state;
    char page[4096] = "{'entries':[";

    rig_begin(r);
    rig_type(r, "bob\r");
    for (int seq = 41; seq <= 60; seq++)
        (void)snprintf(page + strlen(page), sizeof page - strlen(page),
                       "%s{'conversation':'" BOB "','seq':%d,'at':'2026-11-22T11:58:00.000Z',"
                       "'from':'bob','kind':'text','id':'b','text':'text %d'}",
                       seq > 41 ? "," : "", seq, seq);
    (void)snprintf(page + strlen(page), sizeof page - strlen(page), "],'more':true,'next':41}");
    rig_answer(r, WISH_NEWEST, page);
    rig_expect(r, WISH_OLDER); /* less than two screens are here */
    assert_int_equal(r->last.seq, 41);
    assert_true(rig_shows(r, "text 60"));
    rig_press(r, PRESS_PAGE_UP);
    assert_false(rig_shows(r, "text 60"));
    assert_true(rig_shows(r, "text 41"));
    rig_press(r, PRESS_PAGE_DOWN);
    assert_true(rig_shows(r, "text 60"));
}

static void test_scrolled_up_stays_where_it_is(void **state)
{
    struct rig *r = *state;
    char before[4096];

    rig_open_bob(r);
    for (int seq = 3; seq <= 40; seq++) {
        char entry[512];

        (void)snprintf(entry, sizeof entry, TEXT_ENTRY(BOB, % d, "bob", "text %d"), seq, seq, seq);
        rig_entry(r, entry);
    }
    rig_press(r, PRESS_PAGE_UP);
    rig_expect_none(r, WISH_OLDER);
    (void)snprintf(before, sizeof before, "%s", rig_row(r, 10));
    rig_entry(r, TEXT_ENTRY(BOB, 41, "bob", "news"));
    assert_string_equal(rig_row(r, 10), before);
    assert_true(rig_shows(r, "there is more below"));
    rig_expect_none(r, WISH_READ);
    rig_alt(r, L'>');
    rig_expect(r, WISH_READ);
}

static void test_a_larger_screen_is_filled(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    for (int seq = 3; seq <= 80; seq++) {
        char entry[512];

        (void)snprintf(entry, sizeof entry, TEXT_ENTRY(BOB, % d, "bob", "text %d"), seq, seq, seq);
        rig_entry(r, entry);
    }
    model_resize(&r->model, 12, 80);
    rig_alt(r, L'<');
    assert_true(rig_shows(r, "hello"));
    assert_false(rig_shows(r, "text 30"));
    model_resize(&r->model, 50, 80);
    assert_true(rig_shows(r, "hello"));
    assert_true(rig_shows(r, "text 30"));
    rig_press(r, PRESS_UP); /* chooses the lowest one in sight, and moves nothing */
    assert_true(rig_shows(r, "hello"));
    rig_press(r, PRESS_UP);
    assert_true(rig_shows(r, "hello"));
    for (int i = 0; i < 60; i++)
        rig_press(r, PRESS_DOWN);
    assert_true(rig_shows(r, "text 80"));
    assert_int_equal(r->model.focus, FOCUS_WRITE);
}

static void test_typing_of_others_ends(void **state)
{
    struct rig *r = *state;
    struct news typing = {.kind = NEWS_TYPING, .conversation = BOB, .user = "bob", .flag = true};

    rig_open_bob(r);
    rig_hear(r, &typing);
    assert_true(rig_shows(r, "bob is typing …"));
    assert_true(model_deadline(&r->model) <= r->model.now_ms + 7000);
    rig_pass(r, 7000);
    assert_false(rig_shows(r, "typing"));
}

static void test_typing_is_said_now_and_then(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_type(r, "a");
    rig_expect(r, WISH_TYPING);
    rig_type(r, "b");
    rig_expect_none(r, WISH_TYPING);
    rig_pass(r, 4000);
    rig_type(r, "c");
    rig_expect(r, WISH_TYPING);
    rig_type(r, "\b\b\b");
    rig_expect(r, WISH_TYPING);
    assert_false(r->last.flag);
}

static void test_messages_are_chosen(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_press(r, PRESS_UP);
    rig_press(r, PRESS_UP);
    rig_type(r, "rto the first\r");
    rig_expect(r, WISH_TEXT);
    assert_int_equal(r->last.seq, 1);
    rig_press(r, PRESS_UP);
    rig_type(r, "+4");
    rig_expect(r, WISH_REACT);
    assert_int_equal(r->last.seq, 2);
    assert_string_equal(r->last.text, "🎉");
    rig_press(r, PRESS_UP);
    rig_type(r, "e"); /* of somebody else */
    assert_true(rig_shows(r, "only one's own messages"));
    rig_type(r, "dn");
    rig_expect_none(r, WISH_DELETE);
    rig_type(r, "dy");
    rig_expect(r, WISH_DELETE);
}

static void test_pasting_sends_nothing(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_press(r, PRESS_PASTE_BEGIN);
    rig_type(r, "one\rtwo\t\x1b");
    rig_control(r, L'C');
    rig_press(r, PRESS_UP);
    rig_press(r, PRESS_PASTE_END);
    rig_expect_none(r, WISH_TEXT);
    assert_string_equal(line_text(&room_of(r, BOB)->draft), "one\ntwo\t");
    rig_type(r, "\r");
    rig_expect(r, WISH_TEXT);
    assert_string_equal(r->last.text, "one\ntwo\t");
}

static void test_unsent_texts_are_kept(void **state)
{
    struct rig *r = *state;
    struct model again;
    json_t *drafts;

    rig_open_bob(r);
    rig_type(r, "half a sent");
    rig_type(r, "\tteam\rother");
    assert_string_equal(line_text(&room_of(r, BOB)->draft), "half a sent");
    drafts = model_drafts(&r->model);
    assert_int_equal(json_object_size(drafts), 2);
    model_init(&again, "alice");
    model_keep_drafts(&again, drafts);
    json_decref(drafts);
    drafts = model_drafts(&again); /* also those of conversations that were not seen yet */
    assert_int_equal(json_object_size(drafts), 2);
    json_decref(drafts);
    assert_string_equal(line_text(&model_room(&again, BOB)->draft), "half a sent");
    model_finish(&again);
}

static void test_chats_and_groups_are_made(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_control(r, L'N');
    rig_type(r, "@carol\r");
    rig_refuse(r, WISH_DIRECT, BANTER_NOT_FOUND);
    assert_true(rig_shows(r, "refused for a reason"));
    rig_control(r, L'N');
    rig_type(r, "bob\r");
    rig_answer(r, WISH_DIRECT, "{'conversation':'" BOB "'}");
    assert_ptr_equal(r->model.current, room_of(r, BOB));
    rig_control(r, L'G');
    rig_type(r, "New ones\rbob, @eve\r");
    rig_expect(r, WISH_GROUP);
    assert_string_equal(r->last.text, "New ones");
    assert_string_equal(r->last.more, "bob, @eve");
    rig_alt(r, L'l');
    rig_type(r, "y");
    rig_answer(r, WISH_LEAVE, "{'conversation':'" BOB "'}");
    assert_null(model_find(&r->model, BOB));
    assert_null(r->model.current);
}

static void test_memberships_end_and_begin(void **state)
{
    struct rig *r = *state;

    rig_open_bob(r);
    rig_event(r, "{'event':'removed','conversation':'" BOB "'}");
    assert_null(r->model.current);
    assert_true(rig_shows(r, "no longer"));
    rig_event(r, "{'event':'added','conversation':'" BOB "','kind':'direct','role':'member'}");
    rig_answer(r, WISH_ONE,
               "{'conversation':'" BOB "','kind':'direct','user':'bob','role':'reader',"
               "'last_seq':5,'read':2,'unread':3,'limits':{}}");
    assert_int_equal(room_of(r, BOB)->unread, 3);
    rig_type(r, "bob\rx\r");
    rig_expect_none(r, WISH_TEXT); /* a reader */
}

/* The list that is read after each connection is the truth. */
static void test_a_new_connection_reads_the_list_anew(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    rig_state(r, BANTER_WAITING, "the server cannot be reached");
    assert_true(rig_shows(r, "offline, again in 5 s"));
    rig_state(r, BANTER_SYNCING, "");
    rig_answer(r, WISH_LIST,
               "{'conversations':[{'conversation':'" TEAM "','kind':'group','title':'Team 2',"
               "'role':'owner','last_seq':1,'read':1,'unread':0,'limits':{}}],'more':false}");
    assert_null(model_find(&r->model, BOB));
    assert_true(rig_shows(r, "Team 2"));
}

/* Nothing of what a server might send is more than a blank. */
static void test_nonsense_does_no_harm(void **state)
{
    static const char *const nonsense[] = {
        "{}",
        "[]",
        "{'conversation':3,'seq':'x'}",
        "{'conversation':'" BOB "','seq':-1,'kind':'text'}",
        "{'conversation':'" BOB "','seq':4611686018427387905,'kind':'text','text':'x'}",
        "{'conversation':'" BOB "','seq':9,'kind':'text'}",
        "{'conversation':'" BOB "','seq':10,'kind':'unheard of','from':7}",
        "{'conversation':'" BOB "','seq':11,'kind':'reaction'}",
        "{'conversation':'" BOB "','seq':12,'kind':'created','members':[1,null,{}]}",
        "{'conversation':'0190f3a1-0000-7000-8000-000000000001-and-more','seq':1,'kind':'text'}",
        "{'conversations':[1,null,{'conversation':[]}],'entries':[null,{'seq':{}}],'members':{}}",
    };
    struct rig *r = *state;

    rig_open_bob(r);
    for (size_t i = 0; i < ARRAY_LENGTH(nonsense); i++) {
        rig_entry(r, nonsense[i]);
        rig_event(r, nonsense[i]);
        for (enum wish_kind kind = WISH_LIST; kind <= WISH_LEAVE; kind++) {
            struct news n = {.kind = NEWS_ANSWER, .wish = {.kind = kind, .conversation = TEAM}};

            n.json = json_pack("{s:[n,i,{s:i}], s:[n,{}], s:[n]}", "entries", 1, "seq", 2,
                               "conversations", "members");
            rig_hear(r, &n);
            json_decref(n.json);
            if (!model_find(&r->model, TEAM))
                rig_entry(r, TEXT_ENTRY(TEAM, 2, "bob", "back"));
        }
        assert_non_null(rig_row(r, 0));
    }
}

/* While nobody has moved it, the mark stays with the first one, whichever comes there. */
static void test_the_mark_stays_on_top(void **state)
{
    struct rig *r = *state;

    rig_begin(r);
    assert_ptr_equal(r->model.marked, room_of(r, BOB));
    rig_entry(r, TEXT_ENTRY(TEAM, 2, "bob", "news"));
    assert_ptr_equal(r->model.marked, room_of(r, TEAM));
    rig_press(r, PRESS_DOWN);
    rig_entry(r, TEXT_ENTRY(TEAM, 3, "bob", "more"));
    assert_ptr_equal(r->model.marked, room_of(r, BOB));
    rig_type(r, "tea");
    assert_ptr_equal(r->model.marked, room_of(r, TEAM));
    rig_type(r, "\r");
    assert_ptr_equal(r->model.current, room_of(r, TEAM));
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(test_unread_rises_and_falls),        RIG(test_reading_elsewhere),
        RIG(test_not_read_while_nobody_looks),   RIG(test_a_message_is_sent),
        RIG(test_entry_before_receipt),          RIG(test_a_user_is_erased),
        RIG(test_a_refused_text_comes_back),     RIG(test_what_changes_is_read_again),
        RIG(test_pages_are_tried_again),         RIG(test_older_pages),
        RIG(test_scrolled_up_stays_where_it_is), RIG(test_a_larger_screen_is_filled),
        RIG(test_typing_of_others_ends),         RIG(test_typing_is_said_now_and_then),
        RIG(test_messages_are_chosen),           RIG(test_pasting_sends_nothing),
        RIG(test_unsent_texts_are_kept),         RIG(test_chats_and_groups_are_made),
        RIG(test_memberships_end_and_begin),     RIG(test_a_new_connection_reads_the_list_anew),
        RIG(test_the_mark_stays_on_top),         RIG(test_nonsense_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
