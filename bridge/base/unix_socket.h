/* SPDX-License-Identifier: MIT */
/* unix_socket.h - listening on a path in the file system: who may connect is decided by its mode
 * before anyone can, because listen(2) comes last. */
#ifndef BANTER_BRIDGE_UNIX_SOCKET_H
#define BANTER_BRIDGE_UNIX_SOCKET_H

#include "base/compiler.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

/* False, with errno set: the path does not fit. */
bool unix_socket_address(struct sockaddr_un *out, const char *path) MUST_USE;
/* Listens on `path`. A socket there on which nobody listens is replaced. Returns the non-blocking
 * descriptor, the caller's to close, or -1 with errno set. */
int unix_socket_listen(const char *path, mode_t mode, int backlog) MUST_USE;

#endif
