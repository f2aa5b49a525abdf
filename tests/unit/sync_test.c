/* SPDX-License-Identifier: MIT */
/* sync_test.c - what a sync request may say, where pages are cut, and how a sync ends. The queries
 * are tried against PostgreSQL by tests/integration. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "base/buf.h"
#include "core/sync.h"
#include "core/sync_request.h"
#include "link/link.h"
#include "wire/entry.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdlib.h>

/* As in sync_chunk.c. */
enum {
    COLUMN_ORD,
    COLUMN_IS_HEAD,
    COLUMN_KIND = 3,
    COLUMN_ROLE = 6,
    COLUMN_LAST_SEQ,
    COLUMN_SEQ = 15,
    COLUMN_ENTRY_KIND = 17,
    COLUMN_FROM,
    COLUMN_TEXT = 20,
    COLUMNS = 24,
};

#define ID(N) "01900000-0000-7000-8000-00000000000" #N

struct fixture {
    struct event_base *base;
    struct sync *sync;
    struct buf pages; /* one a line */
    int calls;
    int last_calls;
    enum code code;
    bool gone; /* the asker takes no further page */
};

/* What waits in the link. */
static size_t waiting;

size_t link_waiting(const struct link *l)
{
    (void)l;
    return waiting;
}

static const struct actor alice = {.uid = 1, .handle = {"alice", 5}};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->base = event_base_new();
    f->sync = sync_create(f->base, NULL, NULL, 100);
    buf_init(&f->pages, 8 << 20);
    fake_database_set_up(true);
    *state = f;
    return f->sync ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sync_destroy(f->sync);
    event_base_free(f->base);
    buf_finish(&f->pages);
    free(f);
    return 0;
}

static bool on_page(void *owner, enum code code, const char *reason, struct slice page, bool last)
{
    struct fixture *f = owner;

    f->calls++;
    f->last_calls += last;
    f->code = code;
    assert_int_equal(code != CODE_OK, reason != NULL);
    assert_int_equal(code != CODE_OK, page.length == 0);
    buf_slice_put(&f->pages, page);
    buf_char(&f->pages, '\n');
    return !f->gone;
}

static void add_recent(PGresult *result, const char *conversation)
{
    struct uuid id;

    assert_true(uuid_parse(&id, slice_str(conversation)));
    fake_result_uuid(result, fake_result_add_row(result), 0, &id);
}

static void answer_recent(int count)
{
    static const char *const ids[] = {ID(0), ID(1), ID(2), ID(3)};
    PGresult *result = fake_result(1);

    assert_string_equal(fake_database_statement(0), "sync_recent");
    for (int i = 0; i < count; i++)
        add_recent(result, ids[i]);
    fake_database_answer(0, result);
}

static void add_head(PGresult *result, int ord, int64_t last_seq)
{
    int row = fake_result_add_row(result);

    fake_result_i64(result, row, COLUMN_ORD, ord);
    fake_result_bool(result, row, COLUMN_IS_HEAD, true);
    fake_result_i64(result, row, COLUMN_KIND, CONVERSATION_GROUP);
    fake_result_i64(result, row, COLUMN_ROLE, ROLE_MEMBER);
    fake_result_i64(result, row, COLUMN_LAST_SEQ, last_seq);
}

static void add_entry(PGresult *result, int ord, int64_t seq, const char *text)
{
    int row = fake_result_add_row(result);

    fake_result_i64(result, row, COLUMN_ORD, ord);
    fake_result_bool(result, row, COLUMN_IS_HEAD, false);
    fake_result_i64(result, row, COLUMN_SEQ, seq);
    fake_result_i64(result, row, COLUMN_ENTRY_KIND, ENTRY_TEXT);
    fake_result_text(result, row, COLUMN_FROM, "bob");
    fake_result_text(result, row, COLUMN_TEXT, text);
}

/* Page `number` parsed; the caller owns it. */
static json_t *page(struct fixture *f, int number)
{
    const char *line = f->pages.data;
    json_t *root;

    for (int i = 1; i < number; i++)
        line = strchr(line, '\n') + 1;
    root = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "page")), number);
    return root;
}

