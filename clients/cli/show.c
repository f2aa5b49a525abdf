/* SPDX-License-Identifier: MIT */
/* show.c - what banter-cli prints: lines for people, or one JSON object a line.
 *
 * Rule: what others wrote goes to the terminal through show_text(), which lets no control
 * characters through: a terminal takes orders by them. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void show_end_line(void)
{
    putchar('\n');
    if (fflush(stdout) == 0)
        return;
    if (errno != EPIPE)
        (void)fail("the output cannot be written: %s", strerror(errno));
    _exit(EXIT_REFUSED);
}

void show_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    fputs(text ? text : "null", stdout);
    show_end_line();
    free(text);
}

/* How many bytes of a control character are at `text`: C0 and DEL, or C1 in UTF-8; else 0. */
static size_t control_at(const char *text)
{
    unsigned char first = (unsigned char)text[0], second = (unsigned char)text[first ? 1 : 0];

    if ((first < ' ' && first != '\t') || first == 0x7f)
        return 1;
    return first == 0xc2 && second >= 0x80 && second < 0xa0 ? 2 : 0;
}

void show_text(FILE *to, const char *text)
{
    while (*text) {
        size_t control = control_at(text);

        if (*text == '\n')
            fputs("\n    ", to); /* further lines are set in */
        else if (control == 0)
            putc(*text, to);
        text += control > 0 ? control : 1;
    }
}

void show_entry(const struct cli *c, const struct banter_entry *entry)
{
    if (c->json) {
        fputs(entry->json, stdout);
    } else {
        printf("%s %lld ", entry->conversation, (long long)entry->seq);
        show_text(stdout, entry->at);
        putchar(' ');
        show_text(stdout, entry->from);
        if (strcmp(entry->kind, "text") != 0) {
            fputs(" [", stdout);
            show_text(stdout, entry->kind);
            putchar(']');
        }
        if (entry->text || entry->emoji) {
            fputs(": ", stdout);
            show_text(stdout, entry->text ? entry->text : entry->emoji);
        }
    }
    show_end_line();
}

static void show_field(const json_t *value)
{
    if (json_is_string(value))
        show_text(stdout, json_string_value(value));
    else if (json_is_integer(value))
        printf("%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        printf("%.2f", json_real_value(value));
    else
        putchar('-');
}

void show_line(const json_t *value)
{
    show_field(value);
    show_end_line();
}

void show_columns(const json_t *item, const char *const *columns)
{
    for (size_t i = 0; columns[i]; i++) {
        if (i > 0)
            putchar('\t');
        show_field(json_object_get(item, columns[i]));
    }
    show_end_line();
}

void show_list(const struct cli *c, const struct list *list)
{
    const json_t *items = json_object_get(c->answer, list->name), *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        if (c->json)
            show_json(item);
        else
            show_columns(item, list->columns);
    }
}
