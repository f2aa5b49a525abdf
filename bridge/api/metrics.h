/* SPDX-License-Identifier: MIT */
/* metrics.h - what the files of the metrics share. */
#ifndef BANTER_API_METRICS_H
#define BANTER_API_METRICS_H

#include "base/buf.h"

#include <stdint.h>

struct push_service;

/* One number without labels; `name` goes without "banter_". */
void metrics_counter(struct buf *b, const char *name, const char *help, uint64_t value);
void metrics_gauge(struct buf *b, const char *name, const char *help, uint64_t value);

/* The numbers of push; nothing while it is off. */
void metrics_push(struct buf *b, const struct push_service *push);

#endif
