/* SPDX-License-Identifier: MIT */
/* client_store_test.c - libbanter's SQLite file: what it keeps, and for whom. */
#include "unit/unit.h"

#include "client/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char conversation[] = "0190f3a1-0000-7000-8000-000000000001";
static char directory[64], path[80];
static struct store *store;

/* ---- each test has a file of its own ---- */

static int start(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/banter-unit-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/store.db", directory);
    assert_int_equal(store_open(&store, path), BANTER_OK);
    return 0;
}

static void forget_file(void)
{
    char beside[96];

    unlink(path);
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    unlink(beside);
}

static int finish(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    forget_file();
    return rmdir(directory);
}

static void reopen(void)
{
    store_close(store);
    assert_int_equal(store_open(&store, path), BANTER_OK);
}

static int post(const char *target, const char *id, const char *body)
{
    return store_post(store, target, id, body, strlen(body), 3);
}

static void its_file_is_private(void **state)
{
    struct stat found;

    (void)state;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
}

static void it_belongs_to_one(void **state)
{
    struct store *second = NULL;

    (void)state;
    assert_int_equal(store_open(&second, path), BANTER_BUSY);
    assert_null(second);
}

static void settings_stay(void **state)
{
    const struct store_setting both[] = {{"user", "alice"}, {"exchange", "e1"}};
    const struct store_setting gone[] = {{"exchange", NULL}};
    char *value;

    (void)state;
    assert_int_equal(store_set(store, both, 2), BANTER_OK);
    assert_int_equal(store_set(store, gone, 1), BANTER_OK);
    reopen();
    assert_int_equal(store_get(store, "user", &value), BANTER_OK);
    assert_string_equal(value, "alice");
    free(value);
    assert_int_equal(store_get(store, "exchange", &value), BANTER_OK);
    assert_null(value);
}

static void drafts_stay_in_order(void **state)
{
    struct store_draft drafts[4];
    char *body;
    size_t count, length;

    (void)state;
    assert_int_equal(post("@bob", "1", "one"), BANTER_OK);
    assert_int_equal(post(conversation, "2", "zw\xc3\xb6lf"), BANTER_OK);
    assert_int_equal(post("@bob", "1", "other"), BANTER_CONFLICT);
    assert_int_equal(post("@bob", "3", "three"), BANTER_OK);
    assert_int_equal(post("@bob", "4", "four"), BANTER_FULL);
    reopen();
    assert_int_equal(store_draft_count(store), 3);
    assert_int_equal(store_drafts_after(store, 0, drafts, 2, &count), BANTER_OK);
    assert_int_equal(count, 2);
    assert_string_equal(drafts[0].id, "1");
    assert_string_equal(drafts[1].target, conversation);
    assert_int_equal(drafts[1].length, 6);
    assert_int_equal(store_drafts_after(store, drafts[1].number, drafts, 4, &count), BANTER_OK);
    assert_int_equal(count, 1);
    assert_string_equal(drafts[0].id, "3");
    assert_int_equal(store_draft_body(store, drafts[0].number, &body, &length), BANTER_OK);
    assert_string_equal(body, "three");
    assert_int_equal(length, 5);
    free(body);
    assert_int_equal(store_draft_remove(store, drafts[0].number), BANTER_OK);
    assert_int_equal(store_draft_remove(store, drafts[0].number), BANTER_OK);
    assert_int_equal(store_draft_count(store), 2);
    assert_int_equal(store_draft_body(store, drafts[0].number, &body, &length), BANTER_OK);
    assert_null(body);
}

/* AUTOINCREMENT: a number that was used is not used again, so what is new always comes later. */
static void numbers_only_rise(void **state)
{
    struct store_draft draft;
    int64_t before;
    size_t count;

    (void)state;
    assert_int_equal(post("@bob", "1", "one"), BANTER_OK);
    assert_int_equal(store_drafts_after(store, 0, &draft, 1, &count), BANTER_OK);
    before = draft.number;
    assert_int_equal(store_draft_remove(store, before), BANTER_OK);
    reopen();
    assert_int_equal(post("@bob", "2", "two"), BANTER_OK);
    assert_int_equal(store_drafts_after(store, 0, &draft, 1, &count), BANTER_OK);
    assert_true(draft.number > before);
}

