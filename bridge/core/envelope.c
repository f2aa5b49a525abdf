/* SPDX-License-Identifier: MIT */
/* envelope.c - see envelope.h. A response that would make the whole answer too long becomes an
 * error, so that one long list cannot take the other answers with it. */
#include "core/envelope.h"

#include "base/address.h"
#include "base/buf.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "core/later.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNNING_MAX = 64,                /* each holds a parsed request */
    NAME_MAX_BYTES = 64,             /* of a command's name, echoed */
    DATA_MAX = PACKET_MAX_BYTES,     /* all data of one answer */
    WRAPPING_MAX_PER_COMMAND = 4096, /* name, correlationData and error, with escapes */
};

struct envelope {
    TAILQ_ENTRY(envelope) link;
    struct envelopes *envelopes;
    uint64_t uid;
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1];
    char login[UUID_TEXT_LENGTH + 1];
    bool address_is_known;
    struct address address;
    json_t *root;           /* NULL: not an envelope */
    const json_t *commands; /* borrowed from root */
    size_t next;            /* index of the command to run next */
    struct buf answer;
    commands_done_fn *done;
    void *owner;
    struct later_item later;
};

TAILQ_HEAD(envelope_list, envelope);

struct envelopes {
    struct commands *commands;
    struct later *later;
    struct envelope_list running;
    unsigned running_count;
};

static void free_envelope(struct envelope *e)
{
    TAILQ_REMOVE(&e->envelopes->running, e, link);
    e->envelopes->running_count--;
    json_decref(e->root);
    buf_finish(&e->answer);
    free(e);
}

/* `command` is NULL or not an object when there is nothing to echo. */
static void begin_response(struct envelope *e, const json_t *command)
{
    struct slice name = utf8_prefix(json_member_string(command, "command"), NAME_MAX_BYTES);
    struct slice correlation = json_member_string(command, "correlationData");
    struct buf *b = &e->answer;

    if (b->data[b->length - 1] != '[')
        buf_char(b, ',');
    buf_char(b, '{');
    buf_json_key(b, "command");
    buf_json(b, name);
    if (correlation.data && correlation.length <= CORRELATION_MAX_LENGTH) {
        buf_json_key(b, "correlationData");
        buf_json(b, correlation);
    }
}

static void put_error(struct envelope *e, const json_t *command, enum code code, const char *reason)
{
    struct buf *b = &e->answer;

    begin_response(e, command);
    buf_json_key(b, "error");
    buf_char(b, '{');
    buf_json_key(b, "code");
    buf_json(b, slice_str(code_name(code)));
    buf_json_key(b, "reason");
    buf_json(b, slice_str(reason));
    buf_str(b, "}}");
}

static void put_data(struct envelope *e, const json_t *command, struct slice data)
{
    if (e->answer.length + data.length > DATA_MAX) {
        put_error(e, command, CODE_TOO_LARGE,
                  "the answers to these commands are too long for one response");
        return;
    }
    begin_response(e, command);
    buf_json_key(&e->answer, "data");
    buf_slice_put(&e->answer, data);
    buf_char(&e->answer, '}');
}

static void finish(void *owner)
{
    struct envelope *e = owner;

    buf_str(&e->answer, "]}");
    assert(!e->answer.failed);
    e->done(e->owner, buf_slice(&e->answer));
    free_envelope(e);
}

/* What is wrong with an element of "commands" before its command is even looked at, or NULL. */
static const char *element_fault(const json_t *command)
{
    const json_t *correlation = json_object_get(command, "correlationData");

    _Static_assert(CORRELATION_MAX_LENGTH == 128, "the reason says so");
    if (!json_is_object(command))
        return "a command must be a JSON object";
    if (!json_is_string(json_object_get(command, "command")))
        return "\"command\" must name the command";
    if (correlation &&
        (!json_is_string(correlation) || json_string_length(correlation) > CORRELATION_MAX_LENGTH))
        return "\"correlationData\" must be a string of at most 128 bytes";
    return NULL;
}