static json_t *conversation(json_t *root, size_t index)
{
    return json_array_get(json_object_get(root, "conversations"), index);
}

static size_t entry_count(json_t *root, size_t index)
{
    return json_array_size(json_object_get(conversation(root, index), "entries"));
}

static bool more(json_t *object)
{
    return json_is_true(json_object_get(object, "more"));
}

static void test_requests(void **state)
{
    static const struct {
        const char *text;
        bool good;
        unsigned limit;
    } cases[] = {
        {"", true, 50},
        {"{}", true, 50},
        {"{\"limit\":0,\"other\":[]}", true, 0},
        {"{\"limit\":1000,\"cursors\":{}}", true, 1000},
        {"{\"cursors\":{\"" ID(1) "\":9223372036854775807}}", true, 50},
        {"[]", false, 0},
        {"{\"limit\":-1}", false, 0},
        {"{\"limit\":1001}", false, 0},
        {"{\"limit\":\"5\"}", false, 0},
        {"{\"limit\":5.0}", false, 0},
        {"{\"cursors\":[]}", false, 0},
        {"{\"cursors\":null}", false, 0},
        {"{\"cursors\":{\"x\":1}}", false, 0},
        {"{\"cursors\":{\"" ID(1) "\":-1}}", false, 0},
        {"{\"cursors\":{\"" ID(1) "\":\"1\"}}", false, 0},
        {"{\"cursors\":{\"" ID(1) "\":9223372036854775808}}", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct sync_request request;
        const char *reason = NULL;

        assert_int_equal(sync_request_read(&request, slice_str(cases[i].text), &reason),
                         cases[i].good);
        assert_int_equal(reason == NULL, cases[i].good);
        if (!cases[i].good)
            continue;
        assert_int_equal(request.limit, cases[i].limit);
        sync_request_finish(&request);
    }
}

static void test_cursors(void **state)
{
    struct sync_request request;
    const char *reason;
    struct uuid id;

    (void)state;
    assert_true(sync_request_read(
        &request, slice_str("{\"cursors\":{\"" ID(3) "\":43,\"" ID(1) "\":41,\"" ID(4) "\":0}}"),
        &reason));
    assert_true(uuid_parse(&id, slice_str(ID(1))));
    assert_int_equal(sync_request_cursor(&request, &id), 41);
    assert_true(uuid_parse(&id, slice_str(ID(3))));
    assert_int_equal(sync_request_cursor(&request, &id), 43);
    assert_true(uuid_parse(&id, slice_str(ID(4))));
    assert_int_equal(sync_request_cursor(&request, &id), 0);
    assert_true(uuid_parse(&id, slice_str(ID(2))));
    assert_int_equal(sync_request_cursor(&request, &id), SYNC_NO_CURSOR);
    sync_request_finish(&request);
    assert_true(sync_request_read(&request, slice_str(""), &reason));
    assert_int_equal(sync_request_cursor(&request, &id), SYNC_NO_CURSOR);
    sync_request_finish(&request);
}

static void test_bad_requests_are_answered_later(void **state)
{
    struct fixture *f = *state;

    assert_true(sync_run(f->sync, &alice, slice_str("{"), 1000, on_page, f));
    assert_int_equal(f->calls, 0);
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->code, CODE_INVALID);
    assert_int_equal(fake_database_waiting(), 0);
}

static void test_nothing_to_say_is_one_page(void **state)
{
    struct fixture *f = *state;

    assert_true(sync_run(f->sync, &alice, slice_str(""), 1000, on_page, f));
    answer_recent(0);
    assert_string_equal(f->pages.data, "{\"page\":1,\"conversations\":[],\"more\":false}\n");
    assert_int_equal(f->last_calls, 1);
}

