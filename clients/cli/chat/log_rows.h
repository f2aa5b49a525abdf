/* SPDX-License-Identifier: MIT */
/* log_rows.h - one message in rows:
 *
 *     12:30        bob │ ↳ alice: shall we?
 *                      │ yes, and this is what a longer text looks like, which goes on
 *                      │ in further rows (edited)                                      ✓✓
 *                      │ 👍 2  🎉 1
 */
#ifndef BANTER_CLI_CHAT_LOG_ROWS_H
#define BANTER_CLI_CHAT_LOG_ROWS_H

#include "chat/grid.h"
#include "chat/layout.h"
#include "chat/model.h"

/* How the columns are divided. */
struct log_rows {
    const struct model *model;
    struct pane pane;
    int time;  /* columns of the time, 0: it is not shown */
    int name;  /* of the names */
    int width; /* of the text */
};

struct log_rows log_rows_of(const struct model *m, const struct pane *pane);
int log_rows_count(const struct log_rows *l, size_t index);
/* From the row `at` on; what is outside of the pane is left out. */
void log_rows_draw(const struct log_rows *l, size_t index, struct grid *g, int at);
/* What stands above the first message. */
void log_rows_begin(const struct log_rows *l, struct grid *g, int at);

/* Whether all others have received, or read, one's own message. */
bool log_rows_reached(const struct model *m, const struct message *message, bool is_read);

#endif
