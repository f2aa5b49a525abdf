/* SPDX-License-Identifier: MIT */
/* account_rules_test.c - what an account's fields may hold. */
#include "unit/unit.h"

#include "core/account_rules.h"

typedef const char *check_fn(struct slice value);

static void expect_all(check_fn *check, const char *const *values, size_t count, int fine)
{
    for (size_t i = 0; i < count; i++) {
        const char *reason = check(slice_str(values[i]));

        if (fine ? reason != NULL : reason == NULL)
            fail_msg("\"%s\": %s", values[i], reason ? reason : "was accepted");
    }
}

#define FINE(check, ...)                                                                           \
    expect_all(check, (const char *const[]){__VA_ARGS__},                                          \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), 1)
#define REFUSED(check, ...)                                                                        \
    expect_all(check, (const char *const[]){__VA_ARGS__},                                          \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), 0)

static void test_handles(void **state)
{
    (void)state;
    FINE(account_check_handle, "al", "a.b_c-d", "0a", "abcdefghijklmnopqrstuvwxyz012345");
    REFUSED(account_check_handle, "", "a", "Al", ".a", "-a", "a b", "a/b", "a+b", "\xc3\xa9t",
            "abcdefghijklmnopqrstuvwxyz0123456");
}

static void test_passwords(void **state)
{
    static char longest[258];

    (void)state;
    memset(longest, 'x', 257);
    REFUSED(account_check_password, "", "seven77", longest);
    longest[256] = '\0';
    FINE(account_check_password, "eight888", "        ", "\xf0\x9f\x94\x91\xf0\x9f\x94\x91",
         longest);
}

static void test_names(void **state)
{
    static char longest[2 * 129 + 1];

    (void)state;
    for (size_t i = 0; i < sizeof longest - 1; i += 2)
        memcpy(longest + i, "\xc3\xa9", 2);
    REFUSED(account_check_name, longest, "\xff", "a\nb", "a\x7f", "a\xc2\x85", "\xed\xa0\x80");
    longest[2 * 128] = '\0';
    FINE(account_check_name, "", "Alice Liddell", "\xd8\xb9\xd9\x84\xd9\x8a", "\xc2\xa0", longest);
}

static void test_emails(void **state)
{
    (void)state;
    FINE(account_check_email, "", "a@b", "alice+x@example.org", "\xc3\xa9@example.org");
    REFUSED(account_check_email, "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "\xff@b");
}

static void test_devices(void **state)
{
    (void)state;
    FINE(account_check_device, "", "phone", "A_-9");
    REFUSED(account_check_device, "a/b", "a.b", "abcdefghijklmnopqrstuvwxyz0123456");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles), cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_emails),
        cmocka_unit_test(test_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
