/* SPDX-License-Identifier: MIT */
/* commands.c - the command engine: runs one command from its arguments to its callback.
 *
 * Changes of one conversation run one after the other, so that the plugin hears of them in the
 * order in which they were committed: of "added" and "removed" the later one must come later. When
 * the outcome of a change is unknown, the plugin's picture may be wrong in a way that no later
 * frame mends, so all plugins look again. */
#include "core/commands.h"

#include "base/fault_point.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "core/command.h"
#include "core/effects.h"
#include "core/envelope.h"
#include "core/herald.h"
#include "core/indexer.h"
#include "core/push_service.h"
#include "core/revocations.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNNING_MAX = 256,
    NAME_SHOWN_BYTES = 64, /* of an unknown command's name */
};

TAILQ_HEAD(command_list, command);

struct commands {
    struct db_pool *pool;
    struct herald *herald;
    struct revocations *revocations;
    struct accounts *accounts;
    struct commands_config config;
    struct later *later;
    struct envelopes *envelopes;
    struct command_list running; /* every command whose callback has not been called */
    unsigned running_count;
    bool closed; /* freed once PostgreSQL and the plugin have answered what they were asked */
};

void command_ask(struct command *cmd, const struct db_statement *statement,
                 struct db_params *params)
{
    assert(!cmd->statement && cmd->code == CODE_OK);
    cmd->statement = statement;
    cmd->params = params;
}

void command_look_up(struct command *cmd, const struct db_statement *statement,
                     struct db_params *params,
                     void (*found)(struct command *cmd, const PGresult *result))
{
    command_ask(cmd, statement, params);
    cmd->found = found;
}

void command_fail(struct command *cmd, enum code code, const char *format, ...)
{
    va_list arguments;

    assert(code != CODE_OK);
    if (cmd->code != CODE_OK)
        return;
    cmd->code = code;
    va_start(arguments, format);
    (void)vsnprintf(cmd->reason, sizeof cmd->reason, format, arguments);
    va_end(arguments);
}

unsigned command_group_members_max(const struct command *cmd)
{
    return cmd->commands->config.group_members_max;
}

const struct push_senders *command_push_senders(const struct command *cmd)
{
    const struct push_service *push = cmd->commands->config.push;

    return push ? push_service_senders(push) : NULL;
}

struct accounts *command_accounts(const struct command *cmd)
{
    return cmd->commands->accounts;
}

const struct presence *command_presence(const struct command *cmd)
{
    return cmd->commands->config.presence;
}

struct audit *command_audit(const struct command *cmd)
{
    return cmd->commands->config.audit;
}

struct command_gauges command_gauges(const struct command *cmd)
{
    const struct commands_config *config = &cmd->commands->config;
    struct command_gauges gauges;

    config->read_gauges(config->gauges_owner, &gauges);
    return gauges;
}

void command_index_is_behind(const struct command *cmd)
{
    if (cmd->commands->config.indexer)
        indexer_look_after(cmd->commands->config.indexer, cmd->uid);
}

/* A password that was drawn for a new user is in both. */
static void wipe(struct command *cmd)
{
    explicit_bzero(cmd->kept, sizeof cmd->kept);
    if (cmd->data.data)
        explicit_bzero(cmd->data.data, cmd->data.length);
}

static void free_command(struct command *cmd)
{
    struct commands *c = cmd->commands;

    TAILQ_REMOVE(&c->running, cmd, link);
    c->running_count--;
    wipe(cmd);
    db_params_destroy(cmd->params);
    buf_finish(&cmd->data);
    json_decref(cmd->arguments);
    free(cmd);
    if (c->closed && c->running_count == 0)
        free(c);
}

static void finish(void *owner)
{
    struct command *cmd = owner;

    command_note_outcome(cmd);
    if (!cmd->commands->closed) {
        struct slice data = cmd->code == CODE_OK ? buf_slice(&cmd->data) : slice_of(NULL, 0);
        cmd->done(cmd->owner, cmd->code, cmd->code == CODE_OK ? NULL : cmd->reason, data);
    }
    free_command(cmd);
}

static void finish_later(struct command *cmd)
{
    cmd->state = COMMAND_DUE;
    later_call(cmd->commands->later, &cmd->later, finish, cmd);
}

static bool changes_members(const struct command *cmd)
{
    return cmd->spec &&
           (cmd->spec->effect == COMMAND_CHANGES || cmd->spec->effect == COMMAND_REMOVES);
}

