/* SPDX-License-Identifier: MIT */
/* relay.c - HTTP, carried to the HTTP server and back byte for byte.
 *
 * The server learns who the client is from the name of the socket that the door connects from:
 * nobody else can say anything there. */
#include "base/log.h"
#include "door/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 100,
    DESCRIPTORS = 2, /* the door's end and the server's: both are in this process */
    NAMES_TRIED = 4,
    CHECK_MS = 30000,
};

static void from_client(struct connection *c, struct slice bytes)
{
    stream_write(&c->inner, bytes);
}

static void from_inner(struct connection *c, struct slice bytes)
{
    stream_write(&c->client, bytes);
}

static void client_ended(struct connection *c)
{
    if (stream_is_open(&c->client))
        stream_finish(&c->inner);
    else
        connection_close(c);
}

static void timer(struct connection *c)
{
    if (connection_is_stuck(c)) {
        connection_count_refusal(c, DOOR_REFUSED_SILENCE);
        connection_close(c);
    } else {
        connection_set_timer(c, CHECK_MS);
    }
}

static const struct stage relay_stage = {
    DOOR_HTTP, from_client, from_inner, client_ended, connection_part, timer,
};

/* The process id and a number make the name unique; what it is for are the address, and whether the
 * client came over TLS (http/peer.c). */
static int connect_to_server(struct connection *c)
{
    char address[ADDRESS_TEXT_BYTES], name[NAME_MAX_BYTES];
    int error = EADDRINUSE;

    address_format(&c->address, address);
    for (unsigned i = 0; error == EADDRINUSE && i < NAMES_TRIED; i++) {
        snprintf(name, sizeof name, "banter-door/%d/%" PRIu64 "/%s/%s", (int)getpid(),
                 c->door->sequence++, c->has_tls ? "tls" : "plain", address);
        error = connection_open_inner(c, c->door->config.http_socket, name, DESCRIPTORS);
    }
    return error;
}

void relay_begin(struct connection *c, struct slice bytes)
{
    int error = connect_to_server(c);

    if (error) {
        log_warning("door", "the HTTP server cannot be reached: %s", strerror(error));
        first_refuse(c, DOOR_REFUSED_CAPACITY, 503, "the server is busy, try again");
        return;
    }
    connection_enter(c, &relay_stage);
    connection_set_timer(c, CHECK_MS);
    stream_write(&c->inner, bytes);
}
