/* SPDX-License-Identifier: MIT */
/* login.c - who one is: signup, login, logout, whoami. */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void end_reading(int signal)
{
    (void)signal; /* that it came makes read(2), and so fgets(), give up */
}

/* With the terminal not showing it, and as it was before in the end, also after Ctrl-C. */
static bool read_unseen(char password[PASSWORD_SIZE], const struct termios *before)
{
    const struct sigaction ending = {.sa_handler = end_reading}; /* no SA_RESTART */
    struct termios silent = *before;
    struct sigaction usual;
    bool ok;

    silent.c_lflag &= ~(tcflag_t)ECHO;
    fputs("Password: ", stderr);
    (void)sigaction(SIGINT, &ending, &usual);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    ok = fgets(password, PASSWORD_SIZE, stdin) != NULL;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
    (void)sigaction(SIGINT, &usual, NULL);
    fputc('\n', stderr);
    return ok;
}

bool read_password(char password[PASSWORD_SIZE])
{
    const char *given = getenv("BANTER_PASSWORD");
    struct termios terminal;
    bool ok;

    if (given)
        return snprintf(password, PASSWORD_SIZE, "%s", given) < PASSWORD_SIZE;
    if (tcgetattr(STDIN_FILENO, &terminal) == 0)
        ok = read_unseen(password, &terminal);
    else
        ok = fgets(password, PASSWORD_SIZE, stdin) != NULL;
    if (ok)
        password[strcspn(password, "\n")] = '\0';
    return ok;
}

static int enter(struct cli *c, const struct arguments *a, bool is_new)
{
    const char *handle = handle_of(a->operands[0]);
    char password[PASSWORD_SIZE];
    int status, error;

    status = profile_open(c, NULL);
    if (status)
        return status;
    if (!read_password(password))
        return fail("there is no password");
    error = is_new ? banter_sign_up(c->client, handle, password, NULL, NULL, ask_done, c)
                   : banter_log_in(c->client, handle, password, ask_done, c);
    explicit_bzero(password, sizeof password);
    status = ask_wait(c, error);
    return status ? status : profile_save(c);
}

static int sign_up(struct cli *c, const struct arguments *a)
{
    return enter(c, a, true);
}

static int log_in(struct cli *c, const struct arguments *a)
{
    return enter(c, a, false);
}

static int log_out(struct cli *c, const struct arguments *a)
{
    int status = profile_open(c, NULL);

    (void)a;
    if (!status)
        status = ask_wait(c, banter_log_out(c->client, ask_done, c));
    return status ? status : profile_forget(c);
}

static int show_who(struct cli *c, const struct arguments *a)
{
    static const char *const columns[] = {"user", "device", "server", NULL};
    char user[NAME_SIZE];
    json_t *who;

    (void)a;
    if (!banter_user(c->client, user, sizeof user))
        return EXIT_REFUSED;
    who = json_pack("{s:s, s:s, s:s}", "user", user, "device", c->device, "server", c->server);
    if (c->json)
        show_json(who);
    else
        show_columns(who, columns);
    json_decref(who);
    return EXIT_OK;
}

const struct command command_signup = {
    .name = "signup",
    .operands = "HANDLE",
    .summary = "make a new user, and log in",
    .about = PASSWORD_ABOUT,
    .run = sign_up,
    .least = 1,
    .most = 1,
};

const struct command command_login = {
    .name = "login",
    .operands = "HANDLE",
    .summary = "log in",
    .about = PASSWORD_ABOUT " The profile then keeps server and login until logout.",
    .run = log_in,
    .least = 1,
    .most = 1,
};

const struct command command_logout = {
    .name = "logout",
    .summary = "forget the user, the server and what is unsent",
    .run = log_out,
};

const struct command command_whoami = {
    .name = "whoami",
    .summary = "user, device and server",
    .run = show_who,
    .flags = NEEDS_LOGIN,
};
