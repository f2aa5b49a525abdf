/* SPDX-License-Identifier: MIT */
/* revoke.h - logins that have ended: a token of one opens no connection, and those that it has
 * opened are ended. The bridge tells of them, all of them again after the link came up; between
 * the two the plugin goes by what it was told before. */
#ifndef BANTER_PLUGIN_REVOKE_H
#define BANTER_PLUGIN_REVOKE_H

#include "wire/frame.h"

struct core;

void revoke_login(struct core *c, const struct frame_revoked *f);

#endif
