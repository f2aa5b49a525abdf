/* SPDX-License-Identifier: MIT */
/* drafts.h - unsent texts, in a file of the profile that its owner alone may read. */
#ifndef BANTER_CLI_CHAT_DRAFTS_H
#define BANTER_CLI_CHAT_DRAFTS_H

#include <jansson.h>
#include <stdbool.h>

/* NULL if there are none, or none that can be read. */
json_t *drafts_load(const char *path);
/* Whole, or not at all and with errno. */
bool drafts_save(const char *path, const json_t *drafts);

#endif
