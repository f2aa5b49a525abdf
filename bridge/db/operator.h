/* SPDX-License-Identifier: MIT */
/* operator.h - what an operator asks of the database from the command line. Blocking: for a process
 * that does nothing else.
 *
 * What is printed goes to stdout; whether it got there is the caller's to see, at the end. */
#ifndef BANTER_BRIDGE_OPERATOR_H
#define BANTER_BRIDGE_OPERATOR_H

#include "base/compiler.h"

#include <stdbool.h>

/* Whether there is such an action on pushes that were given up: "list", "requeue", "drop". */
bool operator_push_has(const char *action) MUST_USE;
/* Does it and prints what came of it. `who` does it, for the audit log; `registration`: only those
 * of this one; NULL: all. False after logging why not. */
bool operator_push(const char *dsn, const char *who, const char *action,
                   const char *registration) MUST_USE;

/* Whether there is such an action on the audit log: "list", "note". */
bool operator_audit_has(const char *action) MUST_USE;
/* "list": prints the newest rows, or those before the id `subject`. "note": writes that `who` has
 * done `subject`, which must be there. False after logging why not. */
bool operator_audit(const char *dsn, const char *who, const char *action,
                    const char *subject) MUST_USE;
/* Writes into the audit log that `who` has done `action` to `object`, which may be NULL. False
 * after logging why not. */
bool operator_note(const char *dsn, const char *who, const char *action,
                   const char *object) MUST_USE;

/* Whether there is such an action on users: "admin", "noadmin", "erase" and "export" want a handle,
 * "receipt" an erasure's id. */
bool operator_users_has(const char *action) MUST_USE;
/* Whether it is about who is an administrator, which only the schema's owner may change. */
bool operator_users_appoints(const char *action) MUST_USE;
/* Makes a user, with the hash of a password. False after logging why not: the handle is taken,
 * say. */
bool operator_create_user(const char *dsn, const char *who, const char *handle,
                          const char *password_hash) MUST_USE;
/* Does it and prints what came of it; returns when that is done. False after logging why not. */
bool operator_users(const char *dsn, const char *who, const char *action,
                    const char *subject) MUST_USE;

#endif
