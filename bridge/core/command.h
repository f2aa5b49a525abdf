/* SPDX-License-Identifier: MIT */
/* command.h - what the command engine (commands.c), the table and the handlers share.
 *
 * A handler is a pair of functions: `start` judges the arguments and prepares one statement;
 * `answer` writes the data of the answer from its result. Both run to their end at once; all
 * waiting is the engine's. */
#ifndef BANTER_BRIDGE_COMMAND_H
#define BANTER_BRIDGE_COMMAND_H

#include "base/address.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "core/commands.h"
#include "core/later.h"
#include "db/db.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum { COMMAND_REASON_MAX = 256, COMMAND_KEPT_BYTES = 32 };

struct audit;
struct command;
struct herald;
struct presence;

enum command_effect {
    COMMAND_READS,   /* nothing changes that the plugin has to hear of */
    COMMAND_CHANGES, /* the result is rows of banter.effect; one at a time per conversation */
    COMMAND_REMOVES, /* the same, and answered only once the plugin has applied it */
    COMMAND_PROFILE, /* the result is the actor's profile; those who see it hear what is new */
    COMMAND_REVOKES, /* the result is logins that have ended; answered likewise */
    COMMAND_ENDS,    /* connections of another user, whom each row names; answered likewise */
};

struct command_spec {
    const char *name;
    /* Ends with command_ask(), command_look_up() or command_fail(). `arguments` is NULL or an
     * object. */
    void (*start)(struct command *cmd, const json_t *arguments);
    /* Writes the members of `data` into cmd->data, each with a comma before it where needed; may
     * call command_fail(). */
    void (*answer)(struct command *cmd, const PGresult *result);
    enum command_effect effect;
};

/* The first columns of what a COMMAND_ENDS gives: whose connections end, and a login that ends with
 * them, or NULL. */
enum ends_column { ENDS_COLUMN_USER_ID, ENDS_COLUMN_LOGIN, ENDS_COLUMN_ENDED_AT };

/* What the audit log says of a command besides who and when. */
struct audit_mark {
    uint64_t user;    /* on whom; 0: nobody, or it was refused before that was known */
    const char *role; /* that the user has now, static; NULL: that is not what it was about */
};

/* The table entry of this name, or NULL. */
const struct command_spec *command_find(const char *name);
/* Whether what comes of it goes into the audit log. */
bool command_is_audited(const struct command_spec *spec);
/* Not in the table, as nobody may ask for it. */
const struct command_spec *command_of_chore(enum chore chore);

enum command_state {
    COMMAND_LOOKING, /* PostgreSQL is asked which conversation is meant */
    COMMAND_WAITING, /* for another change of the same conversation */
    COMMAND_HASHING, /* a password, see command_go_on() */
    COMMAND_ASKING,  /* PostgreSQL has it */
    COMMAND_BARRIER, /* the plugin is asked to echo */
    COMMAND_DUE,     /* done; the callback comes with the next turn of the loop */
};

struct command {
    TAILQ_ENTRY(command) link; /* in commands->running, in order of arrival */
    struct commands *commands;
    const struct command_spec *spec; /* NULL: unknown command */
    enum command_state state;
    bool overtaken; /* by what other nodes have done: see commands_overtake() */

    uint64_t uid; /* the actor */
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1]; /* empty over HTTP */
    char login[UUID_TEXT_LENGTH + 1];   /* empty over MQTT */
    bool address_is_known;
    struct address address;
    struct audit_mark mark;           /* what an audited one has done */
    struct uuid conversation;         /* the one it is about; for changes, set by start() */
    unsigned limit;                   /* lists */
    bool searches;                    /* asks where long queries hold up nobody else */
    uint8_t kept[COMMAND_KEPT_BYTES]; /* the handler's own: from one of its functions to the next */
    size_t kept_length;
    json_t *arguments;  /* NULL, or kept by the handler, which freeing the command gives up */
    const char *ending; /* COMMAND_ENDS: what the connections are told, static; kept: the device */

    /* After a look-up; NULL: none is under way. Ends with command_ask() or command_fail(). */
    void (*found)(struct command *cmd, const PGresult *result);
    const struct db_statement *statement;
    struct db_params *params; /* until they are handed to the database */

    enum code code;
    char reason[COMMAND_REASON_MAX];
    struct buf data; /* {…} */

    command_done_fn *done;
    void *owner;
    struct later_item later;
};

/* Chooses what to ask; takes `params`. */
void command_ask(struct command *cmd, const struct db_statement *statement,
                 struct db_params *params);
/* Asks first what `start` must know to set the conversation, of which changes take turns. What it
 * will need besides is kept in cmd->kept. Takes `params`. */
