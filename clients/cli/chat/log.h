/* SPDX-License-Identifier: MIT */
/* log.h - the open conversation's messages in rows: drawing them, and moving about in them. How
 * many rows a message has, the function that draws it tells: there is no second one to differ. */
#ifndef BANTER_CLI_CHAT_LOG_H
#define BANTER_CLI_CHAT_LOG_H

#include "chat/grid.h"
#include "chat/model.h"

void log_draw(const struct model *m, struct grid *g);
/* Moves what is shown of the open conversation, up (> 0) or down, by so many rows. */
void log_scroll(struct model *m, int rows);
/* Moves until this message is on the screen. */
void log_show(struct model *m, int64_t seq);
/* After a change of size: no room stays empty above what could fill it. */
void log_fit(struct model *m);
/* The message at the bottom of the screen; the conversation has some. */
int64_t log_lowest(const struct model *m);
/* Whether less than a screen is left above what is shown. */
bool log_is_near_top(const struct model *m);
/* Time of day, "12:30"; or, of another day than that of `now_ms`, "23 Nov"; "" of 0. */
void log_time(int64_t at_ms, int64_t now_ms, char *out, size_t size);

#endif
