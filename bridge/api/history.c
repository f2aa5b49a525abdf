/* SPDX-License-Identifier: MIT */
/* history.c - reading a conversation: in pages, or streamed one entry a line.
 *
 * A stream reads the next page while the client still takes the last ones, and waits when it has
 * enough: a slow client costs a bounded amount of memory. After the first line an error can only be
 * shown by breaking off. */
#include "core/history.h"

#include "api/routes.h"
#include "wire/limits.h"

#include <assert.h>
#include <string.h>

enum {
    PAGE_BYTES = 4 << 20,          /* of texts in one answer; then `more` */
    STREAM_PAGE_ENTRIES = 500,     /* read at once: so many that the loop is not held up for long */
    STREAM_PAGE_BYTES = 256 << 10, /* of their texts */
    JSON_MAX_BYTES = 40 << 20,     /* a page as JSON, where one byte may become six */
};

_Static_assert(6 * (PAGE_BYTES + TEXT_MAX_BYTES) +
                       (512 + FOLDED_DATA_MAX_BYTES) * HISTORY_LIMIT_MAX <
                   JSON_MAX_BYTES,
               "every page fits");

/* What the query asks for. */
struct range {
    struct uuid conversation;
    int64_t after;  /* -1: none given */
    int64_t before; /* 0: none given */
    int64_t limit;  /* 0: none given */
    bool folded;
};

/* A stream under way. Lives as long as its request. */
struct replay {
    struct call *call;
    struct range range; /* `after` moves on; a `limit` counts down */
    bool begun;         /* the answer's head has been sent */
    bool reading;       /* history owes a page */
    bool complete;      /* nothing is left to read */
};

static void refuse_history(struct call *c, enum code code)
{
    call_refuse(c, code,
                code == CODE_NOT_FOUND ? "no such conversation, or you are not a member of it"
                                       : "the history cannot be read now, try again in a moment");
}

static void write_page(struct call *c, const struct history_page *page, bool folded)
{
    struct buf json;

    buf_init(&json, JSON_MAX_BYTES);
    buf_str(&json, "{\"entries\":[");
    for (size_t i = 0; i < page->count; i++) {
        if (i > 0)
            buf_char(&json, ',');
        entry_write(&json, &page->items[i].entry);
    }
    buf_char(&json, ']');
    buf_json_key(&json, "more");
    buf_str(&json, page->more ? "true" : "false");
    if (folded && page->more) {
        buf_json_key(&json, "next");
        buf_i64(&json, page->next);
    }
    buf_char(&json, '}');
    call_answer(c, 200, &json);
}

static void on_page(void *owner, enum code code, const struct history_page *page)
{
    if (code == CODE_OK)
        write_page(owner, page, false);
    else
        refuse_history(owner, code);
}

static void on_folded_page(void *owner, enum code code, const struct history_page *page)
{
    if (code == CODE_OK)
        write_page(owner, page, true);
    else
        refuse_history(owner, code);
}

/* With neither bound: the newest entries. */
static void answer_page(struct call *c, const struct range *range)
{
    struct history_query query = {
        .reader = c->actor.uid,
        .conversation = range->conversation,
        .after = range->after,
        .before = range->after < 0 && range->before == 0 ? INT64_MAX : range->before,
        .folded = range->folded,
        .spares = true,
        .limit = range->limit ? (unsigned)range->limit : HISTORY_LIMIT_DEFAULT,
        .bytes_max = PAGE_BYTES,
    };

    if (!history_read(c->core->history, &query, range->folded ? on_folded_page : on_page, c))
        refuse_history(c, CODE_UNAVAILABLE);
}

static void end_replay(struct replay *r, enum code code)
{
    if (!r->begun)
        refuse_history(r->call, code);
    else if (code == CODE_OK)
        http_stream_end(r->call->request);
    else
        http_stream_abort(r->call->request);
}

static void on_stream_page(void *owner, enum code code, const struct history_page *page);

