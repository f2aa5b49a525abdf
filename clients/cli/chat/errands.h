/* SPDX-License-Identifier: MIT */
/* errands.h - between libbanter and the model: its callbacks become news, and the model's wishes
 * calls. The callbacks run on libbanter's thread and touch nothing but the queue. */
#ifndef BANTER_CLI_CHAT_ERRANDS_H
#define BANTER_CLI_CHAT_ERRANDS_H

#include "chat/model.h"

/* Callbacks whose owner is the queue, which must outlive the client. */
struct banter_callbacks errands_callbacks(struct news_queue *queue);
/* Grants a wish that is about libbanter; false if it is about the program. On the chat's thread,
 * which empties the queue: nothing here waits for room in it. */
bool errands_do(struct banter *client, struct news_queue *queue, struct model *m,
                const struct wish *wish);

#endif
