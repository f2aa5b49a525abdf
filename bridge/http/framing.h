/* SPDX-License-Identifier: MIT */
/* framing.h - finds where one HTTP/1.1 request ends in a stream of bytes. Pure.
 *
 * Fed with bytes as they come; it stores none of them. A body that is too large is still counted to
 * its end, up to HTTP_SKIP_MAX_BYTES, before the verdict: a client that is still sending would
 * otherwise meet a reset connection instead of the answer. Of chunked bodies only the plain form is
 * taken: no extensions, no trailers. */
#ifndef BANTER_HTTP_FRAMING_H
#define BANTER_HTTP_FRAMING_H

#include "base/compiler.h"
#include "base/slice.h"
#include "http/head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_SKIP_MAX_BYTES = 16 << 20 };

enum http_verdict {
    HTTP_PARTIAL, /* all bytes are taken, and more must come */
    HTTP_HEAD,    /* the head ends here: hand it to http_framing_head(), then go on */
    HTTP_WHOLE,   /* the request ends here; what follows belongs to the next */
    HTTP_REFUSED, /* see `refusal`; the stream is of no further use */
};

enum http_phase {
    PHASE_HEAD,
    PHASE_HEAD_ENDED, /* waits for http_framing_head() */
    PHASE_LENGTH,     /* body_left bytes of body */
    PHASE_CHUNK_SIZE,
    PHASE_CHUNK_SIZE_LF,
    PHASE_CHUNK, /* body_left bytes of chunk */
    PHASE_CHUNK_CR,
    PHASE_CHUNK_LF,
    PHASE_LAST_CR,
    PHASE_LAST_LF,
    PHASE_WHOLE,
    PHASE_REFUSED,
};

struct http_framing {
    enum http_phase phase;
    size_t head_length;    /* bytes of head so far, empty line included */
    char last;             /* the last byte of the head so far */
    bool line_is_empty;    /* nothing but CR so far in this line of the head */
    struct http_head head; /* valid from PHASE_LENGTH or PHASE_CHUNK_SIZE on */
    size_t body_max;       /* larger bodies are refused */
    uint64_t body_total;   /* bytes of body announced so far */
    uint64_t body_left;    /* of the body or chunk */
    unsigned digits;       /* of the chunk size so far */
    /* status != 0: the request is refused. While the verdict is still HTTP_PARTIAL its bytes only
     * have to be thrown away. */
    struct http_refusal refusal;
};

/* Prepares for the first or the next request. */
void http_framing_start(struct http_framing *f, size_t body_max);
/* Takes bytes; *used says how many of them. Everything after HTTP_HEAD or HTTP_WHOLE is untouched.
 */
enum http_verdict http_framing_feed(struct http_framing *f, struct slice bytes,
                                    size_t *used) MUST_USE;
/* Judges the head, `f->head_length` bytes; only after HTTP_HEAD. HTTP_PARTIAL: the body comes next.
 */
enum http_verdict http_framing_head(struct http_framing *f, struct slice head) MUST_USE;

#endif