/* Asks for the next page if the client has taken enough of the last ones. */
static void read_on(struct replay *r)
{
    struct history_query query = {
        .reader = r->call->actor.uid,
        .conversation = r->range.conversation,
        .after = r->range.after,
        .folded = r->range.folded,
        .spares = true,
        .limit = STREAM_PAGE_ENTRIES,
        .bytes_max = STREAM_PAGE_BYTES,
    };

    if (http_stream_wants_more(r->call->request))
        r->reading = history_read(r->call->core->history, &query, on_stream_page, r);
}

/* How many entries of the page were asked for; moves on behind them. */
static size_t take(struct replay *r, const struct history_page *page)
{
    struct range *range = &r->range;
    size_t count = page->count;

    r->complete = !page->more || (range->before > 0 && page->next >= range->before - 1);
    while (range->before > 0 && count > 0 && page->items[count - 1].entry.seq >= range->before) {
        count--;
        r->complete = true;
    }
    if (range->limit > 0 && count >= (size_t)range->limit) {
        count = (size_t)range->limit;
        r->complete = true;
    }
    if (range->limit > 0)
        range->limit -= (int64_t)count;
    range->after = page->next;
    return count;
}

static void write_entries(struct replay *r, const struct history_item *items, size_t count)
{
    struct buf lines;

    buf_init(&lines, JSON_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        entry_write(&lines, &items[i].entry);
        buf_char(&lines, '\n');
    }
    assert(!lines.failed);
    http_stream_write(r->call->request, &lines);
}

/* Ends the stream or reads on, if it is time for it. Also called when there is nothing to do. */
static void advance(void *owner)
{
    struct replay *r = owner;

    if (r->reading)
        return;
    if (r->complete || http_request_is_gone(r->call->request)) {
        end_replay(r, CODE_OK);
        return;
    }
    read_on(r);
    if (!r->reading && http_stream_wants_more(r->call->request))
        end_replay(r, CODE_UNAVAILABLE);
}

static void on_stream_page(void *owner, enum code code, const struct history_page *page)
{
    struct replay *r = owner;
    size_t count;

    r->reading = false;
    if (code != CODE_OK) {
        end_replay(r, code);
        return;
    }
    if (!r->begun) {
        r->begun = true;
        http_stream_begin(r->call->request, 200, "application/x-ndjson", advance, r);
    }
    count = take(r, page);
    if (!r->complete)
        read_on(r); /* PostgreSQL works on the next page while this one is written */
    write_entries(r, page->items, count);
    advance(r);
}

static void stream(struct call *c, const struct range *range)
{
    struct replay *r = http_request_memory(c->request, sizeof *r);

    r->call = c;
    r->range = *range;
    if (r->range.after < 0)
        r->range.after = 0;
    advance(r);
}

static bool wants_stream(struct http_request *request)
{
    const char *accept = http_request_header(request, "Accept");

    return accept && strcasestr(accept, "application/x-ndjson") &&
           http_request_method(request) != HTTP_METHOD_HEAD;
}

/* False after answering. */
static bool read_view(struct call *c, bool *folded)
{
    const char *view = http_request_query(c->request, "view");

    *folded = view && strcmp(view, "folded") == 0;
    if (!view || *folded || strcmp(view, "raw") == 0)
        return true;
    call_refuse(c, CODE_INVALID, "\"view\" must be raw or folded");
    return false;
}

void handle_history(struct call *c)
{
    bool streams = wants_stream(c->request);
    struct range range = {.after = -1};

    if (!call_read_conversation(c, &range.conversation) ||
        !call_read_number(c, "after", 0, &range.after) ||
        !call_read_number(c, "before", 1, &range.before) ||
        !call_read_number(c, "limit", 1, &range.limit) || !read_view(c, &range.folded))
        return;
    if (streams) {
        stream(c, &range);
    } else if (range.limit > HISTORY_LIMIT_MAX) {
        call_refuse(c, CODE_INVALID, "\"limit\" is at most 1000; a stream has no upper bound");
    } else if (range.after >= 0 && range.before > 0) {
        call_refuse(c, CODE_INVALID, "\"after\" and \"before\" exclude each other");
    } else {
        answer_page(c, &range);
    }
}
