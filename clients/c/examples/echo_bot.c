/* SPDX-License-Identifier: MIT */
/* echo_bot.c - answers every text of others with the same text, once, whatever crashes: the
 * answer's id is made of what it answers, so answering again is the same message.
 *
 *   cc -o echo_bot echo_bot.c $(pkg-config --cflags --libs banter)
 *   ./echo_bot http://127.0.0.1:8080 parrot 'polly wants' */
#include <banter/banter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A callback may call the client; the draft is in the store when banter_post() returns, and only
 * then does the entry count as told. */
static void on_entry(void *owner, const struct banter_entry *entry)
{
    struct banter **client = owner;
    struct banter_draft answer = BANTER_DRAFT_INIT;
    char id[64];
    int error;

    if (entry->own || !entry->text || strcmp(entry->kind, "text") != 0)
        return;
    snprintf(id, sizeof id, "echo-%s-%lld", entry->conversation, (long long)entry->seq);
    answer.id = id;
    answer.text = entry->text;
    answer.reply_to = entry->seq;
    error = banter_post(*client, entry->conversation, &answer, NULL);
    if (!error || error == BANTER_CONFLICT) /* it is on its way already */
        return;
    fprintf(stderr, "%s: %s\n", id, banter_error_text(error));
    if (error != BANTER_INVALID && error != BANTER_TOO_LARGE)
        _exit(1); /* the next start is told this entry again, for it does not count as told */
}

static void on_login_done(void *owner, const struct banter_result *result)
{
    (void)owner;
    if (result->error) {
        fprintf(stderr, "login: %s\n", result->reason);
        raise(SIGTERM);
    }
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

int main(int argc, char **argv)
{
    static struct banter *client;
    struct banter_server server = {argc > 1 ? argv[1] : NULL, getenv("BANTER_MQTT")};
    struct banter_options options = BANTER_OPTIONS_INIT;
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;
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
    options.device = "bot";
    options.store = getenv("BANTER_STORE") ? getenv("BANTER_STORE") : "echo_bot.db";
    options.ca_file = getenv("BANTER_CA");
    options.outbox_max = 100000;
    callbacks.owner = &client;
    callbacks.on_entry = on_entry;
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