/* Without a cursor rows come newest first; the page has them oldest first. */
static void test_order_and_more(void **state)
{
    struct fixture *f = *state;
    PGresult *result = fake_result(COLUMNS);
    json_t *root, *entries;

    assert_true(sync_run(f->sync, &alice,
                         slice_str("{\"limit\":2,\"cursors\":{\"" ID(1) "\":7,\"" ID(2) "\":99}}"),
                         100000, on_page, f));
    answer_recent(4);
    add_head(result, 1, 5); /* no cursor */
    add_entry(result, 1, 5, "new");
    add_entry(result, 1, 4, "old");
    add_head(result, 2, 9); /* cursor 7 */
    add_entry(result, 2, 8, "a");
    add_entry(result, 2, 9, "b");
    add_head(result, 3, 9);          /* cursor beyond the head */
    fake_database_answer(0, result); /* and the user has left the fourth */
    assert_int_equal(f->calls, 1);

    root = page(f, 1);
    assert_int_equal(json_array_size(json_object_get(root, "conversations")), 3);
    entries = json_object_get(conversation(root, 0), "entries");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(entries, 0), "seq")), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(entries, 1), "seq")), 5);
    assert_true(more(conversation(root, 0)));
    assert_int_equal(entry_count(root, 1), 2);
    assert_false(more(conversation(root, 1)));
    assert_int_equal(entry_count(root, 2), 0);
    assert_false(more(conversation(root, 2)));
    assert_false(more(root));
    json_decref(root);
}

/* 3,000 bytes as they are stored, 18,000 as JSON. */
static const char *escaped_text(void)
{
    static char text[3001];

    memset(text, 1, sizeof text - 1);
    return text;
}

static const char *const both_from_0 = "{\"cursors\":{\"" ID(0) "\":0,\"" ID(1) "\":0}}";

static void answer_two_conversations(void)
{
    PGresult *result = fake_result(COLUMNS);

    add_head(result, 1, 2);
    add_entry(result, 1, 1, escaped_text());
    add_entry(result, 1, 2, escaped_text());
    add_head(result, 2, 2);
    add_entry(result, 2, 1, escaped_text());
    add_entry(result, 2, 2, escaped_text());
    fake_database_answer(0, result);
}

static void test_pages_are_cut_between_conversations(void **state)
{
    struct fixture *f = *state;
    json_t *first, *second;

    assert_true(sync_run(f->sync, &alice, slice_str(both_from_0), 50000, on_page, f));
    answer_recent(2);
    answer_two_conversations();
    assert_int_equal(f->calls, 2);
    assert_int_equal(f->last_calls, 1);
    first = page(f, 1);
    second = page(f, 2);
    assert_int_equal(entry_count(first, 0), 2);
    assert_int_equal(entry_count(second, 0), 2);
    assert_true(more(first));
    assert_false(more(second));
    assert_false(more(conversation(first, 0)));
    json_decref(first);
    json_decref(second);
}

/* While much waits for the plugin no chunk is asked for; HTTP has nothing to do with it. */
static void test_pages_wait_for_the_link(void **state)
{
    struct fixture *f = *state;

    waiting = 64 << 20;
    assert_true(sync_run(f->sync, &alice, slice_str(both_from_0), 100000, on_page, f));
    answer_recent(2);
    assert_int_equal(fake_database_waiting(), 0);
    (void)event_base_loop(f->base, EVLOOP_ONCE);
    assert_int_equal(fake_database_waiting(), 0);
    assert_true(sync_run_whole(f->sync, &alice, slice_str(both_from_0), 100000, on_page, f));
    answer_recent(2);
    answer_two_conversations();
    assert_int_equal(f->last_calls, 1);
    waiting = 0;
    (void)event_base_loop(f->base, EVLOOP_ONCE);
    answer_two_conversations();
    assert_int_equal(f->last_calls, 2);
    assert_int_equal(f->code, CODE_OK);
    waiting = 64 << 20; /* and one that ends with the sync, parked */
    assert_true(sync_run(f->sync, &alice, slice_str(both_from_0), 100000, on_page, f));
    answer_recent(2);
    waiting = 0;
}

static void test_a_conversation_too_long_for_a_page_is_cut(void **state)
{
    struct fixture *f = *state;
    json_t *first;

    assert_true(sync_run(f->sync, &alice, slice_str(both_from_0), 10000, on_page, f));
    answer_recent(2);
    answer_two_conversations();
    assert_int_equal(f->calls, 2);
    first = page(f, 1);
    assert_int_equal(entry_count(first, 0), 1);
    assert_true(more(conversation(first, 0)));
    json_decref(first);
}

