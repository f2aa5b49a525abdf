/* SPDX-License-Identifier: MIT */
/* operator.c - admin's commands for users whom a server has made administrators: they go over HTTP
 * with the profile's login, and the server decides whether they may. */
#include "cli.h"

#include <string.h>
#include <unistd.h>

static void show_members(const struct cli *c, const char *const *columns)
{
    if (c->json)
        show_json(c->answer);
    else if (columns)
        show_columns(c->answer, columns);
}

static void show_made(const struct cli *c)
{
    static const char *const columns[] = {"user", "password", NULL};

    show_members(c, columns);
}

static void show_revoked(const struct cli *c)
{
    static const char *const columns[] = {"revoked", NULL};

    show_members(c, columns);
}

static void show_nothing(const struct cli *c)
{
    show_members(c, NULL);
}

static void show_erasure(const struct cli *c)
{
    static const char *const columns[] = {"erasure", NULL};

    show_members(c, columns);
}

static void show_path(const struct cli *c)
{
    static const char *const columns[] = {"export", NULL};

    show_members(c, columns);
}

/* A line for each login, then one for each device that is connected. */
static void show_sessions(const struct cli *c)
{
    static const char *const columns[] = {"login", "device", "created_at", "last_used_at", NULL};
    const json_t *item;
    size_t i;

    if (c->json) {
        show_json(c->answer);
        return;
    }
    json_array_foreach(json_object_get(c->answer, "logins"), i, item)
    {
        show_columns(item, columns);
    }
    json_array_foreach(json_object_get(c->answer, "connected"), i, item)
    {
        fputs("connected\t", stdout);
        show_line(item);
    }
}

/* The handle once more, as there is no way back. */
static int confirm(const struct arguments *a)
{
    const char *handle = handle_of(a->operands[1]);
    char line[NAME_SIZE];

    if (strcmp(a->operands[0], "erase") != 0 || argument_given(a, "yes"))
        return EXIT_OK;
    if (!isatty(STDIN_FILENO))
        return fail("erase wants --yes, or somebody who answers");
    fputs("This cannot be undone. The handle once more: ", stderr);
    if (!fgets(line, sizeof line, stdin))
        return fail("nothing was erased");
    line[strcspn(line, "\n")] = '\0';
    return strcmp(handle_of(line), handle) == 0 ? EXIT_OK : fail("nothing was erased");
}

static const struct action {
    const char *name, *command;
    void (*show)(const struct cli *c);
} actions[] = {
    {"create", "createUser", show_made},         {"disable", "disableUser", show_revoked},
    {"enable", "enableUser", show_nothing},      {"erase", "eraseUser", show_erasure},
    {"export", "exportUser", show_path},         {"kick", "kickUser", show_nothing},
    {"sessions", "listSessions", show_sessions},
};

/* `choices` has let no other word through. */
static const struct action *action_of(const struct arguments *a)
{
    size_t i = 0;

    while (strcmp(actions[i].name, a->operands[0]) != 0)
        i++;
    return &actions[i];
}

static int act_on_user(struct cli *c, const struct arguments *a)
{
    const struct action *action = action_of(a);
    bool is_new = strcmp(action->name, "create") == 0, is_kick = strcmp(action->name, "kick") == 0;
    char password[PASSWORD_SIZE] = "";
    int status = confirm(a);

    if (!status && is_new && argument_given(a, "password") && !read_password(password))
        status = fail("there is no password");
    if (!status)
        status = ask_command(c, json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "command",
                                          action->command, "user", handle_of(a->operands[1]),
                                          "password", password[0] ? password : NULL, "name",
                                          is_new ? argument_text(a, "name") : NULL, "device",
                                          is_kick ? argument_text(a, "device") : NULL));
    explicit_bzero(password, sizeof password);
    if (!status)
        action->show(c);
    return status;
}

static const struct option_row user_options[] = {
    {"device", "DEVICE", "kick: this one only", OPTION_TEXT, 0, 0},
    {"name", "NAME", "create: what the user is called", OPTION_TEXT, 0, 0},
    {"password", NULL, "create: ask for the password; else the server draws one, and it is printed",
     OPTION_FLAG, 0, 0},
    {"yes", NULL, "erase: do not ask", OPTION_FLAG, 0, 0},
    {0},
};

const struct command command_user = {
    .name = "user",
    .operands = "ACTION HANDLE",
    .summary = "create, disable, enable, kick, erase a user, list sessions, say where an export is",
    .about = "For administrators. disable ends all logins of the user, until enable; kick ends "
             "connections, and logins stay good; erase cannot be undone. An export is fetched with "
             "account export --of. " PASSWORD_ABOUT,
    .choices = "create disable enable erase export kick sessions",
    .run = act_on_user,
    .flags = NEEDS_LOGIN,
    .least = 2,
    .most = 2,
    .options = user_options,
};

static int stats(struct cli *c, const struct arguments *a)
{
    int status = ask_command(c, json_pack("{s:s}", "command", "getStats"));
    const char *name;
    const json_t *value;

    (void)a;
    if (status)
        return status;
    if (c->json) {
        show_json(c->answer);
        return EXIT_OK;
    }
    json_object_foreach(c->answer, name, value)
    {
        printf("%s\t", name);
        show_line(value);
    }
    return EXIT_OK;
}

const struct command command_stats = {
    .name = "stats",
    .summary = "numbers of users, conversations, messages, devices; for administrators",
    .run = stats,
    .flags = NEEDS_LOGIN,
};