static void a_direct_conversation_is_remembered(void **state)
{
    struct store_draft drafts[2];
    size_t count;

    (void)state;
    assert_int_equal(post("@bob", "1", "one"), BANTER_OK);
    assert_int_equal(store_retarget(store, "@bob", conversation), BANTER_OK);
    assert_int_equal(post("@bob", "2", "two"), BANTER_OK);
    assert_int_equal(store_drafts_after(store, 0, drafts, 2, &count), BANTER_OK);
    assert_string_equal(drafts[0].target, conversation);
    assert_string_equal(drafts[1].target, conversation);
}

static int take_position(void *owner, const char *id, int64_t seq)
{
    assert_string_equal(id, conversation);
    *(int64_t *)owner = seq;
    return seq == 99 ? BANTER_NO_MEMORY : BANTER_OK;
}

static void positions_stay(void **state)
{
    int64_t seq = 0;

    (void)state;
    assert_int_equal(store_set_position(store, conversation, 1), BANTER_OK);
    assert_int_equal(store_set_position(store, conversation, 2), BANTER_OK);
    reopen();
    assert_int_equal(store_positions(store, take_position, &seq), BANTER_OK);
    assert_int_equal(seq, 2);
    assert_int_equal(store_set_position(store, conversation, 99), BANTER_OK);
    assert_int_equal(store_positions(store, take_position, &seq), BANTER_NO_MEMORY);
}

static bool file_has(const char *name, const char *text)
{
    static char found[1 << 17];
    int fd = open(name, O_RDONLY);
    ssize_t length = read(fd, found, sizeof found);

    close(fd);
    assert_in_range(length, 0, sizeof found - 1);
    return memmem(found, (size_t)length, text, strlen(text)) != NULL;
}

static void clearing_leaves_nothing(void **state)
{
    const struct store_setting user = {"user", "alice"};
    char *value, beside[96];
    int64_t seq = 0;

    (void)state;
    assert_int_equal(store_set(store, &user, 1), BANTER_OK);
    assert_int_equal(post("@bob", "1", "a secret of some length"), BANTER_OK);
    assert_int_equal(store_set_position(store, conversation, 1), BANTER_OK);
    assert_int_equal(store_clear(store), BANTER_OK);
    assert_int_equal(store_get(store, "user", &value), BANTER_OK);
    assert_null(value);
    assert_int_equal(store_draft_count(store), 0);
    assert_int_equal(store_positions(store, take_position, &seq), BANTER_OK);
    assert_int_equal(seq, 0);
    assert_false(file_has(path, "a secret"));
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    assert_false(file_has(beside, "a secret"));
}

static void what_is_no_store_is_refused(void **state)
{
    struct store *none = NULL;
    sqlite3 *db;
    FILE *file;

    (void)state;
    assert_int_equal(store_open(&none, "/nowhere/at/all.db"), BANTER_STORE);
    store_close(store);
    store = NULL;
    forget_file();
    file = fopen(path, "w");
    for (int i = 0; i < 2000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    assert_int_equal(store_open(&none, path), BANTER_STORE);
    forget_file();
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(store_open(&none, path), BANTER_STORE);
    assert_null(none);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(its_file_is_private),
        STORE_TEST(it_belongs_to_one),
        STORE_TEST(settings_stay),
        STORE_TEST(drafts_stay_in_order),
        STORE_TEST(numbers_only_rise),
        STORE_TEST(a_direct_conversation_is_remembered),
        STORE_TEST(positions_stay),
        STORE_TEST(clearing_leaves_nothing),
        STORE_TEST(what_is_no_store_is_refused),
    };

    return cmocka_run_group_tests_name("client_store", tests, NULL, NULL);
}
