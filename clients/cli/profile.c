/* SPDX-License-Identifier: MIT */
/* profile.c - where banter-cli keeps what it knows: the server and this device's name in NAME.conf,
 * the login and what is unsent in NAME.db. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path is as it was when this returns. */
static int make_directory(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
            return fail("%s: %s", path, strerror(errno));
        *at = '/';
    }
    if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
        return fail("%s: %s", path, strerror(errno));
    return EXIT_OK;
}

int profile_find(struct cli *c)
{
    const char *own = getenv("BANTER_HOME"), *state = getenv("XDG_STATE_HOME"),
               *home = getenv("HOME");
    int length;

    if (!own && !(state && state[0] == '/') && !home)
        return fail("there is no directory to keep the profile in: HOME is not set");
    if (own)
        length = snprintf(c->directory, sizeof c->directory, "%s", own);
    else if (state && state[0] == '/')
        length = snprintf(c->directory, sizeof c->directory, "%s/banter", state);
    else
        length = snprintf(c->directory, sizeof c->directory, "%s/.local/state/banter", home);
    if (length <= 0 || length >= (int)sizeof c->directory - NAME_SIZE)
        return fail("there is no directory to keep the profile in");
    if (c->profile[0] == '\0' ||
        strspn(c->profile, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(c->profile))
        return fail("a profile's name is of a-z, 0-9, _ and -");
    return EXIT_OK;
}

void profile_path(const struct cli *c, const char *kind, char path[2 * PATH_SIZE])
{
    (void)snprintf(path, 2 * PATH_SIZE, "%s/%s.%s", c->directory, c->profile, kind);
}

/* What NAME.conf says. */
struct profile {
    char server[ADDRESS_SIZE], mqtt[ADDRESS_SIZE], ca[PATH_SIZE], device[NAME_SIZE];
};

static void take_line(struct profile *p, char *line)
{
    char *value = strchr(line, ' ');

    if (!value)
        return;
    *value++ = '\0';
    value[strcspn(value, "\n")] = '\0';
    if (strcmp(line, "server") == 0)
        (void)snprintf(p->server, sizeof p->server, "%s", value);
    else if (strcmp(line, "mqtt") == 0)
        (void)snprintf(p->mqtt, sizeof p->mqtt, "%s", value);
    else if (strcmp(line, "ca") == 0)
        (void)snprintf(p->ca, sizeof p->ca, "%s", value);
    else if (strcmp(line, "device") == 0)
        (void)snprintf(p->device, sizeof p->device, "%s", value);
}

/* The tokens of a profile are its server's and go nowhere else. */
static int merge(struct cli *c, const struct profile *p)
{
    const char *usual = getenv("BANTER_SERVER");

    if (p->server[0] != '\0' && c->server[0] != '\0' && strcmp(c->server, p->server) != 0)
        return fail("the profile '%s' is at %s: log out first, or use --profile for another one",
                    c->profile, p->server);
    if (p->server[0] != '\0')
        memcpy(c->server, p->server, sizeof c->server);
    else if (c->server[0] == '\0' && usual)
        (void)snprintf(c->server, sizeof c->server, "%s", usual);
    if (c->mqtt[0] == '\0')
        memcpy(c->mqtt, p->mqtt, sizeof c->mqtt);
    if (c->ca[0] == '\0')
        memcpy(c->ca, p->ca, sizeof c->ca);
    memcpy(c->device, p->device, sizeof c->device);
    return EXIT_OK;
}

/* Two installations of one user are two devices: the name has something random. */
static bool choose_device(struct cli *c)
{
    uint32_t random;

    if (c->device[0] != '\0')
        return true;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    (void)snprintf(c->device, sizeof c->device, "cli-%08x", random);
    return true;
}

int profile_load(struct cli *c)
{
    struct profile profile = {0};
    char path[2 * PATH_SIZE], line[PATH_SIZE + NAME_SIZE];
    FILE *file;
    int status;

    profile_path(c, "conf", path);
    file = fopen(path, "re");
    if (file) {
        while (fgets(line, sizeof line, file))
            take_line(&profile, line);
        fclose(file);
    }
    status = merge(c, &profile);
    if (!status && !choose_device(c))
        status = fail("the system has no random bytes");
    return status;
}

int profile_save(const struct cli *c)
{
    char path[2 * PATH_SIZE], fresh[2 * PATH_SIZE + 8];
    char *ca = c->ca[0] != '\0' ? realpath(c->ca, NULL) : NULL;
    FILE *file;
    bool ok;

    profile_path(c, "conf", path);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    file = fopen(fresh, "we");
    if (!file) {
        free(ca);
        return fail("%s: %s", fresh, strerror(errno));
    }
    fprintf(file, "server %s\n", c->server);
    if (c->mqtt[0] != '\0')
        fprintf(file, "mqtt %s\n", c->mqtt);
    if (ca)
        fprintf(file, "ca %s\n", ca);
    free(ca);
    fprintf(file, "device %s\n", c->device);
    ok = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !ok || rename(fresh, path) != 0)
        return fail("%s: %s", path, strerror(errno));
    return EXIT_OK;
}

int profile_forget(const struct cli *c)
{
    char path[2 * PATH_SIZE];

    profile_path(c, "drafts", path);
    (void)unlink(path); /* if chat has left any */
    profile_path(c, "conf", path);
    if (unlink(path) != 0 && errno != ENOENT)
        return fail("%s: %s", path, strerror(errno));
    return EXIT_OK;
}

int profile_open(struct cli *c, const struct banter_callbacks *callbacks)
{
    const struct banter_callbacks usual = hear_callbacks(c);
    struct banter_options options = BANTER_OPTIONS_INIT;
    struct banter_server server = {c->server, NULL};
    char path[2 * PATH_SIZE];
    int status = make_directory(c->directory), error;

    if (!status)
        status = profile_load(c);
    if (status)
        return status;
    if (c->server[0] == '\0')
        return fail("which server? Log in with --server URL");
    profile_path(c, "db", path);
    server.mqtt = c->mqtt[0] != '\0' ? c->mqtt : NULL;
    options.servers = &server;
    options.server_count = 1;
    options.device = c->device;
    options.store = path;
    options.ca_file = c->ca[0] != '\0' ? c->ca : NULL;
    options.say_received = c->shows_all;
    error = banter_create(&c->client, &options, callbacks ? callbacks : &usual);
    if (error == BANTER_BUSY)
        (void)fail("the profile '%s' is in use; another one is made by --profile", c->profile);
    else if (error)
        (void)fail("%s: %s", path, banter_error_text(error));
    return exit_status_of(error);
}

int profile_open_logged_in(struct cli *c, const struct banter_callbacks *callbacks)
{
    char user[NAME_SIZE];
    int status = profile_open(c, callbacks);

    if (status || !banter_user(c->client, user, sizeof user) || user[0] != '\0')
        return status;
    (void)fail("nobody is logged in; see banter-cli login");
    return EXIT_LOGIN;
}
