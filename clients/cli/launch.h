/* SPDX-License-Identifier: MIT */
/* launch.h - other programs of Banter's, which this one hands over to. */
#ifndef BANTER_CLI_LAUNCH_H
#define BANTER_CLI_LAUNCH_H

/* Becomes `file` (looked for in PATH unless it has a slash) with `first`, ended by NULL, and then
 * `words`, ended by NULL. Returns, an exit status after a message, only if that cannot be; `hint`
 * says where the program comes from. */
int launch(const char *file, const char *const *first, char *const *words, const char *hint);

#endif
