/* SPDX-License-Identifier: MIT */
/* arguments.c - see arguments.h. */
#include "arguments.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOWHERE = -1 };

/* How far the words have been read. */
struct reading {
    struct arguments *a;
    int argc, at;
    char **argv;
    bool is_text; /* no more options */
};

static bool refuse(struct arguments *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct arguments *a, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    (void)vsnprintf(a->problem, sizeof a->problem, format, values); /* cut, if need be */
    va_end(values);
    return false;
}

/* The place of an option among the rows, or NOWHERE. */
static int find(const struct option_row *rows, const char *name, size_t length)
{
    for (int i = 0; rows && rows[i].name; i++) {
        assert(i < ARGUMENT_OPTIONS_MAX);
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
            return i;
    }
    return NOWHERE;
}

static bool take_value(struct arguments *a, const struct option_row *row, struct argument *value,
                       const char *text)
{
    char *end;

    value->text = text;
    if (row->kind != OPTION_NUMBER)
        return true;
    value->number = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value->number < row->least || value->number > row->most)
        return refuse(a, "--%s takes a number from %lld to %lld, not %s", row->name,
                      (long long)row->least, (long long)row->most, text);
    return true;
}

static bool take_option(struct reading *r, const char *word)
{
    struct arguments *a = r->a;
    const char *name = word + 2, *text = strchr(word, '=');
    size_t length = text ? (size_t)(text - name) : strlen(name);
    const struct command *among = a->command;
    struct argument *values = a->own;
    int place = word[1] == '-' ? find(among->options, name, length) : NOWHERE;

    if (word[1] == '-' && (place == NOWHERE || among == a->root)) {
        among = a->root;
        values = a->common;
        place = find(among->options, name, length);
    }
    if (place == NOWHERE)
        return refuse(a, "there is no option %s", word);
    values[place].is_given = true;
    if (among->options[place].kind == OPTION_FLAG)
        return text ? refuse(a, "--%s takes no value", among->options[place].name) : true;
    if (!text && r->at == r->argc)
        return refuse(a, "%s needs a value", word);
    return take_value(a, &among->options[place], &values[place],
                      text ? text + 1 : r->argv[r->at++]);
}

/* The word names a part of the command that has parts. */
static bool take_part(struct arguments *a, const char *word)
{
    size_t length = strlen(a->name);

    for (const struct command *const *part = a->command->parts; *part; part++) {
        if (strcmp((*part)->name, word) != 0)
            continue;
        a->command = *part;
        (void)snprintf(a->name + length, sizeof a->name - length, "%s%s", length ? " " : "", word);
        return true;
    }
    return refuse(a, "there is no command '%s%s%s'", a->name, length ? " " : "", word);
}

static bool is_among(const char *choices, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = choices; *at; at += strspn(at, " ")) {
        size_t next = strcspn(at, " ");

        if (next == length && memcmp(at, word, length) == 0)
            return true;
        at += next;
    }
    return false;
}

static bool take_operand(struct reading *r, char *word)
{
    struct arguments *a = r->a;

    if (a->command->parts) {
        if (!take_part(a, word))
            return false;
        r->is_text |= (a->command->flags & PASSES_ON) != 0;
        return true;
    }
    if (a->count == 0 && a->command->choices && !is_among(a->command->choices, word))
        return refuse(a, "'%s' is none of: %s", word, a->command->choices);
    a->operands[a->count++] = word; /* never beyond the word that was read */
    r->is_text |= (a->command->flags & TEXT_FOLLOWS) != 0;
    return true;
}

static bool is_complete(struct arguments *a)
{
    if (argument_given(a, "help") || argument_given(a, "version"))
        return true;
    if (a->command->parts)
        return refuse(a, "which command?");
    if (a->count < a->command->least)
        return refuse(a, "'%s' needs more than that", a->name);
    if (a->count > a->command->most)
        return refuse(a, "'%s' is too much", a->operands[a->command->most]);
    return true;
}

bool arguments_read(struct arguments *a, const struct command *root, int argc, char **argv)
{
    struct reading r = {.a = a, .argc = argc, .at = 1, .argv = argv};

    *a = (struct arguments){.root = root, .command = root, .operands = argv};
    while (r.at < argc) {
        char *word = argv[r.at++];
        bool is_option = !r.is_text && word[0] == '-' && word[1] != '\0';

        if (is_option && strcmp(word, "--") == 0)
            r.is_text = true;
        else if (!(is_option ? take_option(&r, word) : take_operand(&r, word)))
            return false;
    }
    if (!is_complete(a))
        return false;
    a->operands[a->count] = NULL; /* in the room of the program's name */
    return true;
}

/* ---- what was read ---- */

static const struct argument *value_of(const struct arguments *a, const char *option)
{
    int place = a->command != a->root ? find(a->command->options, option, strlen(option)) : NOWHERE;

    if (place != NOWHERE)
        return &a->own[place];
    place = find(a->root->options, option, strlen(option));
    assert(place != NOWHERE);
    return &a->common[place];
}

bool argument_given(const struct arguments *a, const char *option)
{
    return value_of(a, option)->is_given;
}

const char *argument_text(const struct arguments *a, const char *option)
{
    return value_of(a, option)->text;
}

int64_t argument_number(const struct arguments *a, const char *option, int64_t otherwise)
{
    const struct argument *value = value_of(a, option);

    return value->is_given ? value->number : otherwise;
}
