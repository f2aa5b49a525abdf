/* SPDX-License-Identifier: MIT */
/* fake_database.c - see fake_database.h. Columns that a test leaves out are NULL. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "base/buf.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { WAITING_MAX = 1024 };

struct asked {
    const struct db_statement *statement;
    db_reply_fn *reply;
    void *owner;
};

enum { TEXT_OID = 25, UUID_OID = 2950, PARAMETER_MAX_BYTES = 1 << 20 };

static struct asked waiting[WAITING_MAX];
static size_t waiting_count;
static bool is_down;

bool db_pool_query(struct db_pool *p, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner)
{
    (void)p;
    db_params_destroy(params);
    if (is_down)
        return false;
    assert(waiting_count < WAITING_MAX);
    waiting[waiting_count++] = (struct asked){statement, reply, owner};
    return true;
}

bool db_pool_is_ready(const struct db_pool *p)
{
    (void)p;
    return !is_down;
}

void fake_database_set_up(bool up)
{
    is_down = !up;
}

size_t fake_database_waiting(void)
{
    return waiting_count;
}

const char *fake_database_statement(size_t index)
{
    assert(index < waiting_count);
    return waiting[index].statement->name;
}

static void reply_to(size_t index, const struct db_reply *reply)
{
    struct asked a;

    assert(index < waiting_count);
    a = waiting[index];
    waiting_count--;
    memmove(waiting + index, waiting + index + 1, (waiting_count - index) * sizeof *waiting);
    a.reply(a.owner, reply);
}

void fake_database_answer(size_t index, PGresult *result)
{
    reply_to(index,
             &(struct db_reply){
                 .status = DB_OK, .result = result, .sqlstate = "", .message = "", .detail = ""});
    PQclear(result);
}

void fake_database_refuse(size_t index, const char *sqlstate, const char *message)
{
    reply_to(index,
             &(struct db_reply){
                 .status = DB_ERROR, .sqlstate = sqlstate, .message = message, .detail = ""});
}

void fake_database_fail(size_t index, enum db_status status)
{
    reply_to(index,
             &(struct db_reply){.status = status, .sqlstate = "", .message = "", .detail = ""});
}

PGresult *fake_result(int columns)
{
    PGresAttDesc attributes[32] = {{0}};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

    assert(result && columns <= (int)(sizeof attributes / sizeof *attributes));
    for (int i = 0; i < columns; i++) {
        attributes[i].name = (char *)"column";
        attributes[i].format = 1;
    }
    assert_int_not_equal(PQsetResultAttrs(result, columns, attributes), 0);
    return result;
}

static void set(PGresult *result, int row, int column, const void *value, int length)
{
    assert_int_not_equal(PQsetvalue(result, row, column, (char *)value, length), 0);
}

int fake_result_add_row(PGresult *result)
{
    int row = PQntuples(result);

    for (int column = 0; column < PQnfields(result); column++)
        set(result, row, column, NULL, -1);
    return row;
}

void fake_result_i64(PGresult *result, int row, int column, int64_t value)
{
    uint64_t bytes = htobe64((uint64_t)value);
    set(result, row, column, &bytes, sizeof bytes);
}

void fake_result_bool(PGresult *result, int row, int column, bool value)
{
    set(result, row, column, value ? "\1" : "\0", 1);
}

void fake_result_text(PGresult *result, int row, int column, const char *value)
{
    set(result, row, column, value, (int)strlen(value));
}

void fake_result_uuid(PGresult *result, int row, int column, const struct uuid *value)
{
    set(result, row, column, value->bytes, sizeof value->bytes);
}

static uint32_t take_be32(const char **at)
{
    uint32_t value;

    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return be32toh(value);
}

static void put_item(struct buf *out, uint32_t oid, const char *data, uint32_t length)
{
    char uuid[UUID_TEXT_LENGTH + 1];
    struct uuid id;
    uint64_t number;

    if (oid == TEXT_OID) {
        buf_json(out, slice_of(data, length)); /* escapes quotes and backslashes alike */
    } else if (oid == UUID_OID) {
        memcpy(id.bytes, data, sizeof id.bytes);
        uuid_format(&id, uuid);
        buf_str(out, uuid);
    } else {
        memcpy(&number, data, sizeof number);
        buf_i64(out, (int64_t)be64toh(number));
    }
}

static void put_array(struct buf *out, const char *at)
{
    bool has_items = take_be32(&at) > 0;
    uint32_t has_null = take_be32(&at), oid = take_be32(&at), nulls = 0, count = 0;

    if (has_items) {
        count = take_be32(&at);
        assert_int_equal(take_be32(&at), 1);
    }
    buf_char(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = take_be32(&at);

        if (i > 0)
            buf_char(out, ',');
        if (length == UINT32_MAX) {
            buf_str(out, "NULL");
            nulls++;
            continue;
        }
        put_item(out, oid, at, length);
        at += length;
    }
    buf_char(out, '}');
    assert_int_equal(has_null, nulls > 0);
}

char *fake_parameter_text(const struct params_pointers *p, int index)
{
    struct buf out;
    char *text;

    assert_true(index < p->count);
    buf_init(&out, PARAMETER_MAX_BYTES);
    if (p->formats[index])
        put_array(&out, p->values[index]);
    else
        buf_str(&out, p->values[index]);
    text = buf_detach(&out);
    assert_non_null(text);
    return text;
}
