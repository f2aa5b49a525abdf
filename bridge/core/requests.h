/* SPDX-License-Identifier: MIT */
/* requests.h - what a device asks over MQTT and is answered alone: commands and sync. The answers
 * go to the link as DEVICE frames; those to a link that was lost meanwhile go nowhere. */
#ifndef BANTER_BRIDGE_REQUESTS_H
#define BANTER_BRIDGE_REQUESTS_H

#include "base/compiler.h"
#include "wire/frame.h"

struct commands;
struct link;
struct requests;
struct sync;

struct requests *requests_create(struct link *link, struct commands *commands,
                                 struct sync *sync) MUST_USE;
/* After `commands` and `sync`, which still owe it answers. */
void requests_destroy(struct requests *r);
void requests_start(struct requests *r, const struct frame_request *f);
void requests_link_lost(struct requests *r);

#endif
