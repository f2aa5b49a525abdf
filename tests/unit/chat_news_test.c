/* SPDX-License-Identifier: MIT */
/* chat_news_test.c - the queue between two threads: nothing lost, nothing out of order, no more
 * than its bound, and no writer left waiting when it closes. */
#include "unit/unit.h"

#include "chat/news.h"

#include <poll.h>
#include <pthread.h>

enum { COUNT = 3 * NEWS_MAX };

static struct news_queue queue;

static void *write_all(void *unused)
{
    for (int64_t i = 0; i < COUNT; i++) {
        struct news *n = news_new(NEWS_CURSOR);

        n->number = i;
        news_put(&queue, n);
    }
    return unused;
}

static void wait_readable(void)
{
    struct pollfd fd = {.fd = queue.event, .events = POLLIN};

    assert_int_equal(poll(&fd, 1, 60000), 1);
}

static void test_all_of_it_in_order(void **state)
{
    pthread_t writer;
    struct news *n;

    (void)state;
    assert_true(news_init(&queue));
    assert_int_equal(pthread_create(&writer, NULL, write_all, NULL), 0);
    for (int64_t i = 0; i < COUNT;) {
        wait_readable();
        while ((n = news_take(&queue)) != NULL) {
            assert_int_equal(n->number, i++);
            news_free(n);
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    news_finish(&queue);
}

static void test_closing_frees_who_waits(void **state)
{
    pthread_t writer;
    size_t count = 0;
    struct news *n;

    (void)state;
    assert_true(news_init(&queue));
    assert_int_equal(pthread_create(&writer, NULL, write_all, NULL), 0);
    wait_readable();
    news_close(&queue);
    assert_int_equal(pthread_join(writer, NULL), 0);
    while ((n = news_take(&queue)) != NULL) {
        news_free(n);
        count++;
    }
    assert_true(count <= NEWS_MAX);
    news_finish(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it_in_order),
        cmocka_unit_test(test_closing_frees_who_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
