/* SPDX-License-Identifier: MIT */
/* settings.h - struct banter_options, checked and copied: what the client works with. */
#ifndef BANTER_CLIENT_SETTINGS_H
#define BANTER_CLIENT_SETTINGS_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/servers.h"

#include <stdbool.h>
#include <stdint.h>

struct settings {
    struct servers servers;
    char *device;
    char *store;    /* NULL: in memory */
    char *ca_file;  /* NULL: the system's */
    char *location; /* NULL: not known */
    enum banter_start start;
    bool say_received;
    uint32_t outbox_max;
    bool discover;
};

/* *out is always to be finished. BANTER_INVALID, BANTER_NO_MEMORY. */
int settings_init(struct settings *out, const struct banter_options *options) MUST_USE;
void settings_finish(struct settings *s);
/* Copies a structure that begins with its size: an older caller's lacks members, which keep what
 * `to` has. False: `from` is no such structure, or a newer caller's that says what we do not know.
 */
bool structure_take(void *to, size_t size, const void *from) MUST_USE;

#endif