/* A change of the same conversation that goes first, or NULL. */
static struct command *earlier_change(const struct command *cmd)
{
    struct command *other;

    TAILQ_FOREACH(other, &cmd->commands->running, link)
    {
        if (other == cmd)
            return NULL;
        if (changes_members(other) &&
            (other->state == COMMAND_ASKING || other->state == COMMAND_WAITING) &&
            uuid_equal(&other->conversation, &cmd->conversation))
            return other;
    }
    return NULL;
}

/* There is one at the most, because they take turns; or NULL. */
static struct command *change_under_way(const struct commands *c, const struct uuid *conversation)
{
    struct command *cmd;

    TAILQ_FOREACH(cmd, &c->running, link)
    {
        if (changes_members(cmd) && cmd->state == COMMAND_ASKING &&
            uuid_equal(&cmd->conversation, conversation))
            return cmd;
    }
    return NULL;
}

bool commands_is_changing(const struct commands *c, const struct uuid *conversation)
{
    return change_under_way(c, conversation) != NULL;
}

void commands_overtake(struct commands *c, const struct uuid *conversation)
{
    struct command *cmd = change_under_way(c, conversation);

    if (cmd)
        cmd->overtaken = true;
}

static void submit_as(struct command *cmd, enum command_state state, db_reply_fn *on_reply)
{
    struct commands *c = cmd->commands;
    struct db_pool *pool = cmd->searches && c->config.search_pool ? c->config.search_pool : c->pool;
    struct db_params *params = cmd->params;

    cmd->params = NULL;
    cmd->state = state;
    if (!db_pool_query(pool, cmd->statement, params, on_reply, cmd)) {
        command_fail(cmd, CODE_UNAVAILABLE, "the database is not available: try again");
        finish_later(cmd);
    }
}

static void on_reply(void *owner, const struct db_reply *reply);

static void submit(struct command *cmd)
{
    submit_as(cmd, COMMAND_ASKING, on_reply);
}

/* Starts the changes that waited for this one. When one cannot be submitted, the next may run. */
static void submit_waiting(struct commands *c, const struct uuid *conversation)
{
    struct command *cmd;

    TAILQ_FOREACH(cmd, &c->running, link)
    {
        if (cmd->state == COMMAND_WAITING && uuid_equal(&cmd->conversation, conversation) &&
            !earlier_change(cmd))
            submit(cmd);
    }
}

/* The removal of somebody who is no member: removed unheard, perhaps. To plugins that know it that
 * is nothing new. */
static void tell_not_a_member(const struct command *cmd, const struct db_reply *reply)
{
    struct frame_member f = {.conversation = cmd->conversation,
                             .kind = CONVERSATION_GROUP,
                             .uid = strtoull(reply->detail, NULL, 10),
                             .role = ROLE_NONE};

    if (cmd->spec->start == start_leave)
        f.uid = cmd->uid;
    if (cmd->spec->effect != COMMAND_REMOVES || cmd->code != CODE_NOT_FOUND || f.uid == 0)
        return;
    if (cmd->overtaken)
        herald_overtaken(cmd->commands->herald, &f);
    else
        herald_member(cmd->commands->herald, &f);
}

/* PostgreSQL said no: in our own words, in passing, or for a reason that nobody foresaw. */
static void refuse(struct command *cmd, const struct db_reply *reply)
{
    enum code code = effects_refusal(reply->sqlstate);
    const char *class = reply->sqlstate;

    if (code != CODE_OK) {
        command_fail(cmd, code, "%s", reply->message);
        tell_not_a_member(cmd, reply);
        return;
    }
    log_error("commands", "%s failed: %s %s", cmd->spec->name, reply->sqlstate, reply->message);
    /* Transaction rollback, insufficient resources, operator intervention. */
    if (strncmp(class, "40", 2) == 0 || strncmp(class, "53", 2) == 0 ||
        strncmp(class, "57", 2) == 0)
        command_fail(cmd, CODE_UNAVAILABLE, "the database is busy: try again");
    else
        command_fail(cmd, CODE_INTERNAL, "an internal error, which has been logged");
}

/* A connection that the server ends (57P0x) may have committed just before. */
static bool outcome_is_unknown(const struct db_reply *reply)
{
    return reply->status == DB_LOST || reply->status == DB_TIMED_OUT ||
           strncmp(reply->sqlstate, "57P", 3) == 0;
}

