/* SPDX-License-Identifier: MIT */
/* account.c - what a server holds about a user, and the end of it. Both take the password, and a
 * login of their own, which has no device and ends with them: no profile need be there, and one
 * that is in use is not in the way. */
#include "account_copy.h"
#include "cli.h"
#include "fetch.h"
#include "member.h"

#include <stdlib.h>
#include <string.h>

enum {
    HTTP_OK = 200,
    HTTP_ACCEPTED = 202,
    HTTP_NO_CONTENT = 204,
    HTTP_UNAUTHORIZED = 401,
    HTTP_TOO_MANY = 429
};

#define HANDLE_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

struct account {
    struct cli *cli;
    const char *handle;
    const char *of; /* whose export it is, or NULL: one's own */
    char password[PASSWORD_SIZE];
    json_t *login; /* the tokens */
};

/* What a refusal comes to, after a message. */
static int refused(const struct fetched *f)
{
    json_t *problem = json_loadb(f->body, f->length, 0, NULL);
    const char *detail = member_text(problem, "detail");

    (void)fail("the server answers %ld%s%s", f->code, detail[0] ? ": " : "", detail);
    json_decref(problem);
    if (f->code == HTTP_UNAUTHORIZED)
        return EXIT_LOGIN;
    return f->code >= 500 || f->code == HTTP_TOO_MANY ? EXIT_LATER : EXIT_REFUSED;
}

/* Posts the object, whose reference it takes, and gives the answer in `out`. */
static int post(const struct cli *c, const char *path, const char *token, json_t *object, long good,
                json_t **out)
{
    char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    const struct fetch_call call = {.path = path, .token = token, .json = json};
    struct fetched f = {0};
    int status = json ? fetch_call(c, &call, &f) : fail_by(BANTER_INVALID, NULL);

    if (json)
        explicit_bzero(json, strlen(json));
    free(json);
    json_decref(object);
    if (status)
        return status;
    *out = NULL;
    if (f.code != good)
        status = refused(&f);
    else if (f.length > 0 && !(*out = json_loadb(f.body, f.length, 0, NULL)))
        status = fail("the server's answer is no JSON");
    free(f.body);
    return status;
}

static int log_in(struct account *a)
{
    json_decref(a->login);
    a->login = NULL;
    return post(a->cli, "/v1/login", NULL,
                json_pack("{s:s, s:s}", "handle", a->handle, "password", a->password), HTTP_OK,
                &a->login);
}

/* Nothing depends on it: the login ends by itself, later. */
static void log_out(struct account *a)
{
    json_t *answer = NULL;

    if (a->login)
        (void)post(a->cli, "/v1/logout", NULL,
                   json_pack("{s:s}", "refresh_token", member_text(a->login, "refresh_token")),
                   HTTP_NO_CONTENT, &answer);
    json_decref(answer);
}

static int enter(struct account *a, struct cli *c, const char *handle)
{
    int status = profile_load(c);

    *a = (struct account){.cli = c, .handle = handle_of(handle)};
    if (!status && c->server[0] == '\0')
        status = fail("which server? Say --server URL, or set BANTER_SERVER");
    if (!status && !read_password(a->password))
        status = fail("there is no password");
    return status ? status : log_in(a);
}

static void leave(struct account *a)
{
    json_decref(a->login);
    explicit_bzero(a->password, sizeof a->password);
}

/* One request for what comes behind the copy's cursor. */
static int copy_on(struct account *a, struct account_copy *copy)
{
    char path[sizeof "/v1/users//export?after=" + NAME_SIZE + CURSOR_SIZE];
    const struct fetch_call call = {
        .path = path,
        .token = member_text(a->login, "access_token"),
        .take = account_copy_take,
        .owner = copy,
    };
    struct fetched f;
    int status;

    (void)snprintf(path, sizeof path, "/v1/%s%s/export%s%s", a->of ? "users/" : "me",
                   a->of ? a->of : "", copy->cursor[0] ? "?after=" : "", copy->cursor);
    account_copy_drop_part(copy);
    status = fetch_call(a->cli, &call, &f);
    if (copy->status || status)
        return copy->status ? copy->status : status;
    if (f.code != HTTP_OK)
        status = refused(&f);
    free(f.body);
    return status;
}