void command_look_up(struct command *cmd, const struct db_statement *statement,
                     struct db_params *params,
                     void (*found)(struct command *cmd, const PGresult *result));
/* What `found` has begun by setting COMMAND_HASHING is done: command_ask() or command_fail() has
 * been called. */
void command_go_on(struct command *cmd);
/* Ends the command with an error. The first call decides. */
void command_fail(struct command *cmd, enum code code, const char *format, ...) PRINTF_LIKE(3, 4);
unsigned command_group_members_max(const struct command *cmd);
/* NULL: there is no push. */
const struct push_senders *command_push_senders(const struct command *cmd);
struct accounts *command_accounts(const struct command *cmd);
const struct presence *command_presence(const struct command *cmd);
struct command_gauges command_gauges(const struct command *cmd);
/* NULL: there is no audit log. */
struct audit *command_audit(const struct command *cmd);
/* What the search found may not be all that there is. */
void command_index_is_behind(const struct command *cmd);
/* Not found, in the words used for what does not exist and for what the actor may not see. */
void command_fail_no_conversation(struct command *cmd);

/* The same of an invite. */
void command_fail_no_invite(struct command *cmd);
/* Looks up the argument "invite": the result's first column is the conversation, and the hash of
 * the token is kept. */
void command_look_up_invite(struct command *cmd, const json_t *arguments,
                            void (*found)(struct command *cmd, const PGresult *result));

/* The audit log (command_audit.c). Writes that the actor did this to a user, by way of a
 * conversation or a login (`object`, nil: neither). `action` is static. */
void command_note(const struct command *cmd, const char *action, uint64_t user,
                  const struct uuid *object, const char *detail);
/* The command has ended: writes what came of it, if it is one that is audited. */
void command_note_outcome(const struct command *cmd);
/* Remembers for that whose membership a COMMAND_CHANGES or COMMAND_REMOVES was about: the first one
 * that is not the actor's own. */
void command_mark_member(struct command *cmd, const PGresult *result);

/* Arguments. Each false return has failed the command with a reason that names the argument. */
bool argument_conversation(struct command *cmd, const json_t *arguments) MUST_USE;
bool argument_handle(struct command *cmd, const json_t *arguments, const char *name,
                     struct slice *out) MUST_USE;
/* The same, and the command is about the actor's direct conversation with that user. */
bool argument_direct(struct command *cmd, const json_t *arguments, const char *name,
                     struct slice *out) MUST_USE;
/* The handles of the array, as one SQL array appended to `params`. Absent: empty, if `optional`. */
bool argument_handles(struct command *cmd, const json_t *arguments, const char *name, bool optional,
                      struct db_params *params) MUST_USE;
/* Absent: *out has NULL data. */
bool argument_title(struct command *cmd, const json_t *arguments, struct slice *out) MUST_USE;
/* What is searched for: a line of at most SEARCH_MAX_CHARACTERS. */
bool argument_query(struct command *cmd, const json_t *arguments, struct slice *out) MUST_USE;
/* Absent: *present is false. */
bool argument_time(struct command *cmd, const json_t *arguments, const char *name, bool *present,
                   int64_t *unix_ms) MUST_USE;
/* 1..LIST_LIMIT_MAX into cmd->limit. */
bool argument_limit(struct command *cmd, const json_t *arguments) MUST_USE;
/* Absent: *out stays as it is. */
bool argument_bool(struct command *cmd, const json_t *arguments, const char *name,
                   bool *out) MUST_USE;
/* From 1 to `most`. Absent or null: *out stays as it is. */
bool argument_count(struct command *cmd, const json_t *arguments, const char *name, int64_t most,
                    int64_t *out) MUST_USE;
/* Any string. */
bool argument_string(struct command *cmd, const json_t *arguments, const char *name,
                     struct slice *out) MUST_USE;
/* True when exactly one of the names is there; else `reason`, which tells of them. */
bool argument_one_of(struct command *cmd, const json_t *arguments, const char *const names[],
                     size_t count, const char *reason) MUST_USE;
/* A channel's name, which looks like a handle. */
bool argument_name(struct command *cmd, const json_t *arguments, struct slice *out) MUST_USE;

