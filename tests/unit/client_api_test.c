/* SPDX-License-Identifier: MIT */
/* client_api_test.c - banter.h as a program uses it, with all its threads, and no server to be
 * found: what is refused, what waits, what is kept, and that every request ends once. */
#include "unit/unit.h"

#include "banter/banter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, POSTS = 25, PATIENCE_MS = 10000 };

/* Nobody listens on port 1. */
static const struct banter_server nowhere = {"http://127.0.0.1:1", "mqtt://127.0.0.1:1"};
static const char conversation[] = "0190f3a1-0000-7000-8000-000000000001";

static char directory[64], path[80];
static struct banter *client;
static atomic_int ended, waits, stopped;

static struct banter_options options_of(const char *store)
{
    struct banter_options options = BANTER_OPTIONS_INIT;

    options.servers = &nowhere;
    options.server_count = 1;
    options.device = "phone";
    options.store = store;
    return options;
}

static void on_done(void *owner, const struct banter_result *result)
{
    (void)owner;
    ended++;
    stopped += result->error == BANTER_STOPPED;
    assert_true(result->error == BANTER_OK || result->reason);
}

static void on_page(void *owner, const struct banter_result *result,
                    const struct banter_entry *const *entries, size_t count, bool more)
{
    assert_null(entries);
    assert_int_equal(count, 0);
    assert_false(more);
    on_done(owner, result);
}

/* Waiting from within a callback would wait for itself. */
static void on_state(void *owner, const struct banter_state *state)
{
    (void)owner;
    (void)state;
    if (banter_wait(client, BANTER_UNTIL_ONLINE, 1) == BANTER_WRONG_THREAD)
        waits++;
    banter_destroy(client);
}

static int start(void **state)
{
    struct banter_options options;
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;

    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/banter-unit-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/store.db", directory);
    options = options_of(path);
    callbacks.on_state = on_state;
    ended = waits = stopped = 0;
    assert_int_equal(banter_create(&client, &options, &callbacks), BANTER_OK);
    return 0;
}

static int finish(void **state)
{
    char beside[96];

    (void)state;
    banter_destroy(client);
    client = NULL;
    unlink(path);
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    unlink(beside);
    return rmdir(directory);
}

static int create_with(void (*change)(struct banter_options *o))
{
    struct banter_options options = options_of(NULL);
    struct banter *made = NULL;
    int error;

    change(&options);
    error = banter_create(&made, &options, NULL);
    if (error)
        assert_null(made);
    banter_destroy(made);
    return error;
}

static void no_device(struct banter_options *o)
{
    o->device = NULL;
}

static void odd_device(struct banter_options *o)
{
    o->device = "a/b";
}

static void no_server(struct banter_options *o)
{
    o->server_count = 0;
}

static void odd_server(struct banter_options *o)
{
    static const struct banter_server odd = {"ftp://host", NULL};

    o->servers = &odd;
}

static void odd_mqtt(struct banter_options *o)
{
    static const struct banter_server odd = {"http://host", "http://host/mqtt"};

    o->servers = &odd;
}

static void no_size(struct banter_options *o)
{
    o->struct_size = 0;
}

static void no_outbox(struct banter_options *o)
{
    o->outbox_max = 0;
}

static void no_directory(struct banter_options *o)
{
    o->store = "/nowhere/at/all.db";
}

static void odd_location(struct banter_options *o)
{
    o->location = "eu&x=1";
}

static void older(struct banter_options *o)
{
    o->struct_size = offsetof(struct banter_options, outbox_max);
}

static void wrong_options_are_refused(void **state)
{
    struct banter_options options = options_of(NULL);
    struct banter *made = client;

    (void)state;
    assert_int_equal(create_with(no_device), BANTER_INVALID);
    assert_int_equal(create_with(odd_device), BANTER_INVALID);
    assert_int_equal(create_with(no_server), BANTER_INVALID);
    assert_int_equal(create_with(odd_server), BANTER_INVALID);
    assert_int_equal(create_with(odd_mqtt), BANTER_INVALID);
    assert_int_equal(create_with(no_size), BANTER_INVALID);
    assert_int_equal(create_with(no_outbox), BANTER_INVALID);
    assert_int_equal(create_with(no_directory), BANTER_STORE);
    assert_int_equal(create_with(odd_location), BANTER_INVALID);
    assert_int_equal(create_with(older), BANTER_OK);
    assert_int_equal(banter_create(NULL, &options, NULL), BANTER_INVALID);
    assert_int_equal(banter_create(&made, NULL, NULL), BANTER_INVALID);
    assert_null(made);
}

