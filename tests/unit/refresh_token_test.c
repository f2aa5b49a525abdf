/* SPDX-License-Identifier: MIT */
/* refresh_token_test.c - refresh tokens as text. */
#include "unit/unit.h"

#include "base/buf.h"
#include "core/refresh_token.h"

static void test_refresh_tokens(void **state)
{
    struct refresh_token token, read;
    uint8_t first[REFRESH_HASH_BYTES], second[REFRESH_HASH_BYTES];
    struct buf text;

    (void)state;
    buf_init(&text, 256);
    refresh_token_begin(&token);
    refresh_token_hash(&token, first);
    token.generation = 0x01020304;
    refresh_token_write(&token, &text);
    assert_int_equal(text.length, 70);
    assert_true(refresh_token_read(&read, buf_slice(&text)));
    assert_memory_equal(&read, &token, sizeof read);
    refresh_token_renew(&token);
    refresh_token_hash(&token, second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_false(refresh_token_read(&read, slice_of(text.data, text.length - 1)));
    assert_false(refresh_token_read(&read, slice_str("")));
    assert_false(refresh_token_read(&read, slice_str("not base64url!")));
    buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refresh_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
