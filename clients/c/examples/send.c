/* SPDX-License-Identifier: MIT */
/* send.c - sends each line of the standard input, and prints what became of it.
 *
 *   cc -o send send.c $(pkg-config --cflags --libs banter)
 *   ./send http://127.0.0.1:8080 alice 'correct horse' @bob < lines
 *
 * Kill it at any moment and start it again: what was taken is sent from send.db, and nobody sees
 * anything twice. Of a line "id<TAB>text" the id names the draft, so that a line that was given to
 * an earlier run, too, is the same message. */
#include <banter/banter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 60000, LINE_SIZE = 1 << 16 };

static void on_receipt(void *owner, const struct banter_receipt *receipt)
{
    (void)owner;
    if (receipt->error)
        printf("%s refused: %s\n", receipt->id, receipt->reason);
    else
        printf("%s stored as %lld\n", receipt->id, (long long)receipt->seq);
    fflush(stdout);
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
    if (result->error)
        fprintf(stderr, "login: %s\n", result->reason);
}

/* Takes one line, waiting while the outbox is full. */
static int send_line(struct banter *client, const char *to, char *line)
{
    struct banter_draft draft = BANTER_DRAFT_INIT;
    char *tab = strchr(line, '\t');
    int error;

    draft.text = line;
    if (tab) {
        *tab = '\0';
        draft.id = line;
        draft.text = tab + 1;
    }
    while ((error = banter_post(client, to, &draft, NULL)) == BANTER_FULL) {
        error = banter_wait(client, BANTER_UNTIL_SENT, PATIENCE_MS);
        if (error)
            return error;
    }
    return error == BANTER_CONFLICT ? BANTER_OK : error; /* it waits in the outbox already */
}

static int send_all(struct banter *client, const char *to)
{
    static char line[LINE_SIZE];
    int error = BANTER_OK;

    while (!error && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        error = send_line(client, to, line);
    }
    return error ? error : banter_wait(client, BANTER_UNTIL_SENT, PATIENCE_MS);
}

int main(int argc, char **argv)
{
    struct banter_server server = {argc > 1 ? argv[1] : NULL, getenv("BANTER_MQTT")};
    struct banter_options options = BANTER_OPTIONS_INIT;
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;
    struct banter *client;
    char user[64];
    int error;

    if (argc != 5) {
        fprintf(stderr, "usage: %s SERVER HANDLE PASSWORD CONVERSATION|@HANDLE\n", argv[0]);
        return 2;
    }
    options.servers = &server;
    options.server_count = 1;
    options.device = "send";
    options.store = getenv("BANTER_STORE") ? getenv("BANTER_STORE") : "send.db";
    options.ca_file = getenv("BANTER_CA");
    callbacks.on_receipt = on_receipt;
    callbacks.on_log = on_log;
    error = banter_create(&client, &options, &callbacks);
    if (error) {
        fprintf(stderr, "%s\n", banter_error_text(error));
        return 1;
    }
    if (banter_user(client, user, sizeof user) && user[0] == '\0')
        error = banter_log_in(client, argv[2], argv[3], on_login_done, NULL);
    if (!error)
        error = send_all(client, argv[4]);
    if (error)
        fprintf(stderr, "%s\n", banter_error_text(error));
    banter_destroy(client);
    return error ? 1 : 0;
}
