/* SPDX-License-Identifier: MIT */
/* plugin_rig.h - the whole plugin but Mosquitto, between a fake broker that writes down what it is
 * asked for and a fake bridge at the other end of a real socket. Everything in one thread. */
#ifndef BANTER_TESTS_PLUGIN_RIG_H
#define BANTER_TESTS_PLUGIN_RIG_H

#include "base/buf.h"
#include "core.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define RIG_KEY "0123456789abcdef0123456789abcdef"

struct rig_message {
    char client_id[CLIENT_ID_MAX_LENGTH + 1];
    char topic[RESPONSE_TOPIC_MAX_LENGTH + 1];
    char *payload; /* NUL-terminated */
    struct buf correlation;
};

struct rig {
    struct core *core;
    struct jwt_signer *signer;
    char directory[64];
    char socket[96];
    int listener;
    int bridge;    /* accepted connection; -1: none */
    struct buf in; /* from the plugin, not yet looked at */
    size_t in_taken;
    bool interests; /* what rig_link() wants */
};

/* The options that the rig's plugin runs with; the caller owns them. */
struct options rig_options(struct rig *r);
/* A running plugin without link; nothing is too much for it. */
void rig_start(struct rig *r);
void rig_stop(struct rig *r);
/* What the plugin finds in jwks.json from now on: one key or two; or any text. */
void rig_publish_keys(const struct rig *r, const struct jwt_signer *first,
                      const struct jwt_signer *second);
void rig_write_jwks(const struct rig *r, const char *text);
/* From now on the limits of rates.h hold, as the options have them. */
void rig_limit(struct rig *r);

/* Lets the plugin connect, takes its HELLO and, unless `welcome` is false, says WELCOME. */
void rig_link(struct rig *r, bool welcome);
/* A session without the pains of a login, which nothing ends; `device` is "d". */
struct session *rig_open(struct rig *r, const void *client, uint64_t uid, const char *handle);
/* The bridge dies. */
void rig_unlink(struct rig *r);
void rig_tick(struct rig *r);

/* The next frame of this type from the plugin; others are passed over. False: there is none. The
 * body is valid until the next call. */
bool rig_next(struct rig *r, enum frame_type type, struct slice *body);
/* The next frame from the plugin, whatever it is. */
bool rig_next_any(struct rig *r, struct frame *f);
/* Takes off `b` what the socket takes; all of it when the plugin has closed the link. */
void rig_put(struct rig *r, struct buf *b);
/* Sends what is in `b` and has the plugin read it, ringing the bell. Empties `b`. */
void rig_send(struct rig *r, struct buf *b);

/* BASIC_AUTH with a good token: `client` is any address. Returns the answer. */
bool rig_login(struct rig *r, const void *client, uint64_t uid, const char *handle,
               const char *device);
/* A token that ends after `ttl_s`; bound to `device` unless NULL. Static storage. */
const char *rig_token(struct rig *r, uint64_t uid, const char *handle, const char *device,
                      int64_t ttl_s);
/* Logs in, and answers the ATTACH with these conversations (member, or as given). */
void rig_login_attached(struct rig *r, const void *client, uint64_t uid, const char *handle,
                        const char *device, const struct attached_conversation *items,
                        uint32_t count);
/* MESSAGE after ACL_CHECK, as the broker does it. */
bool rig_publish(struct rig *r, const void *client, const char *client_id, const char *topic,
                 const char *payload);

/* Frames of the bridge, sent at once. */
void rig_attached(struct rig *r, uint64_t uid, const struct attached_conversation *items,
                  uint32_t count, bool last);
void rig_entry(struct rig *r, const struct uuid *conversation, int64_t seq, uint64_t sender,
               const char *device, const char *payload);
void rig_member(struct rig *r, const struct uuid *conversation, uint64_t uid, enum role role,
                int64_t last_seq);
void rig_confirm(struct rig *r, uint64_t number);
void rig_filled(struct rig *r, const struct uuid *conversation, int64_t upto, bool more);
void rig_device(struct rig *r, uint64_t uid, const char *device, const char *payload);
void rig_barrier(struct rig *r, uint64_t number);
/* The user's own devices are told "own". */
void rig_presence(struct rig *r, uint64_t uid, const char *payload);
void rig_watched(struct rig *r, const struct frame_watched *f);
/* SUBSCRIBE after ACL_CHECK. */
bool rig_subscribe(struct rig *r, const void *client, const char *client_id, const char *filter);

/* A conversation id that is not a direct one, different for each n. */
struct uuid rig_uuid(unsigned n);
/* The same as an item of ATTACHED. */
struct attached_conversation rig_item(unsigned n, int64_t last_seq);

/* What the plugin has published since the last rig_forget(). */
extern struct rig_message *rig_messages;
extern size_t rig_message_count;
void rig_forget(void);
/* How many of them went to this client (NULL: anybody) on this topic. */
size_t rig_count(const char *client_id, const char *topic);
/* The last one of them, or NULL. */
const struct rig_message *rig_last(const char *client_id, const char *topic);
/* Whether the last one contains this text. */
bool rig_last_has(const char *client_id, const char *topic, const char *text);

/* Client ids kicked so far. Each kick is followed by DISCONNECT of `rig_kick_client`, if set. */
extern char rig_kicked[16][CLIENT_ID_MAX_LENGTH + 1];
extern size_t rig_kick_count;
extern const void *rig_kick_client;
/* The broker is out of memory. */
extern bool rig_publish_fails;

#endif
