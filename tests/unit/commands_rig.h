/* SPDX-License-Identifier: MIT */
/* commands_rig.h - the command engine between a fake database and a fake link, which writes down
 * what it is told. */
#ifndef BANTER_TESTS_COMMANDS_RIG_H
#define BANTER_TESTS_COMMANDS_RIG_H

#include "unit/fake_database.h"

#include "base/buf.h"
#include "core/commands.h"
#include "core/herald.h"
#include "core/passwords.h"

#define GROUP "01900000-0000-7000-8000-000000000001"
#define OTHER_GROUP "01900000-0000-7000-8000-000000000002"

struct fixture {
    struct event_base *base;
    struct commands *commands;
};

/* What happened, in order: "member 7 0 3; entry 3; barrier; answer {…}; " */
extern struct buf happened;
/* The last conversation that the writer was told of. */
extern struct uuid changed_conversation;
/* Of the last barrier. */
extern herald_barrier_fn *barrier_done;
extern void *barrier_owner;
/* Of the last password that was to be hashed. */
extern passwords_done_fn *hash_done;
extern void *hash_owner;
/* Who asks. */
extern const struct actor alice;
/* Commands. */
extern const char *const add_bob, *const remove_bob, *const remove_elsewhere;

int set_up(void **state);
int tear_down(void **state);
/* One turn of the loop. */
void turn(struct fixture *f);
/* Compares what happened since the last call. */
void expect(const char *text);
/* Writes the answer down. */
void on_answer(void *owner, struct slice response);
/* A whole request, and one turn. */
void execute(struct fixture *f, const char *request);
/* One command alone; the answer without what surrounds it. */
void ask(struct fixture *f, const char *command);
/* Effects, none yet. */
PGresult *effects_result(void);
/* bob is added, or removed, by alice with entry `seq`. */
PGresult *bob_changed(enum role role, int seq);

#endif
