/* SPDX-License-Identifier: MIT */
/* http_curl.c - see http_curl.h. */
#include "client/http_curl.h"

#include "banter/banter.h"
#include "base/buf.h"

#include <assert.h>
#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNDER_WAY_MAX = 64,
    CONNECT_TIMEOUT_MS = 15000,
    URL_MAX_BYTES = 8192,
    HEADER_MAX_BYTES = 8192,
    MS_PER_SECOND = 1000,
    PAUSE_MS = 50,
};

struct exchange {
    struct exchange *next;
    CURL *easy;
    struct curl_slist *headers;
    char *body;        /* what is sent */
    struct buf answer; /* what comes */
    http_done_fn *done;
    void *owner;
};

struct http_curl {
    CURLM *multi;
    const char *ca_file;
    struct exchange *under_way;
    size_t count;
};

struct http_curl *http_curl_create(const char *ca_file)
{
    struct http_curl *h = calloc(1, sizeof *h);

    /* Counts how often it was called; thread-safe since 7.84 where it matters. */
    if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(h);
        return NULL;
    }
    h->ca_file = ca_file;
    h->multi = curl_multi_init();
    /* Without a descriptor to be woken by, nothing would be done before some timeout. */
    if (h->multi && curl_multi_wakeup(h->multi) == CURLM_OK)
        return h;
    http_curl_destroy(h);
    return NULL;
}

static void exchange_free(struct exchange *x)
{
    curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    buf_finish(&x->answer);
    free(x->body);
    free(x);
}

static void unlink_exchange(struct http_curl *h, struct exchange *x)
{
    struct exchange **at = &h->under_way;

    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    h->count--;
    curl_multi_remove_handle(h->multi, x->easy);
}

void http_curl_stop(struct http_curl *h)
{
    static const struct http_answer stopped = {.error = BANTER_STOPPED};

    while (h->under_way) {
        struct exchange *x = h->under_way;

        unlink_exchange(h, x);
        x->done(x->owner, &stopped);
        exchange_free(x);
    }
}

void http_curl_destroy(struct http_curl *h)
{
    if (!h)
        return;
    assert(!h->under_way);
    curl_multi_cleanup(h->multi);
    curl_global_cleanup();
    free(h);
}

static size_t take(char *data, size_t size, size_t count, void *owner)
{
    struct exchange *x = owner;

    buf_bytes(&x->answer, data, size * count);
    return x->answer.failed ? 0 : size * count;
}

static bool add_header(struct exchange *x, const char *name, const char *value)
{
    struct buf line;
    struct curl_slist *longer;

    buf_init(&line, HEADER_MAX_BYTES);
    buf_printf(&line, "%s: %s", name, value);
    longer = line.failed ? NULL : curl_slist_append(x->headers, line.data);
    buf_finish(&line);
    if (longer)
        x->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct exchange *x, const struct http_request *r)
{
    char bearer[HEADER_MAX_BYTES - 64];

    if (r->bearer) {
        size_t length = strlen(r->bearer);

        if (length + sizeof "Bearer " > sizeof bearer)
            return false;
        memcpy(bearer, "Bearer ", sizeof "Bearer ");
        memcpy(bearer + strlen("Bearer "), r->bearer, length + 1);
        if (!add_header(x, "Authorization", bearer))
            return false;
    }
    return (!r->key || add_header(x, "Idempotency-Key", r->key)) &&
           (!r->body || add_header(x, "Content-Type", "application/json")) &&
           /* No pause before the body for a "100 Continue". */
           add_header(x, "Expect", "");
}

static bool set_body(struct exchange *x, const struct http_request *r)
{
    CURL *easy = x->easy;

    if (!r->body)
        return true;
    x->body = malloc(r->length + 1);
    if (!x->body)
        return false;
    memcpy(x->body, r->body, r->length);
    x->body[r->length] = '\0';
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->length) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, x->body) == CURLE_OK;
}

static bool set_url(struct exchange *x, const struct http_request *r)
{
    struct buf url;
    bool ok;

    buf_init(&url, URL_MAX_BYTES);
    buf_printf(&url, "%s%s", r->server, r->path);
    ok = !url.failed && curl_easy_setopt(x->easy, CURLOPT_URL, url.data) == CURLE_OK;
    buf_finish(&url);
    return ok;
}

static bool set_up(struct http_curl *h, struct exchange *x, const struct http_request *r)
{
    CURL *easy = x->easy;

    return easy && set_url(x, r) && set_headers(x, r) && set_body(x, r) &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           (!h->ca_file || curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file) == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "libbanter/" BANTER_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, x) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, x) == CURLE_OK;
}

static int start(void *self, const struct http_request *request, http_done_fn *done, void *owner)
{
    struct http_curl *h = self;
    struct exchange *x;

    if (h->count >= UNDER_WAY_MAX)
        return BANTER_FULL;
    x = calloc(1, sizeof *x);
    if (!x)
        return BANTER_NO_MEMORY;
    x->done = done;
    x->owner = owner;
    buf_init(&x->answer, HTTP_ANSWER_MAX_BYTES);
    x->easy = curl_easy_init();
    if (!set_up(h, x, request) || curl_multi_add_handle(h->multi, x->easy) != CURLM_OK) {
        exchange_free(x);
        return BANTER_NO_MEMORY;
    }
    x->next = h->under_way;
    h->under_way = x;
    h->count++;
    return BANTER_OK;
}

struct http http_curl_interface(struct http_curl *h)
{
    return (struct http){start, h};
}

static bool cannot_have_been_sent(CURLcode result)
{
    return result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY ||
           result == CURLE_COULDNT_CONNECT || result == CURLE_SSL_CONNECT_ERROR ||
           result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE;
}

static void tell(struct exchange *x, CURLcode result)
{
    struct http_answer answer = {.body = "", .reason = curl_easy_strerror(result)};
    curl_off_t retry_after = 0;

    if (result == CURLE_OUT_OF_MEMORY || (x->answer.failed && x->answer.length == 0))
        answer.error = BANTER_NO_MEMORY;
    else if (result != CURLE_OK)
        answer.error = BANTER_OFFLINE;
    answer.never_sent = cannot_have_been_sent(result);
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
    answer.retry_after_ms = retry_after > 0 ? (uint64_t)retry_after * MS_PER_SECOND : 0;
    if (x->answer.data) {
        answer.body = x->answer.data;
        answer.length = x->answer.length;
    }
    x->done(x->owner, &answer);
}

void http_curl_work(struct http_curl *h)
{
    CURLMsg *message;
    int running, left;

    curl_multi_perform(h->multi, &running);
    while ((message = curl_multi_info_read(h->multi, &left)) != NULL) {
        CURLcode result = message->data.result;
        struct exchange *x = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
        unlink_exchange(h, x);
        tell(x, result);
        exchange_free(x);
    }
}

void http_curl_wait(struct http_curl *h, int timeout_ms)
{
    /* When it cannot wait, for lack of memory, nobody spins. */
    if (curl_multi_poll(h->multi, NULL, 0, timeout_ms, NULL) != CURLM_OK)
        (void)poll(NULL, 0, timeout_ms < PAUSE_MS ? timeout_ms : PAUSE_MS);
}

void http_curl_wake(struct http_curl *h)
{
    curl_multi_wakeup(h->multi);
}
