/* SPDX-License-Identifier: MIT */
/* pages.h - the files of the web client, read into memory once at the start.
 *
 * What is not among them does not exist: a request's path is compared with names and never reaches
 * the file system, so there is nothing that it could climb out of. */
#ifndef BANTER_API_PAGES_H
#define BANTER_API_PAGES_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

struct http_request;
struct pages;

/* Reads `root` and its folder `assets`, nothing deeper: regular files whose names are plain and end
 * in a type that a page needs. NAME.gz beside NAME is NAME compressed. NULL after logging why not;
 * an unreadable or too large file, or no index.html, is a reason. */
struct pages *pages_load(const char *root) MUST_USE;
void pages_free(struct pages *p);

/* Whether `path` names a page. "/" is index.html. */
bool pages_have(const struct pages *p, struct slice path);
/* Answers a GET or HEAD of a page that is there, and ends the request. `sources`: where it may
 * connect besides its own origin, each with a blank before it. */
void pages_answer(const struct pages *p, struct slice path, const char *sources,
                  struct http_request *request);

/* What an Accept-Encoding field (or NULL) says of gzip. Pure. */
bool pages_take_gzip(const char *accept_encoding);
/* Whether an If-None-Match field (or NULL) names `tag`, quotes included. Pure. */
bool pages_match_tag(const char *if_none_match, struct slice tag);

#endif