/* What the result of a COMMAND_REVOKES has: id, user, time. */
static void tell_ended_logins(struct command *cmd, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct uuid login = db_get_uuid(result, row, 0);

        revocations_add(cmd->commands->revocations, &login, (uint64_t)db_get_i64(result, row, 1),
                        db_get_time_ms(result, row, 2), true);
        command_note(cmd, "session_end", cmd->uid, &login, "revoked");
    }
}

/* The word goes first: connections of ended logins would hear another one. */
static void tell_ended_user(struct command *cmd, const PGresult *result)
{
    struct frame_kick kick = {
        .uid = (uint64_t)db_get_i64(result, 0, ENDS_COLUMN_USER_ID),
        .device = slice_of((const char *)cmd->kept, cmd->kept_length),
        .reason = slice_str(cmd->ending),
    };

    cmd->mark.user = kick.uid;
    herald_kick(cmd->commands->herald, &kick);
    for (int row = 0; row < PQntuples(result); row++) {
        struct uuid login;

        if (db_get_null(result, row, ENDS_COLUMN_LOGIN))
            continue;
        login = db_get_uuid(result, row, ENDS_COLUMN_LOGIN);
        revocations_add(cmd->commands->revocations, &login, kick.uid,
                        db_get_time_ms(result, row, ENDS_COLUMN_ENDED_AT), true);
        command_note(cmd, "session_end", kick.uid, &login, cmd->ending);
    }
}

/* Whether the plugin has to have heard of it before the answer leaves. "Not found" may be the
 * answer to a second try, after a first one that was done and not confirmed. */
static bool needs_barrier(const struct command *cmd)
{
    return (cmd->code == CODE_OK || cmd->code == CODE_NOT_FOUND) &&
           (cmd->spec->effect == COMMAND_REMOVES || cmd->spec->effect == COMMAND_REVOKES ||
            cmd->spec->effect == COMMAND_ENDS);
}

static void succeed(struct command *cmd, const PGresult *result)
{
    if (needs_barrier(cmd))
        fault_point("bridge.in_removal");
    if (changes_members(cmd)) {
        effects_tell(cmd->commands->herald, result, cmd->overtaken);
        command_mark_member(cmd, result);
    } else if (cmd->spec->effect == COMMAND_REVOKES)
        tell_ended_logins(cmd, result);
    else if (cmd->spec->effect == COMMAND_ENDS)
        tell_ended_user(cmd, result);
    else if (cmd->spec->effect == COMMAND_PROFILE)
        tell_profile(cmd, result, cmd->commands->herald, cmd->commands->config.presence);
    buf_char(&cmd->data, '{');
    cmd->spec->answer(cmd, result);
    buf_char(&cmd->data, '}');
    if (cmd->data.failed)
        command_fail(cmd, CODE_TOO_LARGE, "the answer is too long: ask with a lower \"limit\"");
}

static void on_barrier(void *owner, bool everywhere)
{
    struct command *cmd = owner;

    if (!everywhere) {
        cmd->code = CODE_OK; /* that it was done before is no answer, either */
        command_fail(cmd, CODE_UNAVAILABLE,
                     "done, but not every node has confirmed it: try again to be sure");
    }
    finish(cmd);
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct command *cmd = owner;
    struct commands *c = cmd->commands;

    if (c->closed) {
        free_command(cmd);
        return;
    }
    if (reply->status == DB_OK)
        succeed(cmd, reply->result);
    else if (reply->status == DB_ERROR)
        refuse(cmd, reply);
    else
        command_fail(cmd, CODE_UNAVAILABLE, "the database went away: look before you try again");
    if (changes_members(cmd) && outcome_is_unknown(reply))
        herald_unsure(c->herald);
    else if (cmd->spec->effect == COMMAND_PROFILE && outcome_is_unknown(reply))
        herald_profile(c->herald, cmd->uid); /* it may be another one now */
    cmd->state = COMMAND_BARRIER;
    if (changes_members(cmd))
        submit_waiting(c, &cmd->conversation);
    if (needs_barrier(cmd))
        herald_barrier(c->herald, on_barrier, cmd);
    else
        finish(cmd);
}

/* The conversation is known: asks, or waits for its turn, or ends. */
static void go_on(struct command *cmd)
{
    if (cmd->code != CODE_OK) {
        finish_later(cmd);
        return;
    }
    assert(cmd->statement && !cmd->found);
    if (changes_members(cmd) && earlier_change(cmd))
        cmd->state = COMMAND_WAITING;
    else
        submit(cmd);
}

