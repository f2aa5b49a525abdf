/* SPDX-License-Identifier: MIT */
/* chat_text_test.c - text on the way to a terminal, and text that is being written: glyphs, rows,
 * cells, lines. */
#include "unit/unit.h"

#include "chat/grid.h"
#include "chat/line.h"
#include "chat/wrap.h"

#include <locale.h>
#include <stdio.h>

static int set_locale(void **state)
{
    (void)state;
    return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

/* What a row of 40 cells shows of a text. */
static const char *shown(const char *text)
{
    static char row[512];
    struct grid g = {0};
    struct pen pen;

    grid_resize(&g, 1, 40);
    pen = pen_at(&g, 0, 0, 40);
    (void)pen_text(&pen, text, STYLE_PLAIN);
    (void)grid_row(&g, 0, row, sizeof row);
    grid_finish(&g);
    return row;
}

static void test_nothing_that_a_terminal_obeys(void **state)
{
    (void)state;
    assert_string_equal(shown("a\033[2Jb"), "a�[2Jb");
    assert_string_equal(shown("\033]0;title\007x"), "�]0;title�x");
    assert_string_equal(shown("a\302\233 31mb"), "a� 31mb"); /* CSI of C1 */
    assert_string_equal(shown("a\177b\001c\bd"), "a�b�c�d");
    assert_string_equal(shown("a\342\200\256gpj.exe"), "agpj.exe"); /* right-to-left override */
    assert_string_equal(shown("a\342\201\246b\342\200\217c\357\273\277d"), "abcd");
    assert_string_equal(shown("a\rb"), "ab");
    assert_string_equal(shown("one\ntwo"), "one");
}

static void test_every_byte_sequence_gives_only_harmless_cells(void **state)
{
    (void)state;
    for (unsigned first = 1; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            const char text[] = {(char)first, (char)second, (char)0x9b, 'x', '\0'};
            struct glyph glyph;

            if (first == '\n')
                continue;
            assert_in_range(glyph_next(text, strlen(text), &glyph), 1, 4);
            for (size_t i = 0; glyph.text[i]; i++)
                assert_true(glyph.text[i] >= L' ' &&
                            !(glyph.text[i] >= 0x7f && glyph.text[i] < 0xa0));
            assert_in_range(glyph.width, 0, GLYPH_TAB_WIDTH);
        }
}

static void test_broken_utf8_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(shown("a\377b"), "a�b");
    assert_string_equal(shown("a\300\200b"), "a��b");        /* overlong NUL */
    assert_string_equal(shown("a\355\240\200b"), "a�b");     /* a surrogate */
    assert_string_equal(shown("a\364\220\200\200b"), "a�b"); /* beyond Unicode */
    assert_string_equal(shown("a\342\202"), "a��");          /* cut off */
}

static void test_widths(void **state)
{
    (void)state;
    assert_int_equal(glyph_width("abc", 3), 3);
    assert_int_equal(glyph_width("日本", 6), 4);
    assert_int_equal(glyph_width("🎉", 4), 2);
    assert_int_equal(glyph_width("é", 3), 1);        /* e and a mark */
    assert_int_equal(glyph_width("👍🏽", 8), 2); /* a skin tone */
    assert_int_equal(glyph_width("❤️", 6), 1);   /* a variant */
    assert_int_equal(glyph_width("a\tb", 3), 2 + GLYPH_TAB_WIDTH);
    assert_int_equal(glyph_width("", 0), 0);
}

static void test_marks_are_bounded(void **state)
{
    char text[512] = "e";
    struct glyph glyph;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        memcpy(text + 1 + 2 * i, "\314\201", 3);
    assert_int_equal(glyph_next(text, strlen(text), &glyph), strlen(text));
    assert_int_equal(wcslen(glyph.text), 1 + GLYPH_MARKS);
    assert_int_equal(glyph.width, 1);
}

