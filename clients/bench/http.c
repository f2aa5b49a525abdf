/* SPDX-License-Identifier: MIT */
/* http.c - see http.h. */
#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_MAX = 8192, CONNECT_TIMEOUT_S = 5, STALL_TIMEOUT_S = 30 };

struct http_client {
    CURL *curl;
};

struct http_client *http_client_create(void)
{
    struct http_client *client = calloc(1, sizeof(*client));

    if (client)
        client->curl = curl_easy_init();
    if (!client || !client->curl) {
        fprintf(stderr, "banter-bench: no memory for an HTTP client\n");
        free(client);
        return NULL;
    }
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

static size_t take_body(char *data, size_t size, size_t count, void *owner)
{
    struct http_call *call = owner;
    size_t length = size * count;

    call->bytes += length;
    if (call->body && !call->body(call->owner, slice_of(data, length)))
        return CURL_WRITEFUNC_ERROR;
    return length;
}

static bool add_header(struct curl_slist **headers, const char *start, const char *value)
{
    char line[HEADER_MAX];
    struct curl_slist *more;

    snprintf(line, sizeof(line), "%s%s", start, value);
    more = curl_slist_append(*headers, line);
    if (more)
        *headers = more;
    return more != NULL;
}

static bool add_headers(struct curl_slist **headers, const struct http_call *call)
{
    return add_header(headers, "Authorization: Bearer ", call->token) &&
           add_header(headers, "Accept: ", call->accept ? call->accept : "application/json") &&
           (!call->json || add_header(headers, "Content-Type: ", "application/json"));
}

/* Forgets the options of the last call, but not the connection. */
static CURLcode perform(CURL *curl, struct http_call *call, struct curl_slist *headers)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (call->json)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->json);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIMEOUT_S);
    return curl_easy_perform(curl);
}

bool http_perform(struct http_client *client, struct http_call *call)
{
    struct curl_slist *headers = NULL;
    CURLcode result = CURLE_OUT_OF_MEMORY;

    call->bytes = 0;
    if (add_headers(&headers, call))
        result = perform(client->curl, call, headers);
    if (result == CURLE_OK) {
        curl_easy_getinfo(client->curl, CURLINFO_STARTTRANSFER_TIME, &call->first_byte_s);
        curl_easy_getinfo(client->curl, CURLINFO_TOTAL_TIME, &call->total_s);
    } else {
        fprintf(stderr, "banter-bench: %s %s: %s\n", call->json ? "POST" : "GET", call->url,
                curl_easy_strerror(result));
    }
    curl_slist_free_all(headers);
    return result == CURLE_OK;
}
