/* SPDX-License-Identifier: MIT */
/* registry_zookeeper_absent.c - in place of registry_zookeeper.c where ZooKeeper's client library
 * was not found when this was built. */
#include "base/log.h"
#include "bus/registry_type.h"

#include <stddef.h>

static struct registry *create(struct event_base *base, const struct registry_config *config)
{
    (void)base;
    (void)config;
    log_error("registry", "this bridge was built without ZooKeeper: build it where its client "
                          "library is (libzookeeper-mt-dev)");
    return NULL;
}

const struct registry_type registry_in_zookeeper = {.create = create};
