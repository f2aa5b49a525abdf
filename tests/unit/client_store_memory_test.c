/* SPDX-License-Identifier: MIT */
/* client_store_memory_test.c - libbanter's store when memory runs out in SQLite itself: each
 * allocation fails once. */
#include "unit/unit.h"

#include "client/store.h"
#include "unit/failing_memory.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { HEADER = 16 };

static const char conversation[] = "0190f3a1-0000-7000-8000-000000000001";

/* ---- SQLite's memory: ours, with its size in front ---- */

static void *take(int size)
{
    char *memory = malloc((size_t)size + HEADER);

    if (!memory)
        return NULL;
    memcpy(memory, &size, sizeof size);
    return memory + HEADER;
}

static void give(void *memory)
{
    if (memory)
        free((char *)memory - HEADER);
}

static void *change(void *memory, int size)
{
    char *changed = realloc((char *)memory - HEADER, (size_t)size + HEADER);

    if (!changed)
        return NULL;
    memcpy(changed, &size, sizeof size);
    return changed + HEADER;
}

static int size_of(void *memory)
{
    int size;

    memcpy(&size, (char *)memory - HEADER, sizeof size);
    return size;
}

static int round_up(int size)
{
    return (size + 7) & ~7;
}

static int begin(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void end(void *data)
{
    (void)data;
}

static const sqlite3_mem_methods methods = {take,     give,  change, size_of,
                                            round_up, begin, end,    NULL};

static int take_position(void *owner, const char *id, int64_t seq)
{
    assert_string_equal(id, conversation);
    *(int64_t *)owner = seq;
    return seq == 99 ? BANTER_NO_MEMORY : BANTER_OK;
}

static void may_fail(int error)
{
    assert_true(error == BANTER_OK || error == BANTER_NO_MEMORY);
}

/* Whatever fails says so, and what was said to be done is done. */
static void life(void)
{
    const struct store_setting settings[] = {{"user", "alice"}, {"gone", NULL}};
    struct store_draft draft;
    struct store *s = NULL;
    char *value = NULL, *body = NULL;
    size_t count = 0, length;
    int64_t seq = 0;
    bool posted;

    failing_memory_on();
    if (store_open(&s, NULL) != BANTER_OK) {
        failing_memory_off();
        assert_null(s);
        return;
    }
    may_fail(store_set(s, settings, 2));
    posted = store_post(s, "@bob", "1", "one", 3, 10) == BANTER_OK;
    may_fail(store_retarget(s, "@bob", conversation));
    may_fail(store_set_position(s, conversation, 2));
    may_fail(store_positions(s, take_position, &seq));
    if (store_get(s, "user", &value) == BANTER_OK && value)
        assert_string_equal(value, "alice");
    failing_memory_off();
    assert_int_equal(store_draft_count(s), posted);
    if (store_drafts_after(s, 0, &draft, 1, &count) == BANTER_OK && posted) {
        assert_int_equal(count, 1);
        failing_memory_on();
        if (store_draft_body(s, draft.number, &body, &length) == BANTER_OK)
            assert_string_equal(body, "one");
        may_fail(store_draft_remove(s, draft.number));
        may_fail(store_clear(s));
        failing_memory_off();
    }
    failing_memory_off();
    free(value);
    free(body);
    store_close(s);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(life, 1), 100, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_may_run_out)};

    failing_memory_start();
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
        return 1;
    return cmocka_run_group_tests_name("client_store_memory", tests, NULL, NULL);
}
