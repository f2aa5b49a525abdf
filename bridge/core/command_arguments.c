/* SPDX-License-Identifier: MIT */
/* command_arguments.c - reads a command's arguments strictly: what is there must be right; what no
 * command asks for is ignored. Everything here may go into a query or a topic afterwards. */
#include "core/command.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "wire/names.h"

bool argument_string(struct command *cmd, const json_t *arguments, const char *name,
                     struct slice *out)
{
    const json_t *value = json_object_get(arguments, name);

    if (!value) {
        command_fail(cmd, CODE_INVALID, "\"%s\" is missing", name);
        return false;
    }
    if (!json_is_string(value)) {
        command_fail(cmd, CODE_INVALID, "\"%s\" must be a string", name);
        return false;
    }
    *out = slice_of(json_string_value(value), json_string_length(value));
    return true;
}

bool argument_conversation(struct command *cmd, const json_t *arguments)
{
    struct slice text;

    if (!argument_string(cmd, arguments, "conversation", &text))
        return false;
    if (!uuid_parse(&cmd->conversation, text)) {
        command_fail(cmd, CODE_INVALID, "\"conversation\" is not the id of a conversation");
        return false;
    }
    return true;
}

bool argument_handle(struct command *cmd, const json_t *arguments, const char *name,
                     struct slice *out)
{
    if (!argument_string(cmd, arguments, name, out))
        return false;
    if (!handle_is_valid(*out)) {
        command_fail(cmd, CODE_INVALID, "\"%s\" is not a handle", name);
        return false;
    }
    return true;
}

bool argument_direct(struct command *cmd, const json_t *arguments, const char *name,
                     struct slice *out)
{
    static const struct uuid nil;

    if (!argument_handle(cmd, arguments, name, out))
        return false;
    cmd->conversation = direct_conversation_id(slice_str(cmd->handle), *out);
    if (uuid_equal(&cmd->conversation, &nil)) {
        command_fail(cmd, CODE_UNAVAILABLE, "out of memory: try again");
        return false;
    }
    return true;
}

bool argument_handles(struct command *cmd, const json_t *arguments, const char *name, bool optional,
                      struct db_params *params)
{
    const json_t *array = json_object_get(arguments, name);
    const json_t *value;
    size_t index;

    if (!array && !optional) {
        command_fail(cmd, CODE_INVALID, "\"%s\" is missing", name);
        return false;
    }
    if (array && (!json_is_array(array) || (json_array_size(array) == 0 && !optional))) {
        command_fail(cmd, CODE_INVALID, "\"%s\" must be an array of handles", name);
        return false;
    }
    if (json_array_size(array) > GROUP_MEMBERS_CEILING) {
        command_fail(cmd, CODE_LIMIT_REACHED, "a group has at most %u members",
                     command_group_members_max(cmd));
        return false;
    }
    db_array_begin(params, DB_TEXT_ARRAY);
    json_array_foreach((json_t *)array, index, value)
    {
        struct slice handle = slice_of(json_string_value(value), json_string_length(value));

        if (!json_is_string(value) || !handle_is_valid(handle)) {
            command_fail(cmd, CODE_INVALID, "\"%s\" must hold handles; number %zu is none", name,
                         index + 1);
            return false;
        }
        db_array_text(params, handle);
    }
    db_array_end(params);
    return true;
}

static bool holds_control_character(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

bool argument_title(struct command *cmd, const json_t *arguments, struct slice *out)
{
    size_t characters = 0;

    *out = slice_of(NULL, 0);
    if (!json_object_get(arguments, "title"))
        return true;
    if (!argument_string(cmd, arguments, "title", out))
        return false;
    if (!utf8_count(*out, &characters) || characters == 0 || holds_control_character(*out)) {
        command_fail(cmd, CODE_INVALID, "\"title\" must be a line of text");
        return false;
    }
    if (characters > TITLE_MAX_CHARACTERS) {
        command_fail(cmd, CODE_TOO_LARGE, "\"title\" has more than %d characters",
                     TITLE_MAX_CHARACTERS);
        return false;
    }
    return true;
}

bool argument_limit(struct command *cmd, const json_t *arguments)
{
    const json_t *value = json_object_get(arguments, "limit");
    json_int_t limit = value ? json_integer_value(value) : LIST_LIMIT_DEFAULT;

    if ((value && !json_is_integer(value)) || limit < 1 || limit > LIST_LIMIT_MAX) {
        command_fail(cmd, CODE_INVALID, "\"limit\" must be an integer from 1 to %d",
                     LIST_LIMIT_MAX);
        return false;
    }
    cmd->limit = (unsigned)limit;
    return true;
}

bool argument_query(struct command *cmd, const json_t *arguments, struct slice *out)
{
    size_t characters = 0;

    if (!argument_string(cmd, arguments, "query", out))
        return false;
    if (!utf8_count(*out, &characters) || characters == 0 || holds_control_character(*out)) {
        command_fail(cmd, CODE_INVALID, "\"query\" must be a line of text");
        return false;
    }
    if (characters > SEARCH_MAX_CHARACTERS) {
        command_fail(cmd, CODE_TOO_LARGE, "\"query\" has more than %d characters",
                     SEARCH_MAX_CHARACTERS);
        return false;
    }
    return true;
}

bool argument_time(struct command *cmd, const json_t *arguments, const char *name, bool *present,
                   int64_t *unix_ms)
{
    struct slice text;

    *present = json_object_get(arguments, name) != NULL;
    if (!*present)
        return true;
    if (!argument_string(cmd, arguments, name, &text))
        return false;
    if (!rfc3339_parse(text, unix_ms)) {
        command_fail(cmd, CODE_INVALID, "\"%s\" is not a time such as 2026-11-22T10:00:00Z", name);
        return false;
    }
    return true;
}

bool argument_bool(struct command *cmd, const json_t *arguments, const char *name, bool *out)
{
    const json_t *value = json_object_get(arguments, name);

    if (value && !json_is_boolean(value)) {
        command_fail(cmd, CODE_INVALID, "\"%s\" must be true or false", name);
        return false;
    }
    if (value)
        *out = json_is_true(value);
    return true;
}

bool argument_count(struct command *cmd, const json_t *arguments, const char *name, int64_t most,
                    int64_t *out)
{
    const json_t *value = json_object_get(arguments, name);

    if (!value || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > most) {
        command_fail(cmd, CODE_INVALID, "\"%s\" must be an integer from 1 to %lld", name,
                     (long long)most);
        return false;
    }
    *out = json_integer_value(value);
    return true;
}

bool argument_name(struct command *cmd, const json_t *arguments, struct slice *out)
{
    if (!argument_string(cmd, arguments, "name", out))
        return false;
    if (!handle_is_valid(*out)) {
        command_fail(cmd, CODE_INVALID, "\"name\" is not the name of a channel");
        return false;
    }
    return true;
}

bool argument_one_of(struct command *cmd, const json_t *arguments, const char *const names[],
                     size_t count, const char *reason)
{
    size_t present = 0;

    for (size_t i = 0; i < count; i++)
        present += json_object_get(arguments, names[i]) != NULL;
    if (present != 1)
        command_fail(cmd, CODE_INVALID, "%s", reason);
    return present == 1;
}