/* Over HTTP the one page gives entries while there is room, and then only heads. */
static void test_whole(void **state)
{
    struct fixture *f = *state;
    json_t *root;

    assert_true(sync_run_whole(f->sync, &alice, slice_str(both_from_0), 30000, on_page, f));
    answer_recent(2);
    answer_two_conversations();
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->last_calls, 1);
    root = page(f, 1);
    assert_int_equal(entry_count(root, 0), 2);
    assert_int_equal(entry_count(root, 1), 0);
    assert_true(more(conversation(root, 1)));
    assert_false(more(root));
    json_decref(root);
}

/* The query's bytes ended in the second conversation: it is asked for again. */
static void test_what_a_query_had_no_room_for_is_asked_again(void **state)
{
    struct fixture *f = *state;
    PGresult *result = fake_result(COLUMNS);
    json_t *root;

    assert_true(sync_run(f->sync, &alice, slice_str(both_from_0), 100000, on_page, f));
    answer_recent(2);
    add_head(result, 1, 1);
    add_entry(result, 1, 1, "a");
    add_head(result, 2, 2);
    add_entry(result, 2, 1, "b");
    fake_database_answer(0, result);
    assert_int_equal(f->calls, 0);
    assert_int_equal(fake_database_waiting(), 1);

    result = fake_result(COLUMNS);
    add_head(result, 1, 2);
    add_entry(result, 1, 1, "b");
    add_entry(result, 1, 2, "c");
    fake_database_answer(0, result);
    assert_int_equal(f->calls, 1);
    root = page(f, 1);
    assert_int_equal(entry_count(root, 0), 1);
    assert_int_equal(entry_count(root, 1), 2);
    json_decref(root);
}

static void test_failures_end_it_once(void **state)
{
    struct fixture *f = *state;

    assert_true(sync_run(f->sync, &alice, slice_str(""), 1000, on_page, f));
    fake_database_fail(0, DB_LOST);
    assert_int_equal(f->code, CODE_UNAVAILABLE);
    assert_true(sync_run(f->sync, &alice, slice_str(""), 1000, on_page, f));
    answer_recent(1);
    fake_database_refuse(0, "57014", "timeout");
    assert_int_equal(f->code, CODE_UNAVAILABLE);
    assert_true(sync_run(f->sync, &alice, slice_str(""), 1000, on_page, f));
    fake_database_set_up(false);
    answer_recent(1);
    assert_int_equal(f->code, CODE_UNAVAILABLE);
    assert_int_equal(f->calls, 3);
    assert_false(sync_run(f->sync, &alice, slice_str(""), 1000, on_page, f));
    assert_int_equal(f->calls, 3);
}

static void test_an_asker_that_has_gone_gets_no_further_page(void **state)
{
    struct fixture *f = *state;

    f->gone = true;
    assert_true(sync_run(f->sync, &alice, slice_str(both_from_0), 10000, on_page, f));
    answer_recent(2);
    answer_two_conversations();
    assert_int_equal(f->calls, 1);
    assert_int_equal(fake_database_waiting(), 0);
}

static void test_bounded_and_destroyed_while_running(void **state)
{
    struct fixture *f = *state;
    int accepted = 1;
    int whole = 0;

    assert_true(sync_run(f->sync, &alice, slice_str("{"), 1000, on_page, f));
    while (sync_run_whole(f->sync, &alice, slice_str(""), 1000, on_page, f))
        whole++;
    assert_int_equal(whole, 64);
    while (sync_run(f->sync, &alice, slice_str(""), 1000, on_page, f))
        accepted++;
    assert_int_equal(whole + accepted, 256);
    answer_recent(1);
    sync_destroy(f->sync);
    f->sync = NULL;
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    assert_int_equal(f->calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test_setup_teardown(test_bad_requests_are_answered_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_to_say_is_one_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order_and_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_wait_for_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_are_cut_between_conversations, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_conversation_too_long_for_a_page_is_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_query_had_no_room_for_is_asked_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_failures_end_it_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_asker_that_has_gone_gets_no_further_page, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_bounded_and_destroyed_while_running, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
