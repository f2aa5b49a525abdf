/* SPDX-License-Identifier: MIT */
/* pages_test.c - which files of a directory become pages, and what the fields of a request mean. */
#include "unit/unit.h"

#include "api/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 300 };

static char root[] = "/tmp/banter-pages-XXXXXX";

static void write_page(const char *name, size_t size)
{
    char path[PATH_ROOM];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", root, name);
    file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc('x', file);
    fclose(file);
}

static void remove_page(const char *name)
{
    char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/%s", root, name);
    remove(path);
}

static const char *const files[] = {
    "index.html",         "index.html.gz",      "sw.js",          "assets/a-1.js",
    "assets/a-1.js.gz",   "assets/b.css",       "assets/.hid.js", "assets/map.js.map",
    "assets/notes",       "assets/a b.js",      ".secret.js",     "id_ed25519",
    "assets/alone.js.gz", "assets/\xc3\xa9.js",
};

static int set_up(void **state)
{
    char path[PATH_ROOM];

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/assets", root);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        write_page(files[i], 10);
    snprintf(path, sizeof path, "%s/dir.js", root);
    assert_int_equal(mkdir(path, 0700), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        remove_page(files[i]);
    remove_page("dir.js");
    remove_page("assets");
    return rmdir(root);
}

static void test_only_pages_are_there(void **state)
{
    static const char *const there[] = {"/", "/index.html", "/sw.js", "/assets/a-1.js",
                                        "/assets/b.css"};
    static const char *const absent[] = {
        "",
        "/assets",
        "/assets/",
        "/assets/.hid.js",
        "/id_ed25519",
        "/assets/map.js.map",
        "/assets/notes",
        "/assets/a b.js",
        "/dir.js",
        "/.secret.js",
        "/assets/../sw.js",
        "/assets/%2e%2e/sw.js",
        "//sw.js",
        "/sw.js/",
        "/index.html.gz",
        "/assets/alone.js.gz",
        "/sw.js?x",
        "/assets//a-1.js",
        "/../etc/passwd",
        "/assets/a%20b.js",
    };
    struct pages *p = pages_load(root);

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < ARRAY_LENGTH(there); i++) {
        if (!pages_have(p, slice_str(there[i])))
            fail_msg("%s is missing", there[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(absent); i++) {
        if (pages_have(p, slice_str(absent[i])))
            fail_msg("%s is there", absent[i]);
    }
    pages_free(p);
}

static void test_what_cannot_be_served_is_refused(void **state)
{
    (void)state;
    assert_null(pages_load("/nonexistent"));
    remove_page("index.html");
    assert_null(pages_load(root));
    write_page("index.html", (16 << 20) + 1);
    assert_null(pages_load(root));
    write_page("index.html", 10);
    pages_free(NULL);
}

static void test_gzip_is_taken(void **state)
{
    static const struct {
        const char *field;
        bool taken;
    } cases[] = {
        {NULL, false},           {"", false},
        {"gzip", true},          {"gzip, deflate, br", true},
        {"br,GZIP;q=0.5", true}, {"deflate, gzip;q=1.0", true},
        {"gzip;q=0", false},     {"gzip; q=0.000", false},
        {"br", false},           {"xgzip, gzipx", false},
        {", ,gzip", true},       {"identity;q=1, *;q=0", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (pages_take_gzip(cases[i].field) != cases[i].taken)
            fail_msg("%s", cases[i].field);
    }
}

static void test_tags_match(void **state)
{
    static const struct {
        const char *field;
        bool match;
    } cases[] = {
        {NULL, false},           {"", false},          {"\"ab\"", true},
        {"W/\"ab\"", true},      {"*", true},          {"ab", false},
        {"\"a\", \"ab\"", true}, {"\"abc\"", false},   {"\"a\",W/\"b\"", false},
        {"W/", false},           {",,\"ab\" ,", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (pages_match_tag(cases[i].field, slice_str("\"ab\"")) != cases[i].match)
            fail_msg("%s", cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_pages_are_there),
        cmocka_unit_test(test_what_cannot_be_served_is_refused),
        cmocka_unit_test(test_gzip_is_taken),
        cmocka_unit_test(test_tags_match),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
