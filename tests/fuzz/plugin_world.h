/* SPDX-License-Identifier: MIT */
/* plugin_world.h - the whole plugin but Mosquitto, between a broker and a bridge that the fuzz
 * target plays: some users, each with two devices, and some conversations, of which the world knows
 * the truth. Whatever the plugin publishes is held against that truth at once.
 *
 * With `wild` the bridge has told lies: then only what does not depend on its word is checked. */
#ifndef BANTER_TESTS_PLUGIN_WORLD_H
#define BANTER_TESTS_PLUGIN_WORLD_H

#include "base/buf.h"
#include "core.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WORLD_USERS = 4,
    WORLD_DEVICES = 2, /* of each user */
    WORLD_CONNECTIONS = WORLD_USERS * WORLD_DEVICES * 2,
    WORLD_CONVERSATIONS = 4,
    WORLD_LOG_MAX = 64,
    WORLD_DRAFTS_MAX = 4096,
};

/* A device has two connections, so that one can take the other over. */
struct world_connection {
    unsigned user, device;
    char client_id[CLIENT_ID_MAX_LENGTH + 1];
    bool connected;
    int64_t seen[WORLD_CONVERSATIONS];
};

struct world_entry {
    unsigned user, device; /* who sent it */
};

struct world_conversation {
    struct uuid id;
    enum conversation_kind kind;
    enum role roles[WORLD_USERS];
    int64_t removed_at[WORLD_USERS]; /* the last entry that the user may have got */
    struct world_entry log[WORLD_LOG_MAX];
    int64_t head;
};

struct world {
    struct core *core;
    struct world_connection connections[WORLD_CONNECTIONS];
    struct world_conversation conversations[WORLD_CONVERSATIONS];
    struct world_connection *connecting; /* its BASIC_AUTH is under way */
    uint64_t accepted;                   /* drafts, by their number */
    uint64_t drafts[WORLD_DRAFTS_MAX];   /* a hash of each, by its number */
    uint64_t received;                   /* the highest number that the bridge has had */
    uint64_t next;                       /* the number it expects next; 0: any that it has had */
    int bridge;                          /* its end of the link, or -1 */
    struct buf in;
    struct buf out; /* what the bridge has to say */
    bool greeted;
    bool wild;
};

/* The link goes to a socket that is made once for the process. */
void world_start(struct world *w, bool wild);
void world_stop(struct world *w);

/* BASIC_AUTH with a good token, and the end of the connection that is taken over. */
void world_connect(struct world *w, struct world_connection *connection);
void world_disconnect(struct world *w, struct world_connection *connection);
/* ACL_CHECK and MESSAGE. */
void world_publish(struct world *w, struct world_connection *connection, struct slice topic,
                   struct slice payload, int qos, bool retain);

/* TICK; the bridge is there or is not. */
void world_tick(struct world *w);
void world_link(struct world *w, bool there);
/* Has the bridge answer what has come, honestly, and the plugin read it. */
void world_serve(struct world *w);
/* Has the plugin read what is in w->out. */
void world_say(struct world *w);

/* What happens in PostgreSQL, and is told if there is a link. */
void world_post(struct world *w, struct world_conversation *conversation, unsigned user,
                unsigned device, bool told);
void world_set_role(struct world *w, struct world_conversation *conversation, unsigned user,
                    enum role role);

/* Holds the plugin's books against each other. */
void world_audit(const struct world *w);

#endif