/* Handlers, by family. */
void start_create_direct(struct command *cmd, const json_t *arguments); /* command_direct.c */
void start_add_members(struct command *cmd, const json_t *arguments);   /* command_group.c */
void start_create_group(struct command *cmd, const json_t *arguments);
void start_leave(struct command *cmd, const json_t *arguments);
void start_remove_member(struct command *cmd, const json_t *arguments);
void start_set_role(struct command *cmd, const json_t *arguments);
void answer_add_members(struct command *cmd, const PGresult *result);
void start_list_devices(struct command *cmd, const json_t *arguments); /* command_device.c */
void start_revoke_device(struct command *cmd, const json_t *arguments);
void answer_list_devices(struct command *cmd, const PGresult *result);
void answer_revoke_device(struct command *cmd, const PGresult *result);
void start_get_conversation(struct command *cmd, const json_t *arguments); /* command_list.c */
void start_list_conversations(struct command *cmd, const json_t *arguments);
void start_list_members(struct command *cmd, const json_t *arguments);
void answer_get_conversation(struct command *cmd, const PGresult *result);
void answer_list_conversations(struct command *cmd, const PGresult *result);
void answer_list_members(struct command *cmd, const PGresult *result);
void start_create_user(struct command *cmd, const json_t *arguments); /* command_operator.c */
void start_disable_user(struct command *cmd, const json_t *arguments);
void start_enable_user(struct command *cmd, const json_t *arguments);
void start_erase_user(struct command *cmd, const json_t *arguments);
void start_export_user(struct command *cmd, const json_t *arguments);
void start_get_stats(struct command *cmd, const json_t *arguments);
void start_kick_user(struct command *cmd, const json_t *arguments);
void start_list_sessions(struct command *cmd, const json_t *arguments);
void answer_create_user(struct command *cmd, const PGresult *result);
void answer_disable_user(struct command *cmd, const PGresult *result);
void answer_enable_user(struct command *cmd, const PGresult *result);
void answer_erase_user(struct command *cmd, const PGresult *result);
void answer_export_user(struct command *cmd, const PGresult *result);
void answer_get_stats(struct command *cmd, const PGresult *result);
void answer_list_sessions(struct command *cmd, const PGresult *result);
void start_list_push(struct command *cmd, const json_t *arguments); /* command_push.c */
void start_register_push(struct command *cmd, const json_t *arguments);
void start_unregister_push(struct command *cmd, const json_t *arguments);
void answer_list_push(struct command *cmd, const PGresult *result);
void answer_register_push(struct command *cmd, const PGresult *result);
void answer_unregister_push(struct command *cmd, const PGresult *result);
void start_get_profile(struct command *cmd, const json_t *arguments); /* command_profile.c */
void start_modify_profile(struct command *cmd, const json_t *arguments);
void answer_profile(struct command *cmd, const PGresult *result);
/* A COMMAND_PROFILE has succeeded. `presence` may be NULL. */
void tell_profile(const struct command *cmd, const PGresult *result, struct herald *herald,
                  struct presence *presence);
void start_search_messages(struct command *cmd, const json_t *arguments); /* command_search.c */
void start_search_users(struct command *cmd, const json_t *arguments);
void answer_search_messages(struct command *cmd, const PGresult *result);
void answer_search_users(struct command *cmd, const PGresult *result);
void start_create_channel(struct command *cmd, const json_t *arguments); /* command_channel.c */
void start_delete_conversation(struct command *cmd, const json_t *arguments);
void start_modify_conversation(struct command *cmd, const json_t *arguments);
void start_create_invite(struct command *cmd, const json_t *arguments); /* command_invite.c */
void start_list_invites(struct command *cmd, const json_t *arguments);
void start_revoke_invite(struct command *cmd, const json_t *arguments);
void answer_create_invite(struct command *cmd, const PGresult *result);
void answer_list_invites(struct command *cmd, const PGresult *result);
void answer_revoke_invite(struct command *cmd, const PGresult *result);
void start_join(struct command *cmd, const json_t *arguments); /* command_join.c */
void answer_join(struct command *cmd, const PGresult *result);
void start_block(struct command *cmd, const json_t *arguments); /* command_own.c */
void start_list_blocks(struct command *cmd, const json_t *arguments);
void start_mute(struct command *cmd, const json_t *arguments);
void start_unblock(struct command *cmd, const json_t *arguments);
void answer_list_blocks(struct command *cmd, const PGresult *result);
void answer_mute(struct command *cmd, const PGresult *result);
/* `"name":[`, of which the caller writes as many items as it returns; the rest of the page ends
 * with page_end(). `rows` may be one more than cmd->limit. */
int page_begin(struct command *cmd, const char *name, int rows); /* command_list.c */
void page_end(struct command *cmd, int rows);
/* `,"name":"2026-11-22T10:00:00.123Z"` */
void command_put_time(struct buf *b, const char *name, int64_t unix_ms);
/* {}: for any command. */
void answer_nothing(struct command *cmd, const PGresult *result);
/* {"conversation":"…"} and nothing else: for any command. */
void answer_conversation(struct command *cmd, const PGresult *result);

#endif
