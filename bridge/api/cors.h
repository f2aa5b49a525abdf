/* SPDX-License-Identifier: MIT */
/* cors.h - pages of other origins that may ask the API: of the other nodes, and of those that the
 * operator has named.
 *
 * Rule: an answer names the one origin that asked, never "*", and never lets a browser send
 * credentials of its own: who asks is told by the token in the request alone. */
#ifndef BANTER_API_CORS_H
#define BANTER_API_CORS_H

struct http_request;
struct sites;

/* Marks the coming answer, whatever it will be, as one that the page that asked may read. */
void cors_mark(const struct sites *sites, struct http_request *request);
/* The same for OPTIONS before a request: the page may use `methods` ("GET, OPTIONS"). */
void cors_allow(const struct sites *sites, struct http_request *request, const char *methods);

#endif