/* A server ends long streams; the next one may want another token. */
static int copy_all(struct account *a, struct account_copy *copy)
{
    char before[CURSOR_SIZE];
    int status;

    do {
        memcpy(before, copy->cursor, sizeof before);
        status = copy_on(a, copy);
        if (!status && !copy->has_ended && strcmp(before, copy->cursor) == 0)
            status = fail("the server has ended the export before its end");
        if (!status && !copy->has_ended) {
            log_out(a);
            status = log_in(a);
        }
    } while (!status && !copy->has_ended);
    return status;
}

static int export(struct cli *c, const struct arguments *arguments)
{
    const char *after = argument_text(arguments, "after"), *of = argument_text(arguments, "of");
    struct account account;
    struct account_copy copy;
    int status, closed;

    if (after && (strlen(after) >= CURSOR_SIZE ||
                  after[strspn(after, "abcdefghijklmnopqrstuvwxyz0123456789:-")] != '\0'))
        return fail("there is no such place in an export");
    of = of ? handle_of(of) : NULL;
    if (of && (strlen(of) >= NAME_SIZE || of[strspn(of, HANDLE_CHARACTERS)] != '\0'))
        return fail("%s is not a handle", of);
    status = enter(&account, c, arguments->operands[0]);
    account.of = of;
    if (!status)
        status = account_copy_open(&copy, argument_text(arguments, "output"), after);
    if (status) {
        log_out(&account);
        leave(&account);
        return status;
    }
    status = copy_all(&account, &copy);
    log_out(&account);
    leave(&account);
    closed = account_copy_close(&copy);
    if (status && !closed && copy.cursor[0])
        (void)fail("this is not all of it; what is missing comes with --after '%s'", copy.cursor);
    return status ? status : closed;
}

static void show_receipt(const struct cli *c, const json_t *answer)
{
    if (c->json)
        show_json(answer);
    else
        show_line(json_object_get(answer, "erasure"));
}

static int erase(struct cli *c, const struct arguments *arguments)
{
    struct account account;
    int status = enter(&account, c, arguments->operands[0]);

    if (!status)
        status = post(c, "/v1/me/erasure", member_text(account.login, "access_token"),
                      json_pack("{s:s}", "password", account.password), HTTP_ACCEPTED, &c->answer);
    if (!status)
        show_receipt(c, c->answer);
    else
        log_out(&account);
    leave(&account);
    return status;
}

static const struct option_row export_options[] = {
    {"output", "FILE", "a new file, which nobody else may read, instead of the standard output",
     OPTION_FILE, 0, 0},
    {"of", "HANDLE", "of this user, for administrators", OPTION_TEXT, 0, 0},
    {"after", "CURSOR", "leave out what came up to the line with this cursor", OPTION_TEXT, 0, 0},
    {0},
};

static const struct command part_export = {
    .name = "export",
    .operands = "HANDLE",
    .summary = "everything that the server holds about you, one JSON object a line",
    .about = "The last line is of the type end, or something is missing. " PASSWORD_ABOUT,
    .run = export,
    .least = 1,
    .most = 1,
    .options = export_options,
};

static const struct command part_erase = {
    .name = "erase",
    .operands = "HANDLE",
    .summary = "erase yourself at the server, for good",
    .about = "It cannot be undone, and nobody gets the handle again. Everything that you wrote is "
             "erased, too, and the entries are an anonymous author's. Prints the id by which the "
             "server says how far it is, at /v1/erasures/ID. What profiles on this machine keep "
             "goes with logout. " PASSWORD_ABOUT,
    .run = erase,
    .least = 1,
    .most = 1,
};

static const struct command *const parts[] = {&part_erase, &part_export, NULL};

const struct command command_account = {
    .name = "account",
    .operands = "COMMAND HANDLE",
    .summary = "everything that a server holds about you, and its end",
    .parts = parts,
};
