/* SPDX-License-Identifier: MIT */
/* commands_rig.c - see commands_rig.h. */
#include "unit/commands_rig.h"

#include "unit/unit.h"

#include "core/accounts.h"
#include "core/effects.h"
#include "core/herald.h"
#include "core/presence.h"
#include "core/presence/row.h"
#include "core/revocations.h"

#include <event2/event.h>
#include <stdlib.h>

struct buf happened;
struct uuid changed_conversation;
herald_barrier_fn *barrier_done;
void *barrier_owner;

void herald_member(struct herald *h, const struct frame_member *f)
{
    (void)h;
    buf_printf(&happened, "member %d %d %d; ", (int)f->uid, (int)f->role, (int)f->last_seq);
}

void herald_overtaken(struct herald *h, const struct frame_member *f)
{
    (void)h;
    buf_printf(&happened, "overtaken %d %d %d; ", (int)f->uid, (int)f->role, (int)f->last_seq);
}

void herald_entry(struct herald *h, const struct frame_entry *f)
{
    (void)h;
    assert_int_equal(f->sender_device.length, 0);
    buf_printf(&happened, "entry %d; ", (int)f->seq);
}

void herald_ended(struct herald *h, const struct frame_ended *f)
{
    char id[UUID_TEXT_LENGTH + 1];

    (void)h;
    uuid_format(&f->conversation, id);
    buf_printf(&happened, "ended %s; ", id);
}

void herald_profile(struct herald *h, uint64_t uid)
{
    (void)h;
    buf_printf(&happened, "profile of %d; ", (int)uid);
}

void presence_row_changed(struct presence *p, uint64_t uid, struct slice handle,
                          const struct presence_row *row)
{
    (void)p;
    buf_printf(&happened, "row %d of %.*s: %d%s%s; ", (int)uid, (int)handle.length, handle.data,
               (int)row->last_seen_ms, row->hidden ? " hidden" : "",
               row->discreet ? " discreet" : "");
}

void herald_barrier(struct herald *h, herald_barrier_fn *done, void *owner)
{
    (void)h;
    buf_str(&happened, "barrier; ");
    barrier_done = done;
    barrier_owner = owner;
}

void herald_unsure(struct herald *h)
{
    (void)h;
    buf_str(&happened, "reset; ");
}

void herald_change(struct herald *h, const struct uuid *conversation)
{
    (void)h;
    changed_conversation = *conversation;
}

void herald_kick(struct herald *h, const struct frame_kick *f)
{
    (void)h;
    buf_printf(&happened, "kick %d %.*s %.*s; ", (int)f->uid, (int)f->device.length,
               f->device.length > 0 ? f->device.data : "", (int)f->reason.length, f->reason.data);
}

void presence_each_device(const struct presence *p, uint64_t uid,
                          void (*see)(void *owner, struct slice device), void *owner)
{
    (void)p;
    assert_int_equal(uid, 2);
    see(owner, slice_str("phone"));
    see(owner, slice_str("laptop"));
}

bool presence_is_elsewhere(const struct presence *p, uint64_t uid)
{
    (void)p;
    return uid == 2;
}

passwords_done_fn *hash_done;
void *hash_owner;

bool accounts_hash(struct accounts *a, struct slice password, passwords_done_fn *done, void *owner)
{
    (void)a;
    if (slice_equal(password, slice_str("too busy")))
        return false;
    buf_str(&happened, "hash; ");
    hash_done = done;
    hash_owner = owner;
    return true;
}

static void read_gauges(void *owner, struct command_gauges *out)
{
    assert_non_null(owner);
    *out =
        (struct command_gauges){.devices = 5, .users_online = 6, .nodes = 7, .drafts_waiting = 8};
}

void revocations_add(struct revocations *r, const struct uuid *login, uint64_t uid,
                     int64_t ended_at_ms, bool ours)
{
    assert_true(ours);
    (void)r;
    (void)ended_at_ms;
    buf_printf(&happened, "ended %d of %d; ", login->bytes[15], (int)uid);
}

const struct actor alice = {.uid = 1, .handle = {"alice", 5}};

int set_up(void **state)
{
    static char module; /* stands for those whose functions are above */
    const struct commands_config config = {.group_members_max = 100,
                                           .read_gauges = read_gauges,
                                           .gauges_owner = &module,
                                           .presence = (struct presence *)(void *)&module};
    struct fixture *f = calloc(1, sizeof *f);

    f->base = event_base_new();
    f->commands =
        commands_create(f->base, NULL, NULL, NULL, (struct accounts *)(void *)&module, &config);
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