static void on_found(void *owner, const struct db_reply *reply)
{
    struct command *cmd = owner;
    struct commands *c = cmd->commands;
    void (*found)(struct command * cmd, const PGresult *result) = cmd->found;

    if (c->closed) {
        free_command(cmd);
        return;
    }
    cmd->found = NULL;
    cmd->statement = NULL;
    if (reply->status == DB_OK)
        found(cmd, reply->result);
    else if (reply->status == DB_ERROR)
        refuse(cmd, reply);
    else
        command_fail(cmd, CODE_UNAVAILABLE, "the database went away: try again");
    /* Others that came later may be at work on the conversation by now. */
    TAILQ_REMOVE(&c->running, cmd, link);
    TAILQ_INSERT_TAIL(&c->running, cmd, link);
    if (cmd->state != COMMAND_HASHING)
        go_on(cmd);
}

void command_go_on(struct command *cmd)
{
    go_on(cmd);
}

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

static struct command *new_command(struct commands *c, const struct actor *actor,
                                   command_done_fn *done, void *owner)
{
    struct command *cmd = must_calloc(1, sizeof *cmd);

    cmd->commands = c;
    cmd->uid = actor->uid;
    copy_text(cmd->handle, sizeof cmd->handle, actor->handle);
    copy_text(cmd->device, sizeof cmd->device, actor->device);
    copy_text(cmd->login, sizeof cmd->login, actor->login);
    cmd->address_is_known = actor->address != NULL;
    if (actor->address)
        cmd->address = *actor->address;
    cmd->done = done;
    cmd->owner = owner;
    cmd->state = COMMAND_DUE;
    buf_init(&cmd->data, PACKET_MAX_BYTES);
    TAILQ_INSERT_TAIL(&c->running, cmd, link);
    c->running_count++;
    return cmd;
}

void command_run(struct commands *c, const struct actor *actor, const char *name,
                 const json_t *arguments, command_done_fn *done, void *owner)
{
    struct command *cmd = new_command(c, actor, done, owner);
    struct slice shown = utf8_prefix(slice_str(name), NAME_SHOWN_BYTES);

    cmd->spec = command_find(name);
    if (!cmd->spec)
        command_fail(cmd, CODE_INVALID, "unknown command \"%.*s\"", (int)shown.length, shown.data);
    else if (c->running_count > RUNNING_MAX)
        command_fail(cmd, CODE_UNAVAILABLE, "too many commands at once: try again");
    else
        cmd->spec->start(cmd, arguments);
    if (cmd->code == CODE_OK && cmd->found)
        submit_as(cmd, COMMAND_LOOKING, on_found);
    else
        go_on(cmd);
}

void commands_chore(struct commands *c, enum chore chore, const struct uuid *subject,
                    command_done_fn *done, void *owner)
{
    static const struct actor nobody = {.handle = {"", 0}};
    struct command *cmd = new_command(c, &nobody, done, owner);

    cmd->spec = command_of_chore(chore);
    cmd->conversation = *subject;
    cmd->spec->start(cmd, NULL);
    go_on(cmd);
}

void commands_execute(struct commands *c, const struct actor *actor, struct slice request,
                      commands_done_fn *done, void *owner)
{
    envelope_execute(c->envelopes, actor, request, done, owner);
}

struct commands *commands_create(struct event_base *base, struct db_pool *pool,
                                 struct herald *herald, struct revocations *revocations,
                                 struct accounts *accounts, const struct commands_config *config)
{
    struct commands *c = must_calloc(1, sizeof *c);

    assert(config->group_members_max >= 1 && config->group_members_max <= GROUP_MEMBERS_CEILING);
    *c = (struct commands){.pool = pool,
                           .herald = herald,
                           .revocations = revocations,
                           .accounts = accounts,
                           .config = *config};
    TAILQ_INIT(&c->running);
    c->later = later_create(base);
    if (!c->later) {
        free(c);
        return NULL;
    }
    c->envelopes = envelopes_create(c, c->later);
    return c;
}

void commands_destroy(struct commands *c)
{
    struct command *cmd, *next;

    if (!c)
        return;
    envelopes_destroy(c->envelopes);
    later_destroy(c->later);
    for (cmd = TAILQ_FIRST(&c->running); cmd; cmd = next) {
        next = TAILQ_NEXT(cmd, link);
        if (cmd->state == COMMAND_WAITING || cmd->state == COMMAND_HASHING ||
            cmd->state == COMMAND_DUE)
            free_command(cmd);
    }
    c->closed = true;
    if (c->running_count == 0)
        free(c);
}
