/* SPDX-License-Identifier: MIT */
/* fetch.c - see fetch.h. */
#include "fetch.h"

#include "cli.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX_BYTES = 16 << 20, HTTP_OK = 200, MS_PER_SECOND = 1000 };

/* One exchange. */
struct exchange {
    CURL *easy;
    struct curl_slist *headers;
    const struct fetch_call *call;
    bool is_ended; /* by the call's `take` */
    struct fetched *out;
};

static size_t keep(struct fetched *f, const char *data, size_t length)
{
    char *larger;

    if (length > BODY_MAX_BYTES - f->length)
        return 0;
    larger = realloc(f->body, f->length + length + 1);
    if (!larger)
        return 0;
    f->body = larger;
    memcpy(f->body + f->length, data, length);
    f->length += length;
    f->body[f->length] = '\0';
    return length;
}

static size_t take(char *data, size_t size, size_t count, void *owner)
{
    struct exchange *x = owner;
    size_t length = size * count;
    long code = 0;

    if (x->call->take && curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK &&
        code == HTTP_OK) {
        x->is_ended = !x->call->take(x->call->owner, data, length);
        return x->is_ended ? 0 : length;
    }
    return keep(x->out, data, length);
}

static bool add_header(struct exchange *x, const char *header)
{
    struct curl_slist *longer = curl_slist_append(x->headers, header);

    if (longer)
        x->headers = longer;
    return longer && curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

/* A whole answer has its time; of a stream each part has. */
static bool set_time(const struct exchange *x, const struct cli *c)
{
    if (!x->call->take)
        return curl_easy_setopt(x->easy, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms) == CURLE_OK;
    return curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_TIME, (long)c->timeout_ms / MS_PER_SECOND) ==
               CURLE_OK;
}

static bool set_call(struct exchange *x)
{
    const struct fetch_call *call = x->call;

    return (!call->token ||
            (curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) == CURLE_OK &&
             curl_easy_setopt(x->easy, CURLOPT_XOAUTH2_BEARER, call->token) == CURLE_OK)) &&
           (!call->json || (add_header(x, "Content-Type: application/json") &&
                            curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, call->json) == CURLE_OK));
}

static bool set_up(struct exchange *x, const struct cli *c, const char *url)
{
    return curl_easy_setopt(x->easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           (c->ca[0] == '\0' || curl_easy_setopt(x->easy, CURLOPT_CAINFO, c->ca) == CURLE_OK) &&
           curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "banter-cli/" BANTER_VERSION) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x) == CURLE_OK && set_time(x, c) &&
           set_call(x);
}

static int perform(const struct cli *c, const char *base, const struct fetch_call *call,
                   struct fetched *out)
{
    struct exchange x = {.call = call, .out = out};
    char url[2 * ADDRESS_SIZE];
    size_t length = strlen(base);
    CURLcode error = CURLE_OUT_OF_MEMORY;

    while (length > 0 && base[length - 1] == '/')
        length--;
    if (snprintf(url, sizeof url, "%.*s%s", (int)length, base, call->path) >= (int)sizeof url)
        return fail("the address is too long");
    *out = (struct fetched){.body = calloc(1, 1)};
    x.easy = curl_easy_init();
    if (x.easy && out->body && set_up(&x, c, url))
        error = curl_easy_perform(x.easy);
    if (error == CURLE_OK)
        error = curl_easy_getinfo(x.easy, CURLINFO_RESPONSE_CODE, &out->code);
    curl_easy_cleanup(x.easy);
    curl_slist_free_all(x.headers);
    if (error == CURLE_OK)
        return EXIT_OK;
    free(out->body);
    out->body = NULL;
    if (x.is_ended)
        return EXIT_REFUSED;
    (void)fail("%s: %s", url, curl_easy_strerror(error));
    return EXIT_LATER;
}

int fetch(const struct cli *c, const char *base, const char *path, struct fetched *out)
{
    return perform(c, base, &(struct fetch_call){.path = path}, out);
}

int fetch_call(const struct cli *c, const struct fetch_call *call, struct fetched *out)
{
    return perform(c, c->server, call, out);
}
