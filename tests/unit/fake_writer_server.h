/* SPDX-License-Identifier: MIT */
/* fake_writer_server.h - stands in for the writer's connection: a tiny PostgreSQL that knows the
 * statements of a batch, runs transactions one by one as the test says, and can fail, or break
 * the connection before or after a commit. Linked before the bridge's library, so that the real
 * connection stays out.
 *
 * It has conversations without limit, in which everybody is a member, and refuses the text
 * "poison". */
#ifndef BANTER_TESTS_FAKE_WRITER_SERVER_H
#define BANTER_TESTS_FAKE_WRITER_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Forgets everything, for the next test. */
void fake_server_reset(void);
void fake_server_connect(void);
/* Transactions received and not answered. */
size_t fake_server_waiting(void);
/* Drafts in the oldest of them. */
size_t fake_server_drafts_waiting(void);
/* Those of them that it does not look up anything for. */
size_t fake_server_known_waiting(void);
/* Whether the oldest of them looks for what was stored before. */
bool fake_server_looks_for_drafts(void);
/* Runs and answers the oldest transaction. */
void fake_server_run(void);
/* Answers what the oldest transaction looks up; it is yet to be committed, or to fail. */
void fake_server_answer(void);
/* Everybody may only read from now on. */
void fake_server_make_readers(void);
/* There everybody may only read, and always could no more. */
void fake_server_close(const char *conversation);
/* All conversations are channels. */
void fake_server_make_channels(void);
/* The seq under which a draft with this id is stored. */
long fake_server_seq_of(const char *id);
/* Somebody else writes an entry there. */
void fake_server_write(const char *conversation);
/* Something else holds a lock on this conversation; NULL: on none. */
void fake_server_hold(const char *conversation);
/* What is stored loses its texts. */
void fake_server_erase(void);
/* Answers the oldest transaction with this error. */
void fake_server_fail(const char *sqlstate);
/* Commits the oldest `count` transactions, and breaks the connection before it can say so. */
void fake_server_break_after(size_t count);
/* How many messages are stored, and how many drafts were put into quarantine. */
size_t fake_server_stored(void);
size_t fake_server_quarantined(void);

#endif