/* A newer program may run with this library as long as it does not use what is new. */
static void newer_options_are_taken_while_empty(void **state)
{
    struct {
        struct banter_options known;
        uint64_t unknown;
    } newer = {options_of(NULL), 0};
    struct banter *made = NULL;

    (void)state;
    newer.known.struct_size = sizeof newer;
    assert_int_equal(banter_create(&made, &newer.known, NULL), BANTER_OK);
    banter_destroy(made);
    newer.unknown = 1;
    assert_int_equal(banter_create(&made, &newer.known, NULL), BANTER_INVALID);
}

static void errors_have_names(void **state)
{
    char version[32];

    (void)state;
    assert_string_equal(banter_error_name(BANTER_NOT_FOUND), "not_found");
    assert_string_equal(banter_error_name(BANTER_WRONG_THREAD), "wrong_thread");
    assert_string_equal(banter_error_name(12345), "unknown");
    assert_non_null(banter_error_text(12345));
    (void)snprintf(version, sizeof version, "%d.%d.%d", BANTER_VERSION_MAJOR, BANTER_VERSION_MINOR,
                   BANTER_VERSION_PATCH);
    assert_string_equal(banter_version(), version);
}

static void a_store_has_one_client(void **state)
{
    struct banter_options options = options_of(path);
    struct banter *second = NULL;

    (void)state;
    assert_int_equal(banter_create(&second, &options, NULL), BANTER_BUSY);
    assert_null(second);
}

static void drafts_are_checked(void **state)
{
    static const char control[] = "a\x01";
    struct banter_draft draft = BANTER_DRAFT_INIT;
    char *text = malloc(400002);

    (void)state;
    assert_int_equal(banter_send(client, "@bob", "", NULL), BANTER_INVALID);
    assert_int_equal(banter_send(client, "@bob", NULL, NULL), BANTER_INVALID);
    assert_int_equal(banter_send(client, "@bob", control, NULL), BANTER_INVALID);
    assert_int_equal(banter_send(client, "@bob", "\xff", NULL), BANTER_INVALID);
    assert_int_equal(banter_send(client, "@B", "a", NULL), BANTER_INVALID);
    assert_int_equal(banter_send(client, "bob", "a", NULL), BANTER_INVALID);
    assert_int_equal(banter_send(client, NULL, "a", NULL), BANTER_INVALID);
    memset(text, 'a', 400001);
    text[400001] = '\0';
    assert_int_equal(banter_send(client, "@bob", text, NULL), BANTER_TOO_LARGE);
    text[100001] = '\0';
    assert_int_equal(banter_send(client, "@bob", text, NULL), BANTER_TOO_LARGE);
    text[100000] = '\0';
    assert_int_equal(banter_send(client, "@bob", text, NULL), BANTER_OK);
    free(text);
    assert_int_equal(banter_post(client, "@bob", NULL, NULL), BANTER_INVALID);
    draft.kind = BANTER_EDIT;
    draft.text = "b";
    assert_int_equal(banter_post(client, "@bob", &draft, NULL), BANTER_INVALID);
    draft.target = 3;
    assert_int_equal(banter_post(client, "@bob", &draft, NULL), BANTER_OK);
    draft.kind = BANTER_REACTION;
    assert_int_equal(banter_post(client, "@bob", &draft, NULL), BANTER_INVALID);
    draft.emoji = "\xf0\x9f\x91\x8d";
    draft.remove = true;
    draft.id = "mine";
    assert_int_equal(banter_post(client, "@bob", &draft, NULL), BANTER_OK);
    assert_int_equal(banter_post(client, "@bob", &draft, NULL), BANTER_CONFLICT);
    draft.kind = BANTER_DELETE;
    draft.id = "\n";
    assert_int_equal(banter_post(client, "@bob", &draft, NULL), BANTER_INVALID);
    draft.id = NULL;
    assert_int_equal(banter_post(client, conversation, &draft, NULL), BANTER_OK);
    assert_int_equal(banter_outbox_count(client), 4);
}

