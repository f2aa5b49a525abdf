/* SPDX-License-Identifier: MIT */
/* message.c - entries into messages. */
#include "chat/message.h"

#include "chat/memory.h"
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SENTENCE_SIZE = 1024, NAMES_SHOWN = 5, MS_PER_SECOND = 1000 };

bool copy_text(char *out, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : size;

    if (length >= size) {
        out[0] = '\0';
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

int64_t time_of(const char *text)
{
    struct tm tm = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    long ms = 0;

    if (!rest)
        return 0;
    if (*rest == '.')
        ms = strtol(rest + 1, NULL, 10);
    return (int64_t)timegm(&tm) * MS_PER_SECOND + (ms >= 0 && ms < MS_PER_SECOND ? ms : 0);
}

/* ---- what happened, as a sentence ---- */

static void add_names(char *sentence, const json_t *names)
{
    size_t count = json_array_size(names), length;

    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        length = strlen(sentence);
        (void)snprintf(sentence + length, SENTENCE_SIZE - length, "%s%.32s", i > 0 ? ", " : " ",
                       name ? name : "?");
    }
    length = strlen(sentence);
    if (count > NAMES_SHOWN)
        (void)snprintf(sentence + length, SENTENCE_SIZE - length, " and %zu more",
                       count - NAMES_SHOWN);
}

static void say_created(char *sentence, const json_t *entry)
{
    const char *title = member_text(entry, "title");

    if (title[0])
        (void)snprintf(sentence, SENTENCE_SIZE, "created “%.512s”", title);
    else
        (void)snprintf(sentence, SENTENCE_SIZE, "began this conversation");
    if (json_array_size(json_object_get(entry, "members")) > 0) {
        (void)snprintf(sentence + strlen(sentence), SENTENCE_SIZE - strlen(sentence), " with");
        add_names(sentence, json_object_get(entry, "members"));
    }
}

static void say_added(char *sentence, const json_t *entry)
{
    (void)snprintf(sentence, SENTENCE_SIZE, "added");
    add_names(sentence, json_object_get(entry, "members"));
}

static void say_removed(char *sentence, const json_t *entry)
{
    (void)snprintf(sentence, SENTENCE_SIZE, "removed");
    add_names(sentence, json_object_get(entry, "members"));
}

static void say_left(char *sentence, const json_t *entry)
{
    const char *owner = member_text(entry, "owner");

    (void)snprintf(sentence, SENTENCE_SIZE, "left");
    if (owner[0])
        (void)snprintf(sentence, SENTENCE_SIZE, "left; %.32s is the owner now", owner);
}

static void say_erased(char *sentence, const json_t *entry)
{
    const char *owner = member_text(entry, "owner");

    (void)snprintf(sentence, SENTENCE_SIZE, "deleted the account");
    if (owner[0])
        (void)snprintf(sentence, SENTENCE_SIZE, "deleted the account; %.32s is the owner now",
                       owner);
}

static void say_joined(char *sentence, const json_t *entry)
{
    (void)entry;
    (void)snprintf(sentence, SENTENCE_SIZE, "joined");
}

static void say_renamed(char *sentence, const json_t *entry)
{
    const char *title = member_text(entry, "title");

    if (title[0])
        (void)snprintf(sentence, SENTENCE_SIZE, "named it “%.512s”", title);
    else
        (void)snprintf(sentence, SENTENCE_SIZE, "took the title away");
}

static void say_modified(char *sentence, const json_t *entry)
{
    (void)entry;
    (void)snprintf(sentence, SENTENCE_SIZE, "changed the settings");
}

static void say_role(char *sentence, const json_t *entry)
{
    (void)snprintf(sentence, SENTENCE_SIZE, "made %.32s %.16s", member_text(entry, "user"),
                   member_text(entry, "role"));
}

static const struct {
    const char *kind;
    enum entry_role role;
    void (*say)(char *sentence, const json_t *entry);
} kinds[] = {
    {"created", ENTRY_MESSAGE, say_created},
    {"delete", ENTRY_CHANGE, NULL},
    {"edit", ENTRY_CHANGE, NULL},
    {"joined", ENTRY_MESSAGE, say_joined},
    {"member_erased", ENTRY_MESSAGE, say_erased},
    {"member_left", ENTRY_MESSAGE, say_left},
    {"member_removed", ENTRY_MESSAGE, say_removed},
    {"members_added", ENTRY_MESSAGE, say_added},
    {"modified", ENTRY_MESSAGE, say_modified},
    {"reaction", ENTRY_CHANGE, NULL},
    {"renamed", ENTRY_MESSAGE, say_renamed},
    {"role_changed", ENTRY_MESSAGE, say_role},
    {"text", ENTRY_MESSAGE, NULL},
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static size_t kind_of(const json_t *entry)
{
    const char *kind = member_text(entry, "kind");
    size_t i = 0;

    while (i < KIND_COUNT && strcmp(kinds[i].kind, kind) != 0)
        i++;
    return i;
}

enum entry_role entry_role(const json_t *entry)
{
    size_t kind = kind_of(entry);

    return kind < KIND_COUNT ? kinds[kind].role : ENTRY_UNKNOWN;
}

/* ---- messages ---- */

static void take_reactions(struct message *m, const json_t *reactions)
{
    const char *emoji;
    const json_t *value;
    size_t count = json_object_size(reactions);

    if (count == 0)
        return;
    m->reactions = memory_new(count < REACTIONS_MAX ? count : REACTIONS_MAX, sizeof *m->reactions);
    json_object_foreach((json_t *)reactions, emoji, value)
    {
        struct reaction *r = &m->reactions[m->reaction_count];
        json_int_t times = json_integer_value(json_object_get(value, "count"));

        if (m->reaction_count == REACTIONS_MAX)
            break;
        if (times < 1 || !copy_text(r->emoji, sizeof r->emoji, emoji))
            continue;
        r->count = (unsigned)times;
        r->own = json_is_true(json_object_get(value, "own"));
        m->reaction_count++;
    }
}

struct message *message_of_entry(const json_t *entry, const char *user)
{
    size_t kind = kind_of(entry);
    char sentence[SENTENCE_SIZE] = "";
    struct message *m;

    if (kind == KIND_COUNT || kinds[kind].role != ENTRY_MESSAGE)
        return NULL;
    if (kinds[kind].say)
        kinds[kind].say(sentence, entry);
    m = message_new(member_text(entry, "from"),
                    kinds[kind].say ? sentence : member_text(entry, "text"));
    m->kind = kinds[kind].say ? MESSAGE_HAPPENING : MESSAGE_TEXT;
    m->fate = FATE_STORED;
    m->seq = json_integer_value(json_object_get(entry, "seq"));
    m->at_ms = time_of(member_text(entry, "at"));
    m->own = strcmp(m->from, user) == 0;
    m->is_edited = json_object_get(entry, "edited_at") != NULL;
    m->is_deleted = json_is_true(json_object_get(entry, "deleted"));
    m->reply_to = json_integer_value(json_object_get(entry, "reply_to"));
    m->id = memory_copy(json_string_value(json_object_get(entry, "id")));
    take_reactions(m, json_object_get(entry, "reactions"));
    return m;
}

struct message *message_new(const char *from, const char *text)
{
    struct message *m = memory_new(1, sizeof *m);

    (void)copy_text(m->from, sizeof m->from, from);
    m->text = memory_copy(text);
    m->fate = FATE_SENDING;
    return m;
}

void message_free(struct message *m)
{
    if (!m)
        return;
    free(m->text);
    free(m->id);
    free(m->reason);
    free(m->reactions);
    free(m);
}

size_t message_bytes(const struct message *m)
{
    return sizeof *m + strlen(m->text) + m->reaction_count * sizeof *m->reactions;
}

void message_refuse(struct message *m, const char *reason)
{
    m->fate = FATE_REFUSED;
    free(m->reason);
    m->reason = memory_copy(reason);
}