static void test_pens_cut_at_cells(void **state)
{
    struct grid g = {0};
    struct pen pen;
    char row[64];

    (void)state;
    grid_resize(&g, 2, 6);
    pen = pen_at(&g, 0, 0, 6);
    assert_false(pen_text(&pen, "日本語日本", STYLE_PLAIN));
    assert_string_equal(grid_row(&g, 0, row, sizeof row), "日本語");
    pen = pen_at(&g, 1, 1, 6);
    pen_cut(&pen, "日本語", 4, STYLE_PLAIN);
    assert_string_equal(grid_row(&g, 1, row, sizeof row), " 日…");
    pen = pen_at(&g, 5, 0, 6); /* there is no such row */
    assert_false(pen_text(&pen, "x", STYLE_PLAIN));
    grid_resize(&g, 100000, 100000);
    assert_int_equal(g.rows, GRID_ROWS_MAX);
    grid_finish(&g);
}

static void check_wrap(const char *text, int width, const char *const *rows)
{
    struct wrap w;
    struct row row;
    int count = 0;

    wrap_begin(&w, text, strlen(text), width);
    for (; wrap_next(&w, &row); count++) {
        assert_non_null(rows[count]);
        assert_int_equal(row.length, strlen(rows[count]));
        assert_memory_equal(row.text, rows[count], row.length);
    }
    assert_null(rows[count]);
    assert_int_equal(wrap_rows(text, strlen(text), width), count);
}

static void test_wrapping(void **state)
{
    (void)state;
    check_wrap("", 10, (const char *const[]){"", NULL});
    check_wrap("one two three", 8, (const char *const[]){"one two ", "three", NULL});
    check_wrap("one two three", 7, (const char *const[]){"one two ", "three", NULL});
    check_wrap("abcdefghij", 4, (const char *const[]){"abcd", "efgh", "ij", NULL});
    check_wrap("日本語", 5, (const char *const[]){"日本", "語", NULL});
    check_wrap("a\n\nb\n", 5, (const char *const[]){"a", "", "b", "", NULL});
    check_wrap("      x", 4, (const char *const[]){"     ", " x", NULL});
}

static void test_writing(void **state)
{
    struct line l;

    (void)state;
    line_init(&l, 10);
    for (const wchar_t *c = L"añ🎉\033\x9b z"; *c; c++)
        assert_true(line_insert(&l, *c));
    assert_string_equal(line_text(&l), "añ🎉 z");
    assert_int_equal(l.characters, 5);
    line_move(&l, LINE_LEFT);
    line_move(&l, LINE_LEFT);
    line_delete(&l, LINE_LEFT);
    assert_string_equal(line_text(&l), "añ z");
    line_move(&l, LINE_HOME);
    line_delete(&l, LINE_RIGHT);
    line_delete(&l, LINE_WORD_RIGHT);
    assert_string_equal(line_text(&l), " z");
    line_set(&l, "öäü öäü öäü");
    assert_string_equal(line_text(&l), "öäü öäü öä"); /* 10 characters */
    assert_false(line_insert(&l, L'x'));
    line_delete(&l, LINE_TOP);
    assert_true(line_is_blank(&l));
    assert_int_equal(l.characters, 0);
    line_finish(&l);
}

static void test_moving_by_rows(void **state)
{
    struct line l;
    int row, column;

    (void)state;
    line_init(&l, 100);
    line_set(&l, "one two three\n日本 x");
    line_place(&l, 8, &row, &column);
    assert_int_equal(row, 2);
    assert_int_equal(column, 6);
    assert_true(line_move_row(&l, 8, -1));
    assert_int_equal(l.cursor, strlen("one two three"));
    assert_true(line_move_row(&l, 8, -1));
    line_place(&l, 8, &row, &column);
    assert_int_equal(row, 0);
    assert_int_equal(column, 5);
    assert_false(line_move_row(&l, 8, -1));
    assert_true(line_move_row(&l, 8, 1));
    assert_true(line_move_row(&l, 8, 1));
    line_place(&l, 8, &row, &column);
    assert_int_equal(row, 2);
    assert_int_equal(column, 5);
    assert_false(line_move_row(&l, 8, 1));
    line_finish(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_that_a_terminal_obeys),
        cmocka_unit_test(test_every_byte_sequence_gives_only_harmless_cells),
        cmocka_unit_test(test_broken_utf8_is_replaced),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_marks_are_bounded),
        cmocka_unit_test(test_pens_cut_at_cells),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_moving_by_rows),
    };

    return cmocka_run_group_tests(tests, set_locale, NULL);
}
