/* SPDX-License-Identifier: MIT */
/* cluster.h - this node among others on the same database: tells them what is committed here, and
 * the plugin here what is committed there.
 *
 * PostgreSQL decides who is a node (a lease); Redis only makes it quick. docs/architecture.md,
 * "More than one node", tells how, and why nothing is lost when Redis loses everything. */
#ifndef BANTER_BRIDGE_CLUSTER_H
#define BANTER_BRIDGE_CLUSTER_H

#include "base/compiler.h"
#include "base/slice.h"
#include "bus/tls.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct cluster;
struct commands;
struct db_node;
struct db_pool;
struct event_base;
struct herald;
struct link;
struct presence;
struct revocations;

struct cluster_config {
    const char *dsn;
    const struct db_node *node;
    const char *redis;        /* see bus/address.h; empty: only PostgreSQL */
    const char *redis_prefix; /* see bus.h */
    const char *registry;     /* see bus/registry.h; empty: PostgreSQL */
    struct bus_tls redis_tls;
    struct db_pool *pool;
    struct link *link;
    struct herald *herald;
    struct commands *commands;
    struct presence *presence;
    /* Writes the JSON object that says what clients should know of this node. */
    void (*describe)(void *owner, struct buf *b);
    void *describe_owner;
    /* Told about once a second what each other node said so, for an hour after its end, too. */
    void (*heard)(void *owner, struct slice about);
    void *heard_owner;
};

/* Everything in `config` is borrowed. */
struct cluster *cluster_create(struct event_base *base,
                               const struct cluster_config *config) MUST_USE;
/* After the pool, which still owes it answers. */
void cluster_destroy(struct cluster *c);
/* Made later than the cluster, and told of logins that ended elsewhere. */
void cluster_set_revocations(struct cluster *c, struct revocations *revocations);

/* Told when the node gets its lease, and when it has lost it. */
typedef void cluster_changed_fn(void *owner, bool held);
void cluster_on_changed(struct cluster *c, cluster_changed_fn *changed, void *owner);
/* False: this node may not deliver anything, nor may a plugin be welcomed. */
bool cluster_is_member(const struct cluster *c);
bool cluster_bus_is_up(const struct cluster *c);

void cluster_interest(struct cluster *c, const struct frame_interest *f);
/* The plugin has asked for the user; it has said that they are here. */
void cluster_attach(struct cluster *c, uint64_t uid);
void cluster_session(struct cluster *c, const struct frame_session *f);
/* As in members_hooks: between the database and the plugin's INTEREST nothing may be missed. */
void cluster_attach_asked(struct cluster *c);
void cluster_attached(struct cluster *c, const struct uuid *conversation, int64_t last_seq);
void cluster_attach_answered(struct cluster *c);
void cluster_link_lost(struct cluster *c);

/* Tells the others what there still is to tell, and that this node goes. */
void cluster_close(struct cluster *c);
/* True when this is done. */
bool cluster_is_idle(const struct cluster *c);

/* What the other nodes that are alive say of themselves, in the registry if it is up: one call
 * each, with a JSON object. */
void cluster_describe_others(const struct cluster *c, void (*tell)(void *owner, struct slice about),
                             void *owner);

struct cluster_stats {
    bool has_registry; /* outside of PostgreSQL: */
    bool registry_up;
    uint64_t registry_entries; /* of others */
    uint64_t registry_losses;
    uint64_t published, dropped, received, losses; /* of the bus: see bus.h */
    uint64_t forged;                               /* messages that nobody of ours has sent */
    uint64_t bulletins;                            /* of this node */
    uint64_t healed;                               /* of others, that came through PostgreSQL */
    uint64_t reconciled;                           /* times that everybody here was attached anew */
    uint64_t nodes;                                /* now, with this one */
    uint64_t interests;                            /* now: conversations that this node hears of */
};
void cluster_get_stats(const struct cluster *c, struct cluster_stats *out);

#endif