static void drafts_outlive_the_client(void **state)
{
    struct banter_options options = options_of(path);
    char id[BANTER_ID_SIZE] = "";

    (void)state;
    assert_int_equal(banter_send(client, "@bob", "hello", id), BANTER_OK);
    assert_int_equal(strlen(id), 36);
    banter_destroy(client);
    assert_int_equal(banter_create(&client, &options, NULL), BANTER_OK);
    assert_int_equal(banter_outbox_count(client), 1);
    assert_int_equal(banter_wait(client, BANTER_UNTIL_SENT, 10), BANTER_UNAUTHORIZED);
}

static void *post_some(void *unused)
{
    for (int i = 0; i < POSTS; i++)
        if (banter_send(client, "@bob", "hello", NULL) != BANTER_OK)
            return unused;
    return NULL;
}

static void threads_may_post_at_once(void **state)
{
    pthread_t threads[THREADS];
    int token;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_some, &token), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(banter_outbox_count(client), THREADS * POSTS);
}

static void nobody_is_waited_for_in_vain(void **state)
{
    (void)state;
    assert_int_equal(banter_wait(client, BANTER_UNTIL_ONLINE, PATIENCE_MS), BANTER_UNAUTHORIZED);
    assert_int_equal(banter_log_in(client, "alice", "correct horse", on_done, NULL), BANTER_OK);
    assert_int_equal(banter_wait(client, BANTER_UNTIL_ONLINE, PATIENCE_MS), BANTER_UNAUTHORIZED);
    assert_int_equal(ended, 1);
    assert_true(waits >= 1);
}

static void a_login_is_kept(void **state)
{
    const struct banter_login login = {"alice", "a", "r", INT64_MAX / 2, 3600000};
    struct banter_options options = options_of(path);
    char handle[64], short_one[3];

    (void)state;
    assert_true(banter_user(client, handle, sizeof handle));
    assert_string_equal(handle, "");
    assert_int_equal(banter_resume(client, &login, on_done, NULL), BANTER_OK);
    assert_int_equal(banter_wait(client, BANTER_UNTIL_ONLINE, 200), BANTER_TIMEOUT);
    banter_destroy(client);
    assert_int_equal(banter_create(&client, &options, NULL), BANTER_OK);
    assert_true(banter_user(client, handle, sizeof handle));
    assert_string_equal(handle, "alice");
    assert_false(banter_user(client, short_one, sizeof short_one));
    banter_nudge(client);
    assert_int_equal(banter_wait(client, BANTER_UNTIL_ONLINE, 50), BANTER_TIMEOUT);
}

static void a_store_has_one_user(void **state)
{
    const struct banter_login alice = {"alice", "a", "r", INT64_MAX / 2, 0};
    const struct banter_login bob = {"bob", "a", "r", INT64_MAX / 2, 0};
    char handle[64];

    (void)state;
    assert_int_equal(banter_resume(client, &alice, NULL, NULL), BANTER_OK);
    assert_int_equal(banter_resume(client, &bob, NULL, NULL), BANTER_OK);
    assert_int_equal(banter_wait(client, BANTER_UNTIL_ONLINE, 200), BANTER_TIMEOUT);
    assert_true(banter_user(client, handle, sizeof handle));
    assert_string_equal(handle, "alice");
}

static void wrong_calls_are_refused(void **state)
{
    const char *const odd[] = {"ok", "NO"};
    struct banter_page page = BANTER_PAGE_INIT;

    (void)state;
    assert_int_equal(banter_log_in(client, "A", "x", NULL, NULL), BANTER_INVALID);
    assert_int_equal(banter_log_in(client, "alice", NULL, NULL, NULL), BANTER_INVALID);
    assert_int_equal(banter_sign_up(client, "alice", "x", "\xff", NULL, NULL, NULL),
                     BANTER_INVALID);
    assert_int_equal(banter_resume(client, NULL, NULL, NULL), BANTER_INVALID);
    assert_int_equal(banter_mark(client, "x", 1, 1), BANTER_INVALID);
    assert_int_equal(banter_mark(client, conversation, -1, 1), BANTER_INVALID);
    assert_int_equal(banter_typing(client, "@bob", true), BANTER_INVALID);
    assert_int_equal(banter_set_presence(client, "busy"), BANTER_INVALID);
    assert_int_equal(banter_watch(client, "#"), BANTER_INVALID);
    assert_int_equal(banter_unwatch(client, NULL), BANTER_INVALID);
    assert_int_equal(banter_command(client, "{}", on_done, NULL), BANTER_INVALID);
    assert_int_equal(banter_command(client, "[1]", on_done, NULL), BANTER_INVALID);
    assert_int_equal(banter_command(client, "{\"command\":\"x\"},{}", on_done, NULL),
                     BANTER_INVALID);
    assert_int_equal(banter_create_group(client, NULL, odd, 2, on_done, NULL), BANTER_INVALID);
    assert_int_equal(banter_create_direct(client, "", on_done, NULL), BANTER_INVALID);
    assert_int_equal(banter_add_members(client, conversation, odd, 0, on_done, NULL),
                     BANTER_INVALID);
    assert_int_equal(banter_remove_member(client, conversation, NULL, on_done, NULL),
                     BANTER_INVALID);
    assert_int_equal(banter_leave(client, NULL, on_done, NULL), BANTER_INVALID);
    page.limit = 1001;
    assert_int_equal(banter_history(client, conversation, &page, on_page, NULL), BANTER_INVALID);
    page.limit = 1;
    page.after = 1;
    page.before = 1;
    assert_int_equal(banter_history(client, conversation, &page, on_page, NULL), BANTER_INVALID);
    assert_int_equal(banter_history(client, conversation, NULL, NULL, NULL), BANTER_INVALID);
    assert_int_equal(ended, 0);
}

