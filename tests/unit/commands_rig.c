/* SPDX-License-Identifier: MIT */
/* commands_rig.c - see commands_rig.h. */
#include "unit/commands_rig.h"

#include "unit/unit.h"

#include "core/effects.h"
#include "core/presence.h"
#include "core/presence/row.h"
#include "core/revocations.h"

#include <event2/event.h>
#include <stdlib.h>

struct buf happened;
link_barrier_fn *barrier_done;
void *barrier_owner;

void link_member(struct link *l, const struct frame_member *f)
{
    (void)l;
    buf_printf(&happened, "member %d %d %d; ", (int)f->uid, (int)f->role, (int)f->last_seq);
}

void link_entry(struct link *l, const struct frame_entry *f)
{
    (void)l;
    assert_int_equal(f->sender_device.length, 0);
    buf_printf(&happened, "entry %d; ", (int)f->seq);
}

void link_ended(struct link *l, const struct frame_ended *f)
{
    char id[UUID_TEXT_LENGTH + 1];

    (void)l;
    uuid_format(&f->conversation, id);
    buf_printf(&happened, "ended %s; ", id);
}

void link_device(struct link *l, const struct frame_device *f)
{
    (void)l;
    assert_int_equal(f->device.length, 0);
    buf_printf(&happened, "to all of %d: %.*s %.*s; ", (int)f->uid, (int)f->topic.length,
               f->topic.data, (int)f->payload.length, f->payload.data);
}

void presence_row_changed(struct presence *p, uint64_t uid, struct slice handle,
                          const struct presence_row *row)
{
    (void)p;
    buf_printf(&happened, "row %d of %.*s: %d%s%s; ", (int)uid, (int)handle.length, handle.data,
               (int)row->last_seen_ms, row->hidden ? " hidden" : "",
               row->discreet ? " discreet" : "");
}

void link_barrier(struct link *l, link_barrier_fn *done, void *owner)
{
    (void)l;
    buf_str(&happened, "barrier; ");
    barrier_done = done;
    barrier_owner = owner;
}

void link_reset(struct link *l)
{
    (void)l;
    buf_str(&happened, "reset; ");
}

void revocations_add(struct revocations *r, const struct uuid *login, uint64_t uid,
                     int64_t ended_at_ms)
{
    (void)r;
    (void)ended_at_ms;
    buf_printf(&happened, "ended %d of %d; ", login->bytes[15], (int)uid);
}

const struct actor alice = {.uid = 1, .handle = {"alice", 5}};

int set_up(void **state)
{
    static char presence; /* stands for the module, whose one function is above */
    const struct commands_config config = {.group_members_max = 100,
                                           .presence = (struct presence *)(void *)&presence};
    struct fixture *f = calloc(1, sizeof *f);

    f->base = event_base_new();
    f->commands = commands_create(f->base, NULL, NULL, NULL, &config);
    buf_init(&happened, 8 << 20);
    fake_database_set_up(true);
    *state = f;
    return f->commands ? 0 : -1;
}

int tear_down(void **state)
{
    struct fixture *f = *state;

    commands_destroy(f->commands);
    event_base_free(f->base);
    buf_finish(&happened);
    free(f);
    return 0;
}

void turn(struct fixture *f)
{
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
}

void expect(const char *text)
{
    assert_string_equal(happened.data ? happened.data : "", text);
    buf_reset(&happened);
}

void on_answer(void *owner, struct slice response)
{
    (void)owner;
    buf_str(&happened, "answer ");
    buf_slice_put(&happened, response);
    buf_str(&happened, "; ");
}

void execute(struct fixture *f, const char *request)
{
    commands_execute(f->commands, &alice, slice_str(request), on_answer, NULL);
    expect(""); /* never from inside the call */
    turn(f);
}

void ask(struct fixture *f, const char *command)
{
    struct buf request;

    buf_init(&request, 1 << 20);
    buf_printf(&request, "{\"commands\":[%s]}", command);
    execute(f, request.data);
    buf_finish(&request);
}

static void add_effect(PGresult *result, const char *conversation, int uid, int role, int seq,
                       int entry_kind)
{
    int row = fake_result_add_row(result);
    struct uuid id;

    assert_true(uuid_parse(&id, slice_str(conversation)));
    fake_result_uuid(result, row, EFFECT_COLUMN_CONVERSATION, &id);
    fake_result_i64(result, row, EFFECT_COLUMN_CONVERSATION_KIND, CONVERSATION_GROUP);
    fake_result_i64(result, row, EFFECT_COLUMN_USER_ID, uid);
    fake_result_text(result, row, EFFECT_COLUMN_HANDLE, uid == 1 ? "alice" : "bob");
    fake_result_i64(result, row, EFFECT_COLUMN_SEQ, seq);
    if (entry_kind != 0)
        fake_result_i64(result, row, EFFECT_COLUMN_ENTRY_KIND, entry_kind);
    else
        fake_result_i64(result, row, EFFECT_COLUMN_ROLE, role);
}

PGresult *effects_result(void)
{
    return fake_result(EFFECT_COLUMN_DATA + 1);
}

PGresult *bob_changed(enum role role, int seq)
{
    PGresult *result = effects_result();

    add_effect(result, GROUP, 2, role, role == ROLE_NONE ? seq : seq - 1, 0);
    add_effect(result, GROUP, 1, 0, seq,
               role == ROLE_NONE ? ENTRY_MEMBER_REMOVED : ENTRY_MEMBERS_ADDED);
    return result;
}

const char *const add_bob =
    "{\"command\":\"addMembers\",\"conversation\":\"" GROUP "\",\"members\":[\"bob\"]}";
const char *const remove_bob =
    "{\"command\":\"removeMember\",\"conversation\":\"" GROUP "\",\"user\":\"bob\"}";
const char *const remove_elsewhere =
    "{\"command\":\"removeMember\",\"conversation\":\"" OTHER_GROUP "\",\"user\":\"bob\"}";
