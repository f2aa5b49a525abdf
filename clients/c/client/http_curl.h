/* SPDX-License-Identifier: MIT */
/* http_curl.h - HTTP with libcurl's multi interface, on the thread that calls http_curl_work().
 * It is also what that thread sleeps in: http_curl_wait() ends early by http_curl_wake(). */
#ifndef BANTER_CLIENT_HTTP_CURL_H
#define BANTER_CLIENT_HTTP_CURL_H

#include "base/compiler.h"
#include "client/http.h"

struct http_curl;

/* `ca_file` is borrowed for its life; NULL: the system's authorities. NULL: out of memory, or of
 * descriptors. */
struct http_curl *http_curl_create(const char *ca_file) MUST_USE;
/* What is under way ends first, with BANTER_STOPPED. */
void http_curl_stop(struct http_curl *h);
void http_curl_destroy(struct http_curl *h); /* NULL is allowed */
struct http http_curl_interface(struct http_curl *h);
/* Goes on with what is under way, and tells what has ended. */
void http_curl_work(struct http_curl *h);
/* Until something happens, or somebody wakes it. */
void http_curl_wait(struct http_curl *h, int timeout_ms);
/* From any thread. */
void http_curl_wake(struct http_curl *h);

#endif
