/* SPDX-License-Identifier: MIT */
/* origin.h - where pages come from, as browsers write it: "https://chat.example.org:8443". Pure.
 *
 * Rule: what origin_of() gives has no character that could end a header's field or a source in a
 * page's policy; whatever else a URL may hold makes it no origin. */
#ifndef BANTER_BRIDGE_ORIGIN_H
#define BANTER_BRIDGE_ORIGIN_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

enum { ORIGIN_TEXT_BYTES = 256 }; /* with the NUL */

/* The origin of an http, https, ws or wss URL: in lower case, and without the port that the scheme
 * implies anyway. False: it has none that we write. */
bool origin_of(struct slice url, char out[ORIGIN_TEXT_BYTES]) MUST_USE;
/* `origins` are such, with blanks or commas between them; "*" among them is any. */
bool origin_is_listed(const char *origins, struct slice origin);
/* Whether each of `sources` (with blanks between them) may stand in a page's policy as it is: an
 * origin, perhaps with a star for a part of the host or for the port. */
bool origin_sources_are_good(const char *sources);

#endif
