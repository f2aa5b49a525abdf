/* SPDX-License-Identifier: MIT */
/* screen.h - the terminal, by way of ncurses: the only file that knows of it. One at a time. Not
 * for several threads. */
#ifndef BANTER_CLI_CHAT_SCREEN_H
#define BANTER_CLI_CHAT_SCREEN_H

#include "chat/grid.h"
#include "chat/press.h"

/* NULL, or why there cannot be one. The terminal is as it was before after screen_stop(), and also
 * when the program crashes. */
const char *screen_start(void);
void screen_stop(void);
/* Leaves the terminal to the shell until the program is continued. */
void screen_suspend(void);
/* All of it is drawn anew the next time; after a change of the terminal's size, too. */
void screen_refresh(void);
void screen_size(int *rows, int *columns);
void screen_show(const struct grid *g);
/* The next key; false when there is none. PRESS_NOTHING: one that means nothing. */
bool screen_press(struct press *out);

#endif
