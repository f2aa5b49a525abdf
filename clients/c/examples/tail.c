/* SPDX-License-Identifier: MIT */
/* tail.c - prints every entry of one's conversations as it comes, one JSON object a line, until a
 * signal ends it. What came while it was not running comes first: tail.db remembers how far it was.
 *
 *   cc -o tail tail.c $(pkg-config --cflags --libs banter)
 *   ./tail http://127.0.0.1:8080 bob 'battery staple' */
#include <banter/banter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void on_entry(void *owner, const struct banter_entry *entry)
{
    (void)owner;
    puts(entry->json);
    fflush(stdout); /* when this returns the entry counts as told */
}

static void on_state(void *owner, const struct banter_state *state)
{
    static const char *const names[] = {"signed out", "connecting", "waiting",
                                        "syncing",    "online",     "displaced"};

    (void)owner;
    fprintf(stderr, "%s%s%s\n", names[state->connection], state->reason ? ": " : "",
            state->reason ? state->reason : "");
}

static void on_log(void *owner, enum banter_level level, const char *message)
{
    (void)owner;
    (void)level;
    fprintf(stderr, "%s\n", message);
}

static void on_login_done(void *owner, const struct banter_result *result)
{
    (void)owner;
    if (result->error) {
        fprintf(stderr, "login: %s\n", result->reason);
        raise(SIGTERM);
    }
}

/* Before any thread is started, so that none but main() takes these. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

int main(int argc, char **argv)
{
    struct banter_server server = {argc > 1 ? argv[1] : NULL, getenv("BANTER_MQTT")};
    struct banter_options options = BANTER_OPTIONS_INIT;
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;
    struct banter *client;
    char user[64];
    sigset_t signals;
    int error, signal;

    if (argc != 4) {
        fprintf(stderr, "usage: %s SERVER HANDLE PASSWORD\n", argv[0]);
        return 2;
    }
    block_signals(&signals);
    options.servers = &server;
    options.server_count = 1;
    options.device = "tail";
    options.store = getenv("BANTER_STORE") ? getenv("BANTER_STORE") : "tail.db";
    options.ca_file = getenv("BANTER_CA");
    options.start = BANTER_FROM_FIRST;
    callbacks.on_entry = on_entry;
    callbacks.on_state = on_state;
    callbacks.on_log = on_log;
    error = banter_create(&client, &options, &callbacks);
    if (!error && banter_user(client, user, sizeof user) && user[0] == '\0')
        error = banter_log_in(client, argv[2], argv[3], on_login_done, NULL);
    if (error) {
        fprintf(stderr, "%s\n", banter_error_text(error));
        return 1;
    }
    sigwait(&signals, &signal);
    banter_destroy(client);
    return 0;
}
