/* SPDX-License-Identifier: MIT */
/* listener.h - the listening Unix socket of the link. */
#ifndef BANTER_BRIDGE_LISTENER_H
#define BANTER_BRIDGE_LISTENER_H

#include "base/compiler.h"

struct event_base;
struct listener;

/* `fd` is non-blocking and the callee's to close. */
typedef void listener_accepted_fn(void *owner, int fd);

/* Listens on `path` with mode 0660. A socket there on which nobody listens is replaced. NULL after
 * logging why. */
struct listener *listener_create(struct event_base *base, const char *path,
                                 listener_accepted_fn *accepted, void *owner) MUST_USE;
/* Also removes the socket from the file system. */
void listener_destroy(struct listener *l);

#endif
