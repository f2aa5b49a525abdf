/* SPDX-License-Identifier: MIT */
/* prompts.h - questions that the status line asks, and what follows from their answers. */
#ifndef BANTER_CLI_CHAT_PROMPTS_H
#define BANTER_CLI_CHAT_PROMPTS_H

#include "chat/model.h"

void prompt_begin(struct model *m, enum prompt prompt);
/* A character of the answer; those that want one letter have it then. */
void prompt_type(struct model *m, wchar_t character);
void prompt_answer(struct model *m);
void prompt_end(struct model *m);

#endif
