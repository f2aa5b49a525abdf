/* SPDX-License-Identifier: MIT */
/* parcel.h - a copy of something to be delivered that has to wait: an entry, a message for one
 * user's devices, or the end of a conversation. One allocation; the slices point into it. */
#ifndef BANTER_PLUGIN_PARCEL_H
#define BANTER_PLUGIN_PARCEL_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/frame.h"

#include <stddef.h>
#include <stdint.h>

enum parcel_kind { PARCEL_ENTRY, PARCEL_DEVICE, PARCEL_ENDED };

struct parcel {
    struct parcel *next;
    enum parcel_kind kind;
    uint64_t ticket; /* rises with every parcel that fanout.c takes */
    union {
        struct frame_entry entry;
        struct frame_device device;
    };
    size_t size; /* of the allocation */
    char bytes[];
};

/* Copies. NULL: out of memory. Freed with free(). */
struct parcel *parcel_of_entry(const struct frame_entry *f) MUST_USE;
struct parcel *parcel_of_device(const struct frame_device *f) MUST_USE;
struct parcel *parcel_of_end(void) MUST_USE;

#endif
