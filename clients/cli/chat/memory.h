/* SPDX-License-Identifier: MIT */
/* memory.h - memory that the chat cannot do without. When there is none the program ends, with a
 * message and with the terminal as it was: a person sits there, and nothing that was sent is lost.
 */
#ifndef BANTER_CLI_CHAT_MEMORY_H
#define BANTER_CLI_CHAT_MEMORY_H

#include <stddef.h>

/* What is called before the message. */
void memory_before_end(void (*restore)(void));

/* Zeroed. */
void *memory_new(size_t count, size_t size);
/* Makes room in `array` for `count` elements of `size` bytes; *room is for how many it is. */
void *memory_grow(void *array, size_t *room, size_t count, size_t size);
/* NULL stays NULL. */
char *memory_copy(const char *text);

#endif
