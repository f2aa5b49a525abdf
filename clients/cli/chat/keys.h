/* SPDX-License-Identifier: MIT */
/* keys.h - tables of keys, one for each thing that keys may be about, and what their functions
 * share. */
#ifndef BANTER_CLI_CHAT_KEYS_H
#define BANTER_CLI_CHAT_KEYS_H

#include "chat/model.h"

/* A key, and what it does. */
struct binding {
    enum press_code code;
    wchar_t character; /* of PRESS_TEXT and PRESS_CONTROL */
    bool alt;
    void (*run)(struct model *m); /* NULL: the end of the table */
};

#define ALT(letter, function)                                                                      \
    {                                                                                              \
        PRESS_TEXT, letter, true, function                                                         \
    }
#define CONTROL(letter, function)                                                                  \
    {                                                                                              \
        PRESS_CONTROL, letter, false, function                                                     \
    }
#define PLAIN(letter, function)                                                                    \
    {                                                                                              \
        PRESS_TEXT, letter, false, function                                                        \
    }
#define KEY(code, function)                                                                        \
    {                                                                                              \
        code, 0, false, function                                                                   \
    }
#define ALT_KEY(code, function)                                                                    \
    {                                                                                              \
        code, 0, true, function                                                                    \
    }

/* Does what the table says; false if it says nothing about the key. */
bool keys_run(struct model *m, const struct binding *table, const struct press *press);
/* The keys that move in a text and take away from it; whether this is one. */
bool keys_edit(struct line *l, const struct press *press);
/* Rows to scroll by at once. */
int keys_page(const struct model *m);
void keys_to_newest(struct model *m);

/* keys_list.c, keys_write.c, keys_select.c: a key while FOCUS_LIST ... */
void keys_list(struct model *m, const struct press *press);
void keys_write(struct model *m, const struct press *press);
void keys_select(struct model *m, const struct press *press);
/* A character that was typed or pasted, into the list's filter, or the open conversation's draft.
 */
void keys_list_character(struct model *m, wchar_t character);
void keys_write_character(struct model *m, wchar_t character);

#endif
