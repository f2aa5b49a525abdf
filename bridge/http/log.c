/* SPDX-License-Identifier: MIT */
/* log.c - one line for each answer: at level debug, or as a warning if the fault is ours. Paths and
 * queries stay out of it: invites are in them. */
#include "base/log.h"

#include "base/clock.h"
#include "http/internal.h"

static const char *method_name(enum http_method method)
{
    switch (method) {
    case HTTP_METHOD_GET:
        return "GET";
    case HTTP_METHOD_HEAD:
        return "HEAD";
    case HTTP_METHOD_POST:
        return "POST";
    case HTTP_METHOD_PUT:
        return "PUT";
    case HTTP_METHOD_PATCH:
        return "PATCH";
    case HTTP_METHOD_DELETE:
        return "DELETE";
    case HTTP_METHOD_OPTIONS:
        return "OPTIONS";
    }
    return "";
}

static void log_request(struct http_request *r, enum log_level level, int status, const char *what)
{
    struct log_fields fields = {.length = 0};
    char client[ADDRESS_TEXT_BYTES];

    if (!log_is_on(level) ||
        (level != LOG_LEVEL_DEBUG &&
         !log_quota_take(&r->server->log_quota, clock_monotonic_ms(), &fields)))
        return;
    address_format(&r->address, client);
    log_field(&fields, "request", slice_str(r->id));
    if (r->evhttp)
        log_field(&fields, "method", slice_str(method_name(http_request_method(r))));
    log_field(&fields, "route", slice_str(r->route ? r->route : "none"));
    log_field(&fields, "user", slice_str(r->user));
    log_field(&fields, "client", slice_str(client));
    log_field_number(&fields, "status", status);
    if (r->code != CODE_OK)
        log_field(&fields, "code", slice_str(code_name(r->code)));
    log_field_number(&fields, "us", (int64_t)(clock_monotonic_us() - r->began_us));
    log_about(level, "http", &fields, "%s", what);
}

void http_log_answer(struct http_request *r, int status, const char *phrase)
{
    bool is_news = status >= 500 && !r->is_routine;

    log_request(r, is_news ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, status, phrase);
}

void http_log_abort(struct http_request *r)
{
    log_request(r, LOG_LEVEL_WARNING, 200, "broken off");
}
