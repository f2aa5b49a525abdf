/* SPDX-License-Identifier: MIT */
/* values.c - reads columns of binary results. A column of another type or width than asked for is a
 * bug in the caller's SQL, so it is asserted, not reported. */
#include "db/db.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* PostgreSQL counts microseconds from 2000-01-01 00:00 UTC; this is that moment in Unix time. */
static const int64_t postgres_epoch_ms = INT64_C(946684800000);

static struct slice column_bytes(const PGresult *r, int row, int column)
{
    assert(row < PQntuples(r) && column < PQnfields(r));
    assert(PQfformat(r, column) == 1);
    return slice_of(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

bool db_get_null(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) == 1;
}

int64_t db_get_i64(const PGresult *r, int row, int column)
{
    struct slice bytes = column_bytes(r, row, column);
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (bytes.length) {
    case 0:
        return 0;
    case sizeof two:
        memcpy(&two, bytes.data, sizeof two);
        return (int16_t)be16toh(two);
    case sizeof four:
        memcpy(&four, bytes.data, sizeof four);
        return (int32_t)be32toh(four);
    default:
        assert(bytes.length == sizeof eight);
        memcpy(&eight, bytes.data, sizeof eight);
        return (int64_t)be64toh(eight);
    }
}

uint64_t db_get_xid8(const PGresult *r, int row, int column)
{
    return (uint64_t)db_get_i64(r, row, column);
}

bool db_get_bool(const PGresult *r, int row, int column)
{
    struct slice bytes = column_bytes(r, row, column);
    assert(bytes.length <= 1);
    return bytes.length == 1 && bytes.data[0] != 0;
}

struct slice db_get_text(const PGresult *r, int row, int column)
{
    return column_bytes(r, row, column);
}

struct uuid db_get_uuid(const PGresult *r, int row, int column)
{
    struct slice bytes = column_bytes(r, row, column);
    struct uuid u = {{0}};

    if (bytes.length == 0)
        return u;
    assert(bytes.length == sizeof u.bytes);
    memcpy(u.bytes, bytes.data, sizeof u.bytes);
    return u;
}

int64_t db_get_time_ms(const PGresult *r, int row, int column)
{
    if (db_get_null(r, row, column))
        return 0;
    int64_t us = db_get_i64(r, row, column);
    int64_t ms = us / 1000 - (us % 1000 < 0); /* round towards the past before 2000 too */
    return postgres_epoch_ms + ms;
}
