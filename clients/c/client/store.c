/* SPDX-License-Identifier: MIT */
/* store.c - see store.h. Every statement stands in one table and is prepared once.
 *
 * Why `synchronous` changes from commit to commit: a draft must be on the disk before it counts as
 * taken, while a position is written with each entry, and a sync of the disk for each would make
 * the telling a hundred times slower. */
#include "client/store.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    SET,
    UNSET,
    GET,
    DRAFT_ADD,
    DRAFT_COUNT,
    DRAFTS_AFTER,
    DRAFT_BODY,
    DRAFT_REMOVE,
    DRAFT_RETARGET,
    DIRECT_SET,
    POSITIONS,
    POSITION_SET,
    STATEMENT_COUNT
};

static const char *const texts[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SET] = "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
    [UNSET] = "DELETE FROM setting WHERE name = ?1",
    [GET] = "SELECT value FROM setting WHERE name = ?1",
    [DRAFT_ADD] = "INSERT INTO draft (id, target, body) VALUES"
                  " (?1, coalesce((SELECT conversation FROM direct WHERE handle = ?2), ?2), ?3)",
    [DRAFT_COUNT] = "SELECT count(*) FROM draft",
    [DRAFTS_AFTER] = "SELECT number, id, target, length(CAST(body AS BLOB)) FROM draft"
                     " WHERE number > ?1 ORDER BY number LIMIT ?2",
    [DRAFT_BODY] = "SELECT body FROM draft WHERE number = ?1",
    [DRAFT_REMOVE] = "DELETE FROM draft WHERE number = ?1",
    [DRAFT_RETARGET] = "UPDATE draft SET target = ?2 WHERE target = ?1",
    [DIRECT_SET] = "INSERT INTO direct VALUES (?1, ?2) ON CONFLICT DO UPDATE SET conversation = ?2",
    [POSITIONS] = "SELECT conversation, seq FROM position",
    [POSITION_SET] = "INSERT INTO position VALUES (?1, ?2) ON CONFLICT DO UPDATE SET seq = ?2",
};

/* One version so far; whoever changes it brings what it meets up to the new one. */
static const char schema[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA secure_delete = ON;"
    "BEGIN EXCLUSIVE;"
    "CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS draft (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS direct (handle TEXT PRIMARY KEY, conversation TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS position (conversation TEXT PRIMARY KEY, seq INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

enum { SCHEMA_VERSION = 1 };

static const char clearing[] = "BEGIN IMMEDIATE; DELETE FROM setting; DELETE FROM draft;"
                               "DELETE FROM direct; DELETE FROM position; COMMIT;";

/* What a commit survives. */
enum safety {
    NOT_SET,
    THE_PROCESS, /* its death */
    THE_POWER,   /* and a power failure */
};

struct store {
    pthread_mutex_t mutex;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    enum safety safety;
    size_t drafts;
};

static int error_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return BANTER_OK;
    case SQLITE_NOMEM:
        return BANTER_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return BANTER_BUSY;
    case SQLITE_CONSTRAINT:
        return BANTER_CONFLICT;
    default:
        return BANTER_STORE;
    }
}

/* ---- statements; the caller holds the mutex ---- */

static int prepared(struct store *s, enum statement which, sqlite3_stmt **out)
{
    int result = SQLITE_OK;

    if (!s->statements[which])
        result = sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                    &s->statements[which], NULL);
    *out = s->statements[which];
    return error_of(result);
}

static int bind_text(sqlite3_stmt *stmt, int place, const char *text, size_t length)
{
    return sqlite3_bind_text64(stmt, place, text, length, SQLITE_STATIC, SQLITE_UTF8);
}

/* Ends a statement; its error, unless there was one before. */
static int finish(sqlite3_stmt *stmt, int error)
{
    int result = error_of(sqlite3_reset(stmt));

    sqlite3_clear_bindings(stmt);
    return error ? error : result;
}

/* Runs one that gives no rows; the parameters are what is not NULL. */
static int run(struct store *s, enum statement which, const char *first, const char *second,
               const char *third)
{
    const char *parameters[] = {first, second, third};
    sqlite3_stmt *stmt;
    int error = prepared(s, which, &stmt);

    for (int i = 0; !error && i < 3 && parameters[i]; i++)
        error = error_of(bind_text(stmt, i + 1, parameters[i], strlen(parameters[i])));
    if (!error)
        error = error_of(sqlite3_step(stmt));
    return stmt ? finish(stmt, error) : error;
}

/* For the commits that follow. Not a prepared statement: a pragma acts when it is prepared. */
static int make_safe(struct store *s, enum safety safety)
{
    const char *pragma =
        safety == THE_POWER ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
    int error = BANTER_OK;

    if (s->safety != safety)
        error = error_of(sqlite3_exec(s->db, pragma, NULL, NULL, NULL));
    s->safety = error ? NOT_SET : safety;
    return error;
}

static int begin(struct store *s, enum safety safety)
{
    int error = make_safe(s, safety);

    return error ? error : run(s, BEGIN, NULL, NULL, NULL);
}

