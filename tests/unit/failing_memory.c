/* SPDX-License-Identifier: MIT */
/* failing_memory.c - see failing_memory.h. What libc allocates for itself is not seen here, but
 * for strdup() and strndup(), whose results the program frees. */
#include "unit/unit.h"

#include "unit/failing_memory.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

enum { ATTEMPTS_MAX = 100000 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t max_length);

static bool on;
static unsigned long spared, to_fail; /* allocations that succeed, and then those that fail */
static unsigned long failed;
static long live;

static bool fails(void)
{
    if (!on || to_fail == 0)
        return false;
    if (spared > 0) {
        spared--;
        return false;
    }
    to_fail--;
    failed++;
    return true;
}

static void *count(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    live -= memory != NULL;
    return count(__real_realloc(memory, size));
}

void __wrap_free(void *memory)
{
    live -= memory != NULL;
    __real_free(memory);
}

char *__wrap_strndup(const char *string, size_t max_length)
{
    size_t length = strnlen(string, max_length);
    char *copy = __wrap_malloc(length + 1);

    if (!copy)
        return NULL;
    memcpy(copy, string, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *string)
{
    return __wrap_strndup(string, SIZE_MAX);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    __wrap_free(memory);
}

void failing_memory_start(void)
{
    int ok = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);

    if (!ok)
        abort(); /* something has used OpenSSL before */
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

void failing_memory_plan(unsigned long n, unsigned long run)
{
    assert_true(n > 0 && !on);
    spared = n - 1;
    to_fail = run;
    failed = 0;
}

void failing_memory_on(void)
{
    on = true;
}

void failing_memory_off(void)
{
    on = false;
}

void failing_memory_stop(void)
{
    to_fail = 0;
}

unsigned long failing_memory_failed(void)
{
    return failed;
}

long failing_memory_live(void)
{
    return live;
}

unsigned long failing_memory_try_all(void (*scenario)(void), unsigned long run)
{
    unsigned long n = 0;
    long before;

    failing_memory_plan(1, 0);
    scenario();
    OPENSSL_thread_stop(); /* its queue of errors */
    before = live;         /* what libraries keep for good */
    do {
        assert_true(++n < ATTEMPTS_MAX);
        failing_memory_plan(n, run);
        scenario();
        failing_memory_off();
        OPENSSL_thread_stop();
        if (live != before)
            fail_msg("%ld allocations are left after failure %lu in a row of %lu", live - before, n,
                     run);
    } while (failed > 0);
    return n;
}