static void on_command_done(void *owner, enum code code, const char *reason, struct slice data);

/* Runs the next command that can be run; answers those before it that cannot. */
static void run_next(struct envelope *e)
{
    while (e->next < json_array_size(e->commands)) {
        const json_t *command = json_array_get(e->commands, e->next);
        const char *fault = element_fault(command);
        struct actor actor = {.uid = e->uid,
                              .handle = slice_str(e->handle),
                              .device = slice_str(e->device),
                              .login = slice_str(e->login),
                              .address = e->address_is_known ? &e->address : NULL};

        if (!fault) {
            command_run(e->envelopes->commands, &actor,
                        json_string_value(json_object_get(command, "command")), command,
                        on_command_done, e);
            return;
        }
        put_error(e, command, CODE_INVALID, fault);
        e->next++;
    }
    finish(e);
}

static void on_command_done(void *owner, enum code code, const char *reason, struct slice data)
{
    struct envelope *e = owner;
    const json_t *command = json_array_get(e->commands, e->next);

    if (code == CODE_OK)
        put_data(e, command, data);
    else
        put_error(e, command, code, reason);
    e->next++;
    run_next(e);
}

static void begin(void *owner)
{
    run_next(owner);
}

/* Fills e->commands, or writes the one response that says why not. */
static void read_request(struct envelope *e, struct slice request)
{
    const char *reason;
    size_t count;

    _Static_assert(COMMANDS_MAX_COUNT == 100, "the reason says so");
    if (e->envelopes->running_count > RUNNING_MAX) {
        put_error(e, NULL, CODE_UNAVAILABLE, "too many requests at once: try again");
        return;
    }
    e->root = json_read_object(request, &reason);
    if (!e->root) {
        put_error(e, NULL, CODE_INVALID, reason);
        return;
    }
    count = json_array_size(json_object_get(e->root, "commands"));
    if (count == 0)
        put_error(e, NULL, CODE_INVALID, "\"commands\" must be an array of at least one command");
    else if (count > COMMANDS_MAX_COUNT)
        put_error(e, NULL, CODE_INVALID, "\"commands\" has more than 100 commands");
    else
        e->commands = json_object_get(e->root, "commands");
}

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

void envelope_execute(struct envelopes *envelopes, const struct actor *actor, struct slice request,
                      commands_done_fn *done, void *owner)
{
    struct envelope *e = must_calloc(1, sizeof *e);

    e->envelopes = envelopes;
    e->uid = actor->uid;
    copy_text(e->handle, sizeof e->handle, actor->handle);
    copy_text(e->device, sizeof e->device, actor->device);
    copy_text(e->login, sizeof e->login, actor->login);
    e->address_is_known = actor->address != NULL;
    if (actor->address)
        e->address = *actor->address;
    e->done = done;
    e->owner = owner;
    TAILQ_INSERT_TAIL(&envelopes->running, e, link);
    envelopes->running_count++;
    buf_init(&e->answer, DATA_MAX + COMMANDS_MAX_COUNT * WRAPPING_MAX_PER_COMMAND);
    buf_str(&e->answer, "{\"responses\":[");
    read_request(e, request);
    later_call(envelopes->later, &e->later, begin, e);
}

struct envelopes *envelopes_create(struct commands *commands, struct later *later)
{
    struct envelopes *envelopes = must_calloc(1, sizeof *envelopes);

    envelopes->commands = commands;
    envelopes->later = later;
    TAILQ_INIT(&envelopes->running);
    return envelopes;
}

void envelopes_destroy(struct envelopes *envelopes)
{
    struct envelope *e;

    if (!envelopes)
        return;
    while ((e = TAILQ_FIRST(&envelopes->running)) != NULL)
        free_envelope(e);
    free(envelopes);
}
