/* SPDX-License-Identifier: MIT */
/* ingest_rig.h - a writer on a tiny server, what it has told, and drafts for it; for the tests that
 * look at it from several sides. */
#ifndef BANTER_TESTS_INGEST_RIG_H
#define BANTER_TESTS_INGEST_RIG_H

#include "unit/unit.h"

#include "unit/fake_writer_server.h"

#include "core/ingest.h"
#include "link/link.h"

#include <stdlib.h>

#define CONVERSATION "01900000-0000-7000-8000-000000000001"
#define HELD "01900000-0000-7000-8000-000000000002"

#define INGEST_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

enum { RIG_CROWD = 8 };

struct told {
    char id[32];
    enum code code;
    int64_t seq;
    bool duplicate;
};

extern struct told told[];
extern size_t told_count;
extern size_t settled_count;
extern int64_t last_entry_seq; /* of the ENTRY frames, without those that come again */
extern int64_t last_held_seq;  /* the same, in HELD */
extern size_t entry_count;
extern size_t member_count;
extern size_t link_waiting_bytes;
extern uint64_t link_silence_ms;
extern enum role member_role; /* of the last MEMBER frame */
extern bool heard_in_order;   /* false: others write, too; true in every new test */
extern struct event_base *base;
extern struct ingest *ingest;

/* The second: RIG_CROWD drafts are needed for a batch that does not wait; the first: one. */
int rig_set_up(void **state);
int rig_set_up_crowds(void **state);
int rig_tear_down(void **state);

/* Drafts of alice's: any, and one of somebody else, whose handle does not matter; one of
 * CONVERSATION; `count` of CONVERSATION with the ids d0, d1 …; the same of HELD with h0, h1 … */
void submit_json(const char *target, const char *json);
void submit_json_from(uint64_t uid, const char *target, const char *json);
void submit(const char *id, const char *text);
void submit_numbered(unsigned from, unsigned count);
void submit_held(unsigned from, unsigned count);

/* Lets the writer's timers run until it has sent something. */
void wait_for_batch(void);
/* Answers what it sends until nothing is left, or until so many outcomes are told. */
void run_until_idle(void);
void run_until_told(size_t count);

#endif
