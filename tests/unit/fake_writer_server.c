/* SPDX-License-Identifier: MIT */
/* fake_writer_server.c - see fake_writer_server.h. The tests use no text that needs an escape. */
#include "unit/unit.h"

#include "unit/fake_writer_server.h"

#include "unit/fake_database.h"

#include "base/memory.h"
#include "db/db.h"
#include "db/params.h"
#include "wire/entry.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TRANSACTIONS_MAX = 32,
    ROWS_MAX = 1024,
    STORED_MAX = 8192,
    NAME_MAX_LENGTH = 40,
    ADVANCES_MAX = 64,
};

struct row {
    char conversation[NAME_MAX_LENGTH];
    long sender;
    char id[NAME_MAX_LENGTH];
    char text[NAME_MAX_LENGTH];
    char kind[NAME_MAX_LENGTH]; /* empty in a batch of texts */
    char target[NAME_MAX_LENGTH];
};

/* What the writer says that a conversation is, and will be. */
struct told_head {
    char conversation[NAME_MAX_LENGTH];
    long head, last_seq, rights;
};

struct stored_row {
    struct row row;
    long seq;
};

struct transaction {
    bool is_batch, swift;
    long follows, number;
    struct row rows[ROWS_MAX]; /* the first `known_count` of which need no look */
    size_t row_count, known_count;
    struct told_head heads[ADVANCES_MAX];
    size_t head_count;
    long strangers; /* of whom the direct conversation is to be made */
    db_reply_fn *ensure_reply, *known_reply, *append_reply, *end_reply;
    void *ensure_owner, *known_owner, *append_owner, *end_owner;
};

static struct stored_row stored[STORED_MAX];
static size_t stored_count;
static size_t quarantined;
static struct transaction queue[TRANSACTIONS_MAX]; /* [count] is the one being built */
static size_t queue_count;
static long session_batch;
static long role;   /* of everybody, everywhere */
static long rights; /* the trace of its last change */
static bool are_channels;
static const char *held;
static const char *closed;
static bool connected;
static db_conn_state_fn *state_changed;
static void *state_owner;

/* Takes the next element off an array's text; false at its end. */
static bool next_element(const char **at, char out[NAME_MAX_LENGTH])
{
    size_t length;

    if (**at == '{' || **at == ',')
        (*at)++;
    if (**at == '}')
        return false;
    *at += **at == '"';
    length = strcspn(*at, "\",}");
    assert_true(length < NAME_MAX_LENGTH);
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
    *at += **at == '"';
    return true;
}

#define TEXT_KIND "1"

static long count_strangers(const struct params_pointers *p)
{
    char *conversations = fake_parameter_text(p, 0);
    const char *at = conversations;
    char element[NAME_MAX_LENGTH];
    long count = 0;

    while (next_element(&at, element))
        count++;
    free(conversations);
    return count;
}

/* Behind those that are there. `last` is the last column that they need. */
static void read_rows(struct transaction *t, const struct params_pointers *p, int last)
{
    static const int columns[] = {0, 1, 2, 3, 5, 6};
    const char *at[ARRAY_LENGTH(columns)] = {NULL};
    char *texts[ARRAY_LENGTH(columns)] = {NULL};
    char sender[NAME_MAX_LENGTH];
    struct row *row = t->rows + t->row_count;

    for (size_t i = 0; i < ARRAY_LENGTH(columns) && columns[i] < p->count && columns[i] <= last;
         i++)
        at[i] = texts[i] = fake_parameter_text(p, columns[i]);
    for (; next_element(&at[0], row->conversation); row++) {
        assert_true(next_element(&at[1], sender) && next_element(&at[2], row->id) &&
                    next_element(&at[3], row->text));
        if (at[4] && next_element(&at[4], row->kind))
            assert_true(next_element(&at[5], row->target));
        if (strcmp(row->kind, TEXT_KIND) == 0)
            row->kind[0] = row->target[0] = '\0';
        row->sender = strtol(sender, NULL, 10);
    }
    t->row_count = (size_t)(row - t->rows);
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        free(texts[i]);
}

static long next_number(const char **at)
{
    char element[NAME_MAX_LENGTH];

    assert_true(next_element(at, element));
    return strtol(element, NULL, 10);
}

