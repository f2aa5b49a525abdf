/* SPDX-License-Identifier: MIT */
/* chat_errands_test.c - what the chat asks libbanter for, and what becomes of what that does not
 * take. The library is a fake: it says `answer` to everything, and keeps what it was asked. */
#include "unit/unit.h"

#include "chat/errands.h"

#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

static int answer;
static size_t member_count;

int banter_command(struct banter *b, const char *json, banter_done_fn *done, void *owner)
{
    (void)b, (void)json, (void)done, (void)owner;
    return answer;
}

int banter_history(struct banter *b, const char *conversation, const struct banter_page *page,
                   banter_page_fn *done, void *owner)
{
    (void)b, (void)conversation, (void)page, (void)done, (void)owner;
    return answer;
}

int banter_create_direct(struct banter *b, const char *handle, banter_done_fn *done, void *owner)
{
    (void)b, (void)handle, (void)done, (void)owner;
    return answer;
}

int banter_create_group(struct banter *b, const char *title, const char *const *members,
                        size_t count, banter_done_fn *done, void *owner)
{
    (void)b, (void)title, (void)members, (void)done, (void)owner;
    member_count = count;
    return answer;
}

int banter_add_members(struct banter *b, const char *conversation, const char *const *members,
                       size_t count, banter_done_fn *done, void *owner)
{
    (void)conversation;
    return banter_create_group(b, NULL, members, count, done, owner);
}

int banter_leave(struct banter *b, const char *conversation, banter_done_fn *done, void *owner)
{
    return banter_create_direct(b, conversation, done, owner);
}

int banter_post(struct banter *b, const char *to, const struct banter_draft *draft,
                char id[BANTER_ID_SIZE])
{
    (void)b, (void)to, (void)draft, (void)id;
    return answer;
}

int banter_mark(struct banter *b, const char *conversation, int64_t received, int64_t read)
{
    (void)b, (void)conversation, (void)received, (void)read;
    return answer;
}

int banter_typing(struct banter *b, const char *conversation, bool typing)
{
    (void)b, (void)conversation, (void)typing;
    return answer;
}

int banter_set_presence(struct banter *b, const char *state)
{
    (void)b, (void)state;
    return answer;
}

int banter_watch(struct banter *b, const char *handle)
{
    (void)b, (void)handle;
    return answer;
}

void banter_nudge(struct banter *b)
{
    (void)b;
}

const char *banter_error_text(int error)
{
    return error == BANTER_FULL ? "a queue has reached its bound" : "no";
}

struct chat {
    struct model model;
    struct news_queue queue;
};

static int set_up(void **state)
{
    static struct chat chat;

    answer = BANTER_OK;
    model_init(&chat.model, "alice");
    *state = &chat;
    return news_init(&chat.queue) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct chat *chat = *state;

    model_finish(&chat->model);
    news_finish(&chat->queue);
    return 0;
}

/* Nobody but the chat's thread empties the queue: it must not wait for room there. */
static void test_a_refusal_does_not_wait_for_the_queue(void **state)
{
    struct chat *chat = *state;
    struct wish wish = {.kind = WISH_DIRECT, .text = (char *)"bob"};

    for (size_t i = 0; i < NEWS_MAX; i++)
        news_put(&chat->queue, news_new(NEWS_CURSOR));
    answer = BANTER_FULL;
    (void)alarm(PATIENCE_S);
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &wish));
    (void)alarm(0);
    assert_int_equal(chat->queue.count, NEWS_MAX);
    assert_string_equal(chat->model.notice, "a queue has reached its bound");
}

/* As many handles as fit into an answer: how many are too many, the server says. */
static void test_no_handle_is_left_out(void **state)
{
    struct chat *chat = *state;
    char more[PROMPT_MAX + 1];
    struct wish wish = {.kind = WISH_ADD, .more = more};

    for (size_t i = 0; i < PROMPT_MAX; i++)
        more[i] = i % 2 == 0 ? 'b' : ' ';
    more[PROMPT_MAX] = '\0';
    answer = BANTER_LIMIT_REACHED;
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &wish));
    assert_int_equal(member_count, PROMPT_MAX / 2);
    wish.kind = WISH_GROUP;
    wish.text = (char *)"all of them";
    member_count = 0;
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &wish));
    assert_int_equal(member_count, PROMPT_MAX / 2);
}

/* What was read, and who is watched, is said until it is taken; what can never be is not. */
static void test_signals_are_said_again(void **state)
{
    struct chat *chat = *state;
    struct wish read = {.kind = WISH_READ, .conversation = "c", .seq = 3}, taken;
    const struct wish watch = {.kind = WISH_WATCH, .text = (char *)"bob"};

    model_tick(&chat->model, 1000, 0);
    while (wishes_take(&chat->model.wishes, &taken))
        wish_finish(&taken);
    answer = BANTER_FULL;
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &read));
    read.seq = 4;
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &read));
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &watch));
    answer = BANTER_INVALID;
    read.conversation[0] = 'd';
    assert_true(errands_do(NULL, &chat->queue, &chat->model, &read));
    model_tick(&chat->model, 1001, 0);
    assert_false(wishes_take(&chat->model.wishes, &taken));
    assert_int_equal(model_deadline(&chat->model), 1000 + RETRY_MS);
    model_tick(&chat->model, 1000 + RETRY_MS, 0);
    assert_true(wishes_take(&chat->model.wishes, &taken));
    assert_int_equal(taken.kind, WISH_READ);
    assert_string_equal(taken.conversation, "c");
    assert_int_equal(taken.seq, 4);
    assert_true(wishes_take(&chat->model.wishes, &taken));
    assert_int_equal(taken.kind, WISH_WATCH);
    assert_string_equal(taken.text, "bob");
    wish_finish(&taken);
    assert_false(wishes_take(&chat->model.wishes, &taken));
}

#define CHAT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAT(test_a_refusal_does_not_wait_for_the_queue),
        CHAT(test_no_handle_is_left_out),
        CHAT(test_signals_are_said_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
