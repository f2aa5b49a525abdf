/* SPDX-License-Identifier: MIT */
/* framing.c - see framing.h. */
#include "http/framing.h"

#include <assert.h>

enum { CHUNK_MAX_DIGITS = 8 };

void http_framing_start(struct http_framing *f, size_t body_max)
{
    *f = (struct http_framing){
        .phase = PHASE_HEAD,
        .line_is_empty = true,
        .body_max = body_max,
    };
}

static enum http_verdict refuse(struct http_framing *f, int status, const char *detail)
{
    f->phase = PHASE_REFUSED;
    f->refusal = (struct http_refusal){status, detail};
    return HTTP_REFUSED;
}

/* The request has been read to its end: it may have been too large all the same. */
static enum http_verdict finish(struct http_framing *f)
{
    if (f->refusal.status != 0) {
        f->phase = PHASE_REFUSED;
        return HTTP_REFUSED;
    }
    f->phase = PHASE_WHOLE;
    return HTTP_WHOLE;
}

/* Counts `bytes` more of body. */
static enum http_verdict announce(struct http_framing *f, uint64_t bytes)
{
    static const char too_large[] = "the body is too large";

    f->body_left = bytes;
    f->body_total += bytes;
    if (f->body_total <= f->body_max)
        return HTTP_PARTIAL;
    if (f->head.expects_continue || f->body_total > HTTP_SKIP_MAX_BYTES)
        return refuse(f, 413, too_large);
    f->refusal = (struct http_refusal){413, too_large};
    return HTTP_PARTIAL;
}

/* A line that ends in LF alone is refused at once: its sender may wait for an answer for ever. */
static enum http_verdict feed_head(struct http_framing *f, char c)
{
    if (++f->head_length > HTTP_HEAD_MAX_BYTES)
        return refuse(f, 431, "the header fields are too large");
    if (c == '\n') {
        if (f->last != '\r')
            return refuse(f, 400, "lines must end in CR LF");
        if (f->line_is_empty) {
            f->phase = PHASE_HEAD_ENDED;
            return HTTP_HEAD;
        }
        f->line_is_empty = true;
    } else if (c != '\r') {
        f->line_is_empty = false;
    }
    f->last = c;
    return HTTP_PARTIAL;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum http_verdict feed_chunk_size(struct http_framing *f, char c)
{
    int value = hex_value(c);

    if (c == '\r' && f->digits > 0) {
        f->phase = PHASE_CHUNK_SIZE_LF;
        return HTTP_PARTIAL;
    }
    if (value < 0 || ++f->digits > CHUNK_MAX_DIGITS)
        return refuse(f, 400, "the chunked body is malformed");
    f->body_left = f->body_left * 16 + (uint64_t)value;
    return HTTP_PARTIAL;
}

/* The punctuation between chunks: one expected byte each. */
static enum http_verdict feed_mark(struct http_framing *f, char c)
{
    char expected = f->phase == PHASE_CHUNK_CR || f->phase == PHASE_LAST_CR ? '\r' : '\n';

    if (c != expected)
        return refuse(f, 400, "the chunked body is malformed");
    switch (f->phase) {
    case PHASE_CHUNK_SIZE_LF:
        f->phase = f->body_left > 0 ? PHASE_CHUNK : PHASE_LAST_CR;
        return announce(f, f->body_left);
    case PHASE_CHUNK_CR:
        f->phase = PHASE_CHUNK_LF;
        return HTTP_PARTIAL;
    case PHASE_CHUNK_LF:
        f->phase = PHASE_CHUNK_SIZE;
        f->digits = 0;
        return HTTP_PARTIAL;
    case PHASE_LAST_CR:
        f->phase = PHASE_LAST_LF;
        return HTTP_PARTIAL;
    default:
        assert(f->phase == PHASE_LAST_LF);
        return finish(f);
    }
}

/* Takes as many bytes of body or chunk as there are. */
static enum http_verdict feed_body(struct http_framing *f, size_t available, size_t *used)
{
    size_t taken = available < f->body_left ? available : (size_t)f->body_left;

    *used += taken;
    f->body_left -= taken;
    if (f->body_left > 0)
        return HTTP_PARTIAL;
    if (f->phase == PHASE_LENGTH)
        return finish(f);
    f->phase = PHASE_CHUNK_CR;
    return HTTP_PARTIAL;
}

static enum http_verdict feed_byte(struct http_framing *f, char c)
{
    switch (f->phase) {
    case PHASE_HEAD:
        return feed_head(f, c);
    case PHASE_CHUNK_SIZE:
        return feed_chunk_size(f, c);
    default:
        return feed_mark(f, c);
    }
}

enum http_verdict http_framing_feed(struct http_framing *f, struct slice bytes, size_t *used)
{
    enum http_verdict verdict = HTTP_PARTIAL;

    assert(f->phase != PHASE_HEAD_ENDED && f->phase != PHASE_WHOLE && f->phase != PHASE_REFUSED);
    *used = 0;
    while (verdict == HTTP_PARTIAL && *used < bytes.length) {
        if (f->phase == PHASE_LENGTH || f->phase == PHASE_CHUNK)
            verdict = feed_body(f, bytes.length - *used, used);
        else
            verdict = feed_byte(f, bytes.data[(*used)++]);
    }
    return verdict;
}

enum http_verdict http_framing_head(struct http_framing *f, struct slice head)
{
    assert(f->phase == PHASE_HEAD_ENDED && head.length == f->head_length);
    if (!http_head_check(head, &f->head, &f->refusal)) {
        f->phase = PHASE_REFUSED;
        return HTTP_REFUSED;
    }
    if (f->head.chunked) {
        f->phase = PHASE_CHUNK_SIZE;
        return HTTP_PARTIAL;
    }
    if (f->head.length == 0)
        return finish(f);
    f->phase = PHASE_LENGTH;
    return announce(f, f->head.length);
}