/* Of everything that was accepted, by whatever way it ends. */
static void every_request_ends_once(void **state)
{
    const struct banter_login login = {"alice", "a", "r", INT64_MAX / 2, 0};
    const char *const members[] = {"bob", "eve"};

    (void)state;
    assert_int_equal(banter_resume(client, &login, on_done, NULL), BANTER_OK);
    assert_int_equal(banter_command(client, "{\"command\":\"listBlocks\"}", on_done, NULL),
                     BANTER_OK);
    assert_int_equal(banter_create_group(client, "Team", members, 2, on_done, NULL), BANTER_OK);
    assert_int_equal(banter_create_direct(client, "bob", on_done, NULL), BANTER_OK);
    assert_int_equal(banter_add_members(client, conversation, members, 2, on_done, NULL),
                     BANTER_OK);
    assert_int_equal(banter_remove_member(client, conversation, "bob", on_done, NULL), BANTER_OK);
    assert_int_equal(banter_leave(client, conversation, on_done, NULL), BANTER_OK);
    assert_int_equal(banter_history(client, "@bob", NULL, on_page, NULL), BANTER_OK);
    assert_int_equal(banter_mark(client, conversation, 1, 1), BANTER_OK);
    assert_int_equal(banter_typing(client, conversation, true), BANTER_OK);
    assert_int_equal(banter_set_presence(client, "away"), BANTER_OK);
    assert_int_equal(banter_watch(client, "bob"), BANTER_OK);
    assert_int_equal(banter_unwatch(client, "bob"), BANTER_OK);
    assert_int_equal(banter_log_out(client, on_done, NULL), BANTER_OK);
    assert_int_equal(banter_log_in(client, "bob", "battery staple", on_done, NULL), BANTER_OK);
    banter_destroy(client);
    client = NULL;
    assert_int_equal(ended, 10);
}

static void clients_come_and_go(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct banter_login login = {"alice", "a", "r", INT64_MAX / 2, 0};
        struct banter_options options = options_of(NULL);
        struct banter *one, *two;

        assert_int_equal(banter_create(&one, &options, NULL), BANTER_OK);
        assert_int_equal(banter_create(&two, &options, NULL), BANTER_OK);
        assert_int_equal(banter_resume(one, &login, NULL, NULL), BANTER_OK);
        assert_int_equal(banter_wait(one, BANTER_UNTIL_ONLINE, 20), BANTER_TIMEOUT);
        banter_destroy(two);
        banter_destroy(one);
    }
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(newer_options_are_taken_while_empty),
        cmocka_unit_test(errors_have_names),
        CLIENT_TEST(a_store_has_one_client),
        CLIENT_TEST(drafts_are_checked),
        CLIENT_TEST(drafts_outlive_the_client),
        CLIENT_TEST(threads_may_post_at_once),
        CLIENT_TEST(nobody_is_waited_for_in_vain),
        CLIENT_TEST(a_login_is_kept),
        CLIENT_TEST(a_store_has_one_user),
        CLIENT_TEST(wrong_calls_are_refused),
        CLIENT_TEST(every_request_ends_once),
        cmocka_unit_test(clients_come_and_go),
    };

    return cmocka_run_group_tests_name("client_api", tests, NULL, NULL);
}
