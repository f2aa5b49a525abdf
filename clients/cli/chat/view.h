/* SPDX-License-Identifier: MIT */
/* view.h - draws the model. Reads it and changes nothing but the grid. */
#ifndef BANTER_CLI_CHAT_VIEW_H
#define BANTER_CLI_CHAT_VIEW_H

#include "chat/grid.h"
#include "chat/layout.h"
#include "chat/model.h"

/* All of it; the grid has the model's size. */
void view_draw(const struct model *m, struct grid *g);

/* view_list.c */
void view_list(const struct model *m, const struct pane *pane, struct grid *g);
/* view_status.c */
void view_status(const struct model *m, const struct pane *pane, struct grid *g);
/* What keys do, over everything else. */
void view_help(const struct model *m, struct grid *g);

/* What the list calls a conversation. */
const char *view_title(const struct room *r);

#endif