static int end(struct store *s, int error)
{
    if (!error)
        error = run(s, COMMIT, NULL, NULL, NULL);
    if (error && !sqlite3_get_autocommit(s->db))
        (void)run(s, ROLLBACK, NULL, NULL, NULL);
    return error;
}

static int copy_column(sqlite3_stmt *stmt, int column, char **out, size_t *length)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    size_t bytes = (size_t)sqlite3_column_bytes(stmt, column);

    *out = text ? malloc(bytes + 1) : NULL;
    if (!*out)
        return BANTER_NO_MEMORY;
    memcpy(*out, text, bytes);
    (*out)[bytes] = '\0';
    if (length)
        *length = bytes;
    return BANTER_OK;
}

static bool copy_fixed(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    size_t bytes = (size_t)sqlite3_column_bytes(stmt, column);

    if (!text || bytes >= size)
        return false;
    memcpy(out, text, bytes + 1);
    return true;
}

/* ---- opening ---- */

/* SQLite makes its own files beside with the same mode. */
static int make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return BANTER_STORE;
    close(fd);
    return BANTER_OK;
}

static int check_version(struct store *s)
{
    sqlite3_stmt *stmt = NULL;
    int error = error_of(sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &stmt, NULL));

    if (!error && sqlite3_step(stmt) == SQLITE_ROW) {
        int version = sqlite3_column_int(stmt, 0);

        if (version != 0 && version != SCHEMA_VERSION)
            error = BANTER_STORE;
    }
    sqlite3_finalize(stmt);
    return error;
}

static int count_drafts(struct store *s)
{
    sqlite3_stmt *stmt;
    int error = prepared(s, DRAFT_COUNT, &stmt);

    if (error)
        return error;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        s->drafts = (size_t)sqlite3_column_int64(stmt, 0);
    return finish(stmt, BANTER_OK);
}

static int open_database(struct store *s, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int error = path ? make_private(path) : BANTER_OK;

    if (!error)
        error = error_of(sqlite3_open_v2(path ? path : ":memory:", &s->db, flags, NULL));
    if (!error)
        error = check_version(s);
    if (!error)
        error = error_of(sqlite3_exec(s->db, schema, NULL, NULL, NULL));
    if (!error)
        error = count_drafts(s);
    return error == BANTER_CONFLICT ? BANTER_STORE : error;
}

