/* SPDX-License-Identifier: MIT */
/* bridge_config_test.c - the bridge's settings: file, environment, secrets in files, and slips of
 * the pen. */
#include "unit/unit.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/banter-config-test-XXXXXX";
static char path[64];
static char secret_path[64];

static void write_file(const char *to, const char *content)
{
    FILE *f = fopen(to, "w");

    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static bool load(struct config *config, const char *content)
{
    write_file(path, content);
    return config_load(config, path, NULL, 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/bridge.conf", directory);
    snprintf(secret_path, sizeof secret_path, "%s/secret", directory);
    return clearenv();
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(secret_path);
    return rmdir(directory);
}

static void test_file_and_defaults(void **state)
{
    struct config config;
    (void)state;

    assert_true(load(&config, "# a comment\n"
                              "\n"
                              "  database   host=/run dbname=banter  \r\n"
                              "link_key\tsecret\n"
                              "batch_max 7\n"
                              "signup false\n"
                              "rate_user_http 7/30\n"
                              "rate_address_logins off\n"
                              "log_level warning"));
    assert_string_equal(config.database, "host=/run dbname=banter");
    assert_string_equal(config.link_key, "secret");
    assert_int_equal(config.batch_max, 7);
    assert_false(config.signup);
    assert_int_equal(config.rate_user_http.count, 7);
    assert_int_equal(config.rate_user_http.seconds, 30);
    assert_int_equal(config.rate_address_logins.count, 0);
    assert_int_equal(config.rate_address_signups.count, 100);
    assert_int_equal(config.log_level, LOG_LEVEL_WARNING);
    assert_int_equal(config.queue_max, 20000);
    assert_string_equal(config.http_listen, "127.0.0.1:8080");
    assert_true(config.node[0] != '\0');
    config_free(&config);
}

static void test_secrets_in_files(void **state)
{
    char content[256];
    struct config config;
    (void)state;

    write_file(secret_path, "from a file\nsecond line\n");
    snprintf(content, sizeof content, "database d\nlink_key_file %s\n", secret_path);
    assert_true(load(&config, content));
    assert_string_equal(config.link_key, "from a file");
    config_free(&config);

    write_file(secret_path, "");
    assert_false(load(&config, content));
    config_free(&config);
    assert_false(load(&config, "database d\nlink_key k\nissuer_file /dev/null\n"));
    config_free(&config);
}

static void test_the_environment_wins(void **state)
{
    struct config config;
    (void)state;

    write_file(secret_path, "other\n");
    setenv("BANTER_QUEUE_MAX", "5", 1);
    setenv("BANTER_LINK_KEY_FILE", secret_path, 1);
    assert_true(load(&config, "database d\nlink_key k\nqueue_max 6\n"));
    assert_int_equal(config.queue_max, 5);
    assert_string_equal(config.link_key, "other");
    config_free(&config);
    setenv("BANTER_LINK_KEY", "both", 1);
    assert_false(load(&config, "database d\n"));
    config_free(&config);
    clearenv();
}

static void test_slips_of_the_pen(void **state)
{
    static const char *const bad[] = {
        "databse d\n",
        "node_file x\n",
        "queue_max\n",
        "queue_max -1\n",
        "queue_max 1x\n",
        "queue_max 0\n",
        "queue_max 1000001\n",
        "signup yes\n",
        "signup\n",
        "log_level loud\n",
        "rate_user_http 7\n",
        "rate_user_http 0/1\n",
        "node a\nnode b\n",
        "link_key_file /nonexistent\n",
        "link_key\n",
        "link_key a\nlink_key_file /etc/hostname\n",
    };
    char content[256];
    struct config config;
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        bool has_key = strncmp(bad[i], "link_key", 8) == 0;
        snprintf(content, sizeof content, "database d\n%s%s", has_key ? "" : "link_key k\n",
                 bad[i]);
        assert_false(load(&config, content));
        config_free(&config);
    }
    assert_false(load(&config, "database d\n")); /* no link_key */
    config_free(&config);
    assert_false(config_load(&config, "/nonexistent/bridge.conf", NULL, 0));
    config_free(&config);
}

static void test_help_names_every_key(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;

    config_print_help(out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "link_key_file"));
    assert_non_null(strstr(text, "batches_flying"));
    assert_non_null(strstr(text, "(required)"));
    free(text);
}

static void test_flags_win(void **state)
{
    static const char *const flags[] = {"node=c", "link_key_file=/nonexistent"};
    static const char *const bad[] = {"node",       "=x",         "nodes=x", "queue_max=0",
                                      "link_key=k", "database=d", "--node=x"};
    static const char *const twice[] = {"node=c", "node=d"};
    struct config config;
    (void)state;

    write_file(path, "database d\nlink_key k\nnode a\n");
    assert_int_equal(setenv("BANTER_NODE", "b", 1), 0);
    assert_true(config_load(&config, path, flags, 1));
    assert_string_equal(config.node, "c");
    config_free(&config);
    assert_false(config_load(&config, path, flags, 2));
    config_free(&config);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_false(config_load(&config, path, &bad[i], 1));
        config_free(&config);
    }
    assert_false(config_load(&config, path, twice, 2));
    config_free(&config);
    assert_int_equal(unsetenv("BANTER_NODE"), 0);
}

/* config_print() to memory, to be freed. */
static char *printed(const struct config *config, bool secrets)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    config_print(config, secrets, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void test_what_is_printed_can_be_read(void **state)
{
    struct config config;
    char *first, *second, *without;
    (void)state;

    assert_true(load(&config, "database host=/run dbname=banter\n"
                              "link_key hush\nsignup false\nlog_level error\nbatch_max 7\n"));
    first = printed(&config, true);
    without = printed(&config, false);
    config_free(&config);
    assert_non_null(strstr(first, "\nlink_key hush\n"));
    assert_non_null(strstr(first, "\nlog_level error\n"));
    assert_null(strstr(without, "hush"));
    assert_null(strstr(without, "dbname"));
    assert_non_null(strstr(without, "\nbatch_max 7\n"));

    assert_true(load(&config, first));
    second = printed(&config, true);
    config_free(&config);
    assert_string_equal(first, second);
    free(first);
    free(second);
    free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_and_defaults),           cmocka_unit_test(test_secrets_in_files),
        cmocka_unit_test(test_the_environment_wins),        cmocka_unit_test(test_slips_of_the_pen),
        cmocka_unit_test(test_help_names_every_key),        cmocka_unit_test(test_flags_win),
        cmocka_unit_test(test_what_is_printed_can_be_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
