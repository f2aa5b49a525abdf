/* SPDX-License-Identifier: MIT */
/* params.c - the parameters of one query: arrays and bytea in PostgreSQL's binary format, which it
 * takes without parsing, the rest as text.
 *
 * All values live in one buffer, each followed by a NUL as libpq wants text parameters. Pointers
 * into it are made only at the end, because the buffer moves while it grows. */
#include "db/params.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

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
    enum db_array_type array_type;
    size_t array_offset; /* of the array's header in data */
    uint32_t array_count;
    bool array_has_null;
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

void db_text_or_null(struct db_params *p, struct slice value)
{
    if (value.length > 0)
        db_text(p, value);
    else
        db_null(p);
}

void db_text_if_given(struct db_params *p, struct slice value)
{
    if (value.data)
        db_text(p, value);
    else
        db_null(p);
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

static void put_be32(struct buf *data, uint32_t value)
{
    value = htobe32(value);
    buf_bytes(data, &value, sizeof value);
}

/* As array_recv() of PostgreSQL wants it (src/backend/utils/adt/arrayfuncs.c). The header is
 * known only at the end. */
enum { ARRAY_HEADER_BYTES = 20, EMPTY_ARRAY_BYTES = 12 };

void db_array_begin(struct db_params *p, enum db_array_type type)
{
    static const char header[ARRAY_HEADER_BYTES];

    begin(p)->binary = true;
    p->in_array = true;
    p->array_type = type;
    p->array_offset = p->data.length;
    p->array_count = 0;
    p->array_has_null = false;
    buf_bytes(&p->data, header, sizeof header);
}

static void put_length(struct db_params *p, enum db_array_type type, size_t length)
{
    assert(p->in_array && p->array_type == type && length <= INT32_MAX);
    p->array_count++;
    put_be32(&p->data, (uint32_t)length);
}

void db_array_null(struct db_params *p)
{
    assert(p->in_array);
    p->array_has_null = true;
    p->array_count++;
    put_be32(&p->data, UINT32_MAX); /* a length of -1 */
}

static void put_eight(struct db_params *p, enum db_array_type type, uint64_t value)
{
    uint64_t bytes = htobe64(value);

    put_length(p, type, sizeof bytes);
    buf_bytes(&p->data, &bytes, sizeof bytes);
}

void db_array_i64(struct db_params *p, int64_t value)
{
    put_eight(p, DB_I64_ARRAY, (uint64_t)value);
}

void db_array_xid8(struct db_params *p, uint64_t value)
{
    put_eight(p, DB_XID8_ARRAY, value);
}

void db_array_text(struct db_params *p, struct slice value)
{
    assert(!holds_nul(value));
    put_length(p, DB_TEXT_ARRAY, value.length);
    buf_slice_put(&p->data, value);
}

void db_array_uuid(struct db_params *p, const struct uuid *value)
{
    put_length(p, DB_UUID_ARRAY, sizeof value->bytes);
    buf_bytes(&p->data, value->bytes, sizeof value->bytes);
}

void db_array_end(struct db_params *p)
{
    static const uint32_t oids[] = {
        [DB_I64_ARRAY] = 20, [DB_TEXT_ARRAY] = 25, [DB_UUID_ARRAY] = 2950, [DB_XID8_ARRAY] = 5069};
    /* Dimensions, whether there are NULLs, type; of the only dimension: size, lower bound. */
    const uint32_t header[] = {htobe32(p->array_count > 0), htobe32(p->array_has_null),
                               htobe32(oids[p->array_type]), htobe32(p->array_count), htobe32(1)};

    static_assert(sizeof header == ARRAY_HEADER_BYTES, "five fields");
    assert(p->in_array);
    p->in_array = false;
    if (!p->data.failed) {
        memcpy(p->data.data + p->array_offset, header, sizeof header);
        if (p->array_count == 0)
            p->data.length = p->array_offset + EMPTY_ARRAY_BYTES;
    }
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