static void read_heads(struct transaction *t, const struct params_pointers *p)
{
    static const int columns[] = {6, 7, 8, 9};
    const char *at[ARRAY_LENGTH(columns)];
    char *texts[ARRAY_LENGTH(columns)];

    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        at[i] = texts[i] = fake_parameter_text(p, columns[i]);
    for (struct told_head *h = t->heads; next_element(&at[0], h->conversation); h++) {
        t->head_count++;
        assert_true(t->head_count < ADVANCES_MAX);
        h->head = next_number(&at[1]);
        h->last_seq = next_number(&at[2]);
        h->rights = next_number(&at[3]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        free(texts[i]);
}

bool db_conn_query(struct db_conn *c, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner)
{
    struct transaction *t = &queue[queue_count];
    struct params_pointers p;
    (void)c;

    if (strcmp(statement->name, "ingest_hasty") == 0) /* which begins the transaction */
        return connected;
    params_point(params, &p);
    if (!connected) {
        db_params_destroy(params);
        return false;
    }
    if (strcmp(statement->name, "ingest_follow") == 0) {
        *t = (struct transaction){.is_batch = true,
                                  .follows = strtol(p.values[0], NULL, 10),
                                  .number = strtol(p.values[1], NULL, 10)};
    } else if (strcmp(statement->name, "ingest_ensure") == 0) {
        t->strangers = count_strangers(&p);
        t->ensure_reply = reply;
        t->ensure_owner = owner;
    } else if (strcmp(statement->name, "ingest_known") == 0) {
        read_rows(t, &p, 3);
        read_heads(t, &p);
        t->known_count = t->row_count;
        t->swift = true;
        t->known_reply = reply;
        t->known_owner = owner;
    } else if (strcmp(statement->name, "ingest_append") == 0 ||
               strcmp(statement->name, "ingest_swift") == 0) {
        read_rows(t, &p, p.count);
        t->swift = strcmp(statement->name, "ingest_swift") == 0;
        t->append_reply = reply;
        t->append_owner = owner;
    }
    db_params_destroy(params);
    return true;
}

bool db_conn_sync(struct db_conn *c, db_reply_fn *reply, void *owner)
{
    (void)c;
    queue[queue_count].end_reply = reply;
    queue[queue_count].end_owner = owner;
    queue_count++;
    assert_true(queue_count < TRANSACTIONS_MAX);
    return true;
}

/* Only the quarantine comes alone. */
bool db_conn_run(struct db_conn *c, const struct db_statement *statement, struct db_params *params,
                 db_reply_fn *reply, void *owner)
{
    (void)c;
    assert_string_equal(statement->name, "ingest_quarantine");
    db_params_destroy(params);
    queue[queue_count] = (struct transaction){.end_reply = reply, .end_owner = owner};
    queue_count++;
    return true;
}

struct db_conn *db_conn_create(struct event_base *base, const struct db_conn_config *config,
                               db_conn_state_fn *changed, void *owner)
{
    (void)base;
    (void)config;
    state_changed = changed;
    state_owner = owner;
    return must_calloc(1, 1);
}

static void lose_everything(void)
{
    struct db_reply lost = {.status = DB_LOST, .sqlstate = "", .message = ""};
    size_t count = queue_count;

    connected = false;
    for (size_t i = 0; i < count; i++) {
        if (queue[i].ensure_reply)
            queue[i].ensure_reply(queue[i].ensure_owner, &lost);
        if (queue[i].known_reply)
            queue[i].known_reply(queue[i].known_owner, &lost);
        if (queue[i].append_reply)
            queue[i].append_reply(queue[i].append_owner, &lost);
        queue[i].end_reply(queue[i].end_owner, &lost);
    }
    queue_count = 0;
    state_changed(state_owner, false);
}

void db_conn_destroy(struct db_conn *c)
{
    if (connected)
        lose_everything();
    free(c);
}

bool db_conn_is_ready(const struct db_conn *c)
{
    (void)c;
    return connected;
}

void fake_server_reset(void)
{
    stored_count = 0;
    quarantined = 0;
    queue_count = 0;
    connected = false;
    role = ROLE_MEMBER;
    rights = 0;
    are_channels = false;
    held = NULL;
    closed = NULL;
}

void fake_server_hold(const char *conversation)
{
    held = conversation;
}

void fake_server_make_readers(void)
{
    role = ROLE_READER;
    rights++;
}

void fake_server_close(const char *conversation)
{
    closed = conversation;
}

void fake_server_make_channels(void)
{
    are_channels = true;
}

long fake_server_seq_of(const char *id)
{
    for (size_t i = 0; i < stored_count; i++) {
        if (strcmp(stored[i].row.id, id) == 0)
            return stored[i].seq;
    }
    return 0;
}

void fake_server_write(const char *conversation)
{
    struct stored_row *entry = &stored[stored_count++];

    assert_true(stored_count < STORED_MAX);
    *entry = (struct stored_row){.seq = 0};
    snprintf(entry->row.conversation, sizeof entry->row.conversation, "%s", conversation);
}

void fake_server_connect(void)
{
    connected = true;
    session_batch = 0;
    state_changed(state_owner, true);
}

size_t fake_server_waiting(void)
{
    return queue_count;
}

size_t fake_server_drafts_waiting(void)
{
    assert_true(queue_count > 0);
    return queue[0].row_count;
}

size_t fake_server_known_waiting(void)
{
    assert_true(queue_count > 0);
    return queue[0].known_count;
}

bool fake_server_looks_for_drafts(void)
{
    assert_true(queue_count > 0);
    return !queue[0].swift;
}

void fake_server_erase(void)
{
    for (size_t i = 0; i < stored_count; i++)
        stored[i].row.text[0] = '\0';
}

size_t fake_server_stored(void)
{
    return stored_count;
}

size_t fake_server_quarantined(void)
{
    return quarantined;
}

static struct transaction take_oldest(void)
{
    assert_true(queue_count > 0);
    struct transaction t = queue[0];
    queue_count--;
    memmove(queue, queue + 1, queue_count * sizeof queue[0]);
    return t;
}

static const struct stored_row *find_stored(const struct row *row)
{
    for (size_t i = 0; i < stored_count; i++) {
        const struct row *other = &stored[i].row;
        if (other->sender == row->sender && strcmp(other->id, row->id) == 0 &&
            strcmp(other->conversation, row->conversation) == 0)
            return &stored[i];
    }
    return NULL;
}

/* As batch.c numbers its verdicts. */
enum verdict { STORED, DUPLICATE, CONFLICT, READER = 4, ERASED = 11 };

static bool may_post(const struct row *row)
{
    return role >= ROLE_MEMBER && !(closed && strcmp(row->conversation, closed) == 0);
}

static enum verdict judge(const struct stored_row *old, const struct row *row)
{
    if (!old)
        return may_post(row) ? STORED : READER;
    if (old->row.text[0] == '\0')
        return ERASED;
    return strcmp(old->row.text, row->text) == 0 && strcmp(old->row.kind, row->kind) == 0 &&
                   strcmp(old->row.target, row->target) == 0
               ? DUPLICATE
               : CONFLICT;
}

static long head_of(const char *conversation)
{
    long head = 0;

    for (size_t i = 0; i < stored_count; i++)
        head += strcmp(stored[i].row.conversation, conversation) == 0;
    return head;
}

static bool are_heads_right(const struct transaction *t)
{
    for (size_t i = 0; i < t->head_count; i++) {
        const struct told_head *h = &t->heads[i];
        if (h->rights != rights || h->head != head_of(h->conversation))
            return false;
    }
    return true;
}

/* The SQLSTATE with which the transaction fails, or NULL. */
static const char *error_of(const struct transaction *t)
{
    if (t->is_batch && t->follows != session_batch)
        return "BT001";
    for (size_t i = 0; i < t->row_count; i++) {
        if (held && strcmp(t->rows[i].conversation, held) == 0)
            return "55P03";
        if (strcmp(t->rows[i].text, "poison") == 0)
            return "23514";
        if (t->swift && find_stored(&t->rows[i]))
            return "23505";
        if (t->swift && i >= t->known_count && !may_post(&t->rows[i]))
            return "BT002";
    }
    return are_heads_right(t) ? NULL : "BT002";
}

static void store(const struct row *row, long seq)
{
    assert_true(stored_count < STORED_MAX);
    stored[stored_count++] = (struct stored_row){*row, seq};
}

static void store_known(const struct transaction *t)
{
    for (size_t i = 0; i < t->known_count; i++)
        store(&t->rows[i], head_of(t->rows[i].conversation) + 1);
    for (size_t i = 0; i < t->head_count; i++)
        assert_int_equal(t->heads[i].last_seq, head_of(t->heads[i].conversation));
}

/* Columns as batch_append_statements have them: n, verdict, seq, at, role; and swift's rights. */
static PGresult *commit(const struct transaction *t)
{
    PGresult *result = fake_result(6);

    session_batch = t->is_batch ? t->number : session_batch;
    quarantined += !t->is_batch;
    store_known(t);
    for (size_t i = t->known_count; i < t->row_count; i++) {
        const struct row *row = &t->rows[i];
        const struct stored_row *old = find_stored(row);
        enum verdict verdict = judge(old, row);
        int line = fake_result_add_row(result);
        long seq = old ? old->seq : head_of(row->conversation) + 1;

        fake_result_i64(result, line, 0, (int64_t)(i - t->known_count) + 1);
        fake_result_i64(result, line, 1, verdict);
        fake_result_i64(result, line, 2, seq);
        fake_result_i64(result, line, 3, 0);
        fake_result_i64(result, line, 4, role);
        if (!are_channels)
            fake_result_i64(result, line, 5, rights);
        if (verdict == STORED)
            store(row, seq);
    }
    return result;
}

/* Columns: true, and the time. */
static void answer_known(const struct transaction *t)
{
    PGresult *result = fake_result(2);
    struct db_reply reply = {.status = DB_OK, .result = result, .sqlstate = "", .message = ""};
    int line = fake_result_add_row(result);

    fake_result_bool(result, line, 0, true);
    fake_result_i64(result, line, 1, 0);
    if (t->known_reply)
        t->known_reply(t->known_owner, &reply);
    PQclear(result);
}

/* BT002 with heads that are right is about what is looked up after them. */
static void answer_error(const struct transaction *t, const char *sqlstate)
{
    struct db_reply reply = {.status = DB_ABORTED, .sqlstate = sqlstate, .message = ""};

    if (strcmp(sqlstate, "BT002") == 0 && are_heads_right(t))
        answer_known(t);
    else if (t->known_reply)
        t->known_reply(t->known_owner, &reply);
    if (t->append_reply)
        t->append_reply(t->append_owner, &reply);
    t->end_reply(t->end_owner, &reply);
}

/* Columns: ord, and the two members, who are users 1 and 2 in all conversations. */
static void answer_ensure(const struct transaction *t)
{
    PGresult *result = fake_result(3);
    struct db_reply reply = {.status = DB_OK, .result = result, .sqlstate = "", .message = ""};

    for (long i = 0; i < t->strangers; i++) {
        int line = fake_result_add_row(result);
        fake_result_i64(result, line, 0, i + 1);
        fake_result_i64(result, line, 1, 1);
        fake_result_i64(result, line, 2, 2);
    }
    if (t->ensure_reply)
        t->ensure_reply(t->ensure_owner, &reply);
    PQclear(result);
}

void fake_server_run(void)
{
    struct transaction t = take_oldest();
    struct db_reply reply = {.status = DB_OK, .sqlstate = "", .message = ""};
    const char *error = error_of(&t);

    if (error) {
        answer_error(&t, error);
        return;
    }
    answer_ensure(&t);
    PGresult *result = commit(&t);
    answer_known(&t);
    reply.result = result;
    if (t.append_reply)
        t.append_reply(t.append_owner, &reply);
    reply.result = NULL;
    t.end_reply(t.end_owner, &reply);
    PQclear(result);
}

void fake_server_answer(void)
{
    struct transaction *t = &queue[0];
    size_t stored_before = stored_count;
    long batch_before = session_batch;
    struct db_reply reply = {.status = DB_OK, .sqlstate = "", .message = ""};

    assert_true(queue_count > 0 && !error_of(t) && t->append_reply);
    PGresult *result = commit(t);
    reply.result = result;
    stored_count = stored_before;
    session_batch = batch_before;
    t->append_reply(t->append_owner, &reply);
    t->append_reply = NULL;
    PQclear(result);
}

void fake_server_fail(const char *sqlstate)
{
    struct transaction t = take_oldest();
    answer_error(&t, sqlstate);
}

void fake_server_break_after(size_t count)
{
    for (size_t i = 0; i < count && i < queue_count; i++) {
        if (!error_of(&queue[i]))
            PQclear(commit(&queue[i]));
    }
    lose_everything();
}