int store_open(struct store **out, const char *path)
{
    struct store *s = calloc(1, sizeof *s);
    int error;

    if (!s)
        return BANTER_NO_MEMORY;
    if (pthread_mutex_init(&s->mutex, NULL) != 0) {
        free(s);
        return BANTER_NO_MEMORY;
    }
    error = open_database(s, path);
    if (error)
        store_close(s);
    else
        *out = s;
    return error;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* Nothing but store_post() and store_open() may say these. */
static int leave(struct store *s, int error)
{
    pthread_mutex_unlock(&s->mutex);
    return error == BANTER_CONFLICT || error == BANTER_BUSY ? BANTER_STORE : error;
}

/* ---- settings ---- */

int store_set(struct store *s, const struct store_setting *settings, size_t count)
{
    int error;

    pthread_mutex_lock(&s->mutex);
    error = begin(s, THE_POWER);
    for (size_t i = 0; !error && i < count; i++)
        error = settings[i].value ? run(s, SET, settings[i].name, settings[i].value, NULL)
                                  : run(s, UNSET, settings[i].name, NULL, NULL);
    return leave(s, end(s, error));
}

int store_get(struct store *s, const char *name, char **value)
{
    sqlite3_stmt *stmt;
    int error;

    *value = NULL;
    pthread_mutex_lock(&s->mutex);
    error = prepared(s, GET, &stmt);
    if (!error)
        error = error_of(bind_text(stmt, 1, name, strlen(name)));
    if (!error && sqlite3_step(stmt) == SQLITE_ROW)
        error = copy_column(stmt, 0, value, NULL);
    if (stmt)
        error = finish(stmt, error);
    return leave(s, error);
}

/* ---- drafts ---- */

static int add_draft(struct store *s, const char *target, const char *id, const char *body,
                     size_t length)
{
    sqlite3_stmt *stmt;
    int error = prepared(s, DRAFT_ADD, &stmt);

    if (!error)
        error = error_of(bind_text(stmt, 1, id, strlen(id)));
    if (!error)
        error = error_of(bind_text(stmt, 2, target, strlen(target)));
    if (!error)
        error = error_of(bind_text(stmt, 3, body, length));
    if (!error)
        error = error_of(sqlite3_step(stmt));
    return stmt ? finish(stmt, error) : error;
}

int store_post(struct store *s, const char *target, const char *id, const char *body, size_t length,
               size_t most)
{
    int error;

    pthread_mutex_lock(&s->mutex);
    error = s->drafts >= most ? BANTER_FULL : make_safe(s, THE_POWER);
    if (!error) {
        error = add_draft(s, target, id, body, length);
        s->drafts += !error;
    }
    pthread_mutex_unlock(&s->mutex);
    return error == BANTER_BUSY ? BANTER_STORE : error;
}

size_t store_draft_count(struct store *s)
{
    size_t count;

    pthread_mutex_lock(&s->mutex);
    count = s->drafts;
    pthread_mutex_unlock(&s->mutex);
    return count;
}

static bool read_draft(sqlite3_stmt *stmt, struct store_draft *d)
{
    d->number = sqlite3_column_int64(stmt, 0);
    d->length = (size_t)sqlite3_column_int64(stmt, 3);
    return copy_fixed(stmt, 1, d->id, sizeof d->id) &&
           copy_fixed(stmt, 2, d->target, sizeof d->target);
}

int store_drafts_after(struct store *s, int64_t number, struct store_draft *drafts, size_t most,
                       size_t *count)
{
    sqlite3_stmt *stmt;
    int error;

    *count = 0;
    pthread_mutex_lock(&s->mutex);
    error = prepared(s, DRAFTS_AFTER, &stmt);
    if (!error)
        error = error_of(sqlite3_bind_int64(stmt, 1, number));
    if (!error)
        error = error_of(sqlite3_bind_int64(stmt, 2, (int64_t)most));
    while (!error && *count < most && sqlite3_step(stmt) == SQLITE_ROW) {
        if (read_draft(stmt, &drafts[*count]))
            ++*count;
        else
            error = BANTER_STORE;
    }
    if (stmt)
        error = finish(stmt, error);
    return leave(s, error);
}

int store_draft_body(struct store *s, int64_t number, char **body, size_t *length)
{
    sqlite3_stmt *stmt;
    int error;

    *body = NULL;
    pthread_mutex_lock(&s->mutex);
    error = prepared(s, DRAFT_BODY, &stmt);
    if (!error)
        error = error_of(sqlite3_bind_int64(stmt, 1, number));
    if (!error && sqlite3_step(stmt) == SQLITE_ROW)
        error = copy_column(stmt, 0, body, length);
    if (stmt)
        error = finish(stmt, error);
    return leave(s, error);
}

int store_draft_remove(struct store *s, int64_t number)
{
    sqlite3_stmt *stmt = NULL;
    int error;

    pthread_mutex_lock(&s->mutex);
    error = make_safe(s, THE_PROCESS);
    if (!error)
        error = prepared(s, DRAFT_REMOVE, &stmt);
    if (!error)
        error = error_of(sqlite3_bind_int64(stmt, 1, number));
    if (!error)
        error = error_of(sqlite3_step(stmt));
    if (stmt)
        error = finish(stmt, error);
    if (!error && sqlite3_changes(s->db) > 0)
        s->drafts--;
    return leave(s, error);
}

int store_retarget(struct store *s, const char *handle, const char *conversation)
{
    int error;

    pthread_mutex_lock(&s->mutex);
    error = begin(s, THE_PROCESS);
    if (!error)
        error = run(s, DIRECT_SET, handle, conversation, NULL);
    if (!error)
        error = run(s, DRAFT_RETARGET, handle, conversation, NULL);
    return leave(s, end(s, error));
}

/* ---- positions ---- */

int store_positions(struct store *s, store_position_fn *each, void *owner)
{
    sqlite3_stmt *stmt;
    int error;

    pthread_mutex_lock(&s->mutex);
    error = prepared(s, POSITIONS, &stmt);
    while (!error && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *conversation = (const char *)sqlite3_column_text(stmt, 0);

        error = conversation ? each(owner, conversation, sqlite3_column_int64(stmt, 1))
                             : BANTER_NO_MEMORY;
    }
    if (stmt)
        error = finish(stmt, error);
    return leave(s, error);
}

int store_set_position(struct store *s, const char *conversation, int64_t seq)
{
    sqlite3_stmt *stmt = NULL;
    int error;

    assert(seq >= 0);
    pthread_mutex_lock(&s->mutex);
    error = make_safe(s, THE_PROCESS);
    if (!error)
        error = prepared(s, POSITION_SET, &stmt);
    if (!error)
        error = error_of(bind_text(stmt, 1, conversation, strlen(conversation)));
    if (!error)
        error = error_of(sqlite3_bind_int64(stmt, 2, seq));
    if (!error)
        error = error_of(sqlite3_step(stmt));
    if (stmt)
        error = finish(stmt, error);
    return leave(s, error);
}

int store_clear(struct store *s)
{
    int error;

    pthread_mutex_lock(&s->mutex);
    error = make_safe(s, THE_POWER);
    if (!error)
        error = error_of(sqlite3_exec(s->db, clearing, NULL, NULL, NULL));
    if (error) {
        if (!sqlite3_get_autocommit(s->db))
            (void)run(s, ROLLBACK, NULL, NULL, NULL);
        return leave(s, error);
    }
    s->drafts = 0;
    /* The write-ahead log has it all still; should this fail, the next checkpoint will do. */
    (void)sqlite3_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    return leave(s, BANTER_OK);
}
