/* SPDX-License-Identifier: MIT */
/* http.c - see http.h. */
#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_MAX = 8192, CONNECT_TIMEOUT_S = 5, STALL_TIMEOUT_S = 30 };

static size_t take_body(char *data, size_t size, size_t count, void *owner)
{
    struct http_get *request = owner;
    size_t length = size * count;

    request->bytes += length;
    return request->body(request->owner, slice_of(data, length)) ? length : CURL_WRITEFUNC_ERROR;
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

static CURLcode perform(CURL *curl, struct http_get *request, struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIMEOUT_S);
    return curl_easy_perform(curl);
}

bool http_get(struct http_get *request)
{
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    CURLcode result = CURLE_OUT_OF_MEMORY;

    request->bytes = 0;
    if (curl && add_header(&headers, "Authorization: Bearer ", request->token) &&
        add_header(&headers, "Accept: ", request->accept))
        result = perform(curl, request, headers);
    if (result == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_STARTTRANSFER_TIME, &request->first_byte_s);
        curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &request->total_s);
    } else {
        fprintf(stderr, "banter-bench: GET %s: %s\n", request->url, curl_easy_strerror(result));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result == CURLE_OK;
}
