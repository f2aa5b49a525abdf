/* SPDX-License-Identifier: MIT */
/* hear.c - what is told without being asked for: receipts, the state of the connection, signals. */
#include "cli.h"

#include <unistd.h>

static void on_receipt(void *owner, const struct banter_receipt *receipt)
{
    struct cli *c = owner;

    if (receipt->error) {
        pthread_mutex_lock(&c->mutex);
        c->refused++;
        pthread_mutex_unlock(&c->mutex);
        (void)fail_by(receipt->error, receipt->reason);
    } else if (c->json) {
        json_t *told =
            json_pack("{s:s, s:s, s:I, s:s}", "id", receipt->id, "conversation",
                      receipt->conversation, "seq", (json_int_t)receipt->seq, "at", receipt->at);

        show_json(told);
        json_decref(told);
    }
}

/* Whoever waits wants to know for what; and not for ever. */
static void on_state(void *owner, const struct banter_state *state)
{
    struct cli *c = owner;
    bool is_over = state->connection == BANTER_DISPLACED ||
                   (state->connection == BANTER_SIGNED_OUT && state->error);

    if (is_over || state->connection == BANTER_WAITING)
        (void)fail_by(state->error, state->reason);
    else if (state->connection == BANTER_ONLINE && c->stays)
        fputs("connected\n", stderr);
    if (is_over && c->stays) {
        pthread_mutex_lock(&c->mutex);
        c->over = state->connection == BANTER_DISPLACED ? EXIT_REFUSED : EXIT_LOGIN;
        pthread_mutex_unlock(&c->mutex);
        (void)kill(getpid(), SIGTERM);
    }
}

struct banter_callbacks hear_callbacks(struct cli *c)
{
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;

    callbacks.owner = c;
    callbacks.on_receipt = on_receipt;
    callbacks.on_state = on_state;
    return callbacks;
}

void hear_hold_signals(struct cli *c, sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, signals, NULL);
    c->stays = true;
}

int hear_until_signal(struct cli *c, const sigset_t *signals)
{
    int signal, status;

    while (sigwait(signals, &signal) != 0)
        continue;
    pthread_mutex_lock(&c->mutex);
    status = c->over;
    pthread_mutex_unlock(&c->mutex);
    return status;
}
