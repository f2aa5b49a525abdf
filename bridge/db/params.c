/* SPDX-License-Identifier: MIT */
/* params.c - the parameters of one query, in libpq's text format (bytea in binary format).
 *
 * All values live in one buffer, each followed by a NUL as libpq wants text parameters. Pointers
 * into it are made only at the end, because the buffer moves while it grows. */
#include "db/params.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* Callers bound what they put into a query far below this. */
enum { DATA_CEILING_BYTES = 1 << 29 };

struct parameter {
    size_t offset; /* into data */
    int length;    /* bytes, without the NUL */
    bool null;
    bool binary;
};

struct db_params {
    struct buf data;
    struct parameter items[DB_PARAMETERS_MAX];
    int count; /* finished parameters */
    bool in_array;
    bool array_has_items;
};

struct db_params *db_params_create(void)
{
    struct db_params *p = must_calloc(1, sizeof *p);
    buf_init(&p->data, DATA_CEILING_BYTES);
    return p;
}

void db_params_destroy(struct db_params *p)
{
    if (!p)
        return;
    buf_finish(&p->data);
    free(p);
}

static struct parameter *begin(struct db_params *p)
{
    assert(p->count < DB_PARAMETERS_MAX);
    assert(!p->in_array);
    struct parameter *item = &p->items[p->count];
    *item = (struct parameter){.offset = p->data.length};
    return item;
}

static void end(struct db_params *p)
{
    struct parameter *item = &p->items[p->count];
    item->length = (int)(p->data.length - item->offset);
    buf_char(&p->data, '\0');
    p->count++;
}

void db_null(struct db_params *p)
{
    begin(p)->null = true;
    end(p);
}

void db_i64(struct db_params *p, int64_t value)
{
    begin(p);
    buf_i64(&p->data, value);
    end(p);
}

void db_bool(struct db_params *p, bool value)
{
    begin(p);
    buf_char(&p->data, value ? 't' : 'f');
    end(p);
}

static bool holds_nul(struct slice s)
{
    return s.length > 0 && memchr(s.data, '\0', s.length) != NULL;
}

void db_text(struct db_params *p, struct slice value)
{
    assert(!holds_nul(value));
    begin(p);
    buf_slice_put(&p->data, value);
    end(p);
}

static void put_uuid(struct buf *data, const struct uuid *value)
{
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(value, text);
    buf_bytes(data, text, UUID_TEXT_LENGTH);
}

void db_uuid(struct db_params *p, const struct uuid *value)
{
    begin(p);
    put_uuid(&p->data, value);
    end(p);
}

void db_bytes(struct db_params *p, struct slice value)
{
    begin(p)->binary = true;
    buf_slice_put(&p->data, value);
    end(p);
}

void db_array_begin(struct db_params *p)
{
    begin(p);
    p->in_array = true;
    p->array_has_items = false;
    buf_char(&p->data, '{');
}

static void separate(struct db_params *p)
{
    assert(p->in_array);
    if (p->array_has_items)
        buf_char(&p->data, ',');
    p->array_has_items = true;
}

void db_array_null(struct db_params *p)
{
    separate(p);
    buf_str(&p->data, "NULL");
}

void db_array_i64(struct db_params *p, int64_t value)
{
    separate(p);
    buf_i64(&p->data, value);
}

/* Always quoted, so that no text is ever taken for NULL, a brace or a separator. */
void db_array_text(struct db_params *p, struct slice value)
{
    const char *from = value.data;
    const char *stop = value.data + value.length;

    assert(!holds_nul(value));
    separate(p);
    buf_char(&p->data, '"');
    for (const char *at = from; at < stop; at++) {
        if (*at != '"' && *at != '\\')
            continue;
        buf_bytes(&p->data, from, (size_t)(at - from));
        buf_char(&p->data, '\\');
        from = at; /* the escaped character starts the next run */
    }
    buf_bytes(&p->data, from, (size_t)(stop - from));
    buf_char(&p->data, '"');
}

void db_array_uuid(struct db_params *p, const struct uuid *value)
{
    separate(p);
    put_uuid(&p->data, value);
}

void db_array_end(struct db_params *p)
{
    assert(p->in_array);
    buf_char(&p->data, '}');
    p->in_array = false;
    end(p);
}

int params_count(const struct db_params *p)
{
    return p ? p->count : 0;
}

void params_point(const struct db_params *p, struct params_pointers *out)
{
    *out = (struct params_pointers){.count = params_count(p)};
    if (!p)
        return;
    assert(!p->in_array);
    if (p->data.failed) {
        log_error("db", "out of memory for the parameters of a query");
        abort();
    }
    for (int i = 0; i < p->count; i++) {
        const struct parameter *item = &p->items[i];
        out->values[i] = item->null ? NULL : p->data.data + item->offset;
        out->lengths[i] = item->length;
        out->formats[i] = item->binary;
    }
}
