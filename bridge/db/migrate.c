/* SPDX-License-Identifier: MIT */
/* migrate.c - applies the numbered SQL files.
 *
 * An advisory lock makes several bridges that start together take turns. Each file runs in one
 * transaction with the row that records it, so a file is applied wholly or not at all. */
#include "db/migrate.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>

enum {
    NUMBER_DIGITS = 4,
    FILES_MAX = 9999,
    FILE_MAX_BYTES = 1 << 20,
    SHA256_TEXT_LENGTH = 64,
    RETRY_MS = 250,
    SESSION_SQL_MAX = 128,
};

/* "banter" in ASCII: any constant will do, as long as all bridges use the same. */
#define LOCK_SQL "SELECT pg_advisory_lock(x'62616e746572'::bigint)"

static const char rights_file[] = "rights.sql";

static const char schema_sql[] =
    "CREATE SCHEMA IF NOT EXISTS banter;"
    "CREATE TABLE IF NOT EXISTS banter.migrations ("
    "  number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
    "  applied_at timestamptz(3) NOT NULL DEFAULT now())";

struct migration {
    int number;
    char *name; /* the file's, owned */
    struct buf sql;
    char sha256[SHA256_TEXT_LENGTH + 1];
};

struct migration_list {
    struct migration *items; /* in rising order of number */
    int count;
};

static int is_migration(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t length = strlen(name);

    for (int i = 0; i < NUMBER_DIGITS; i++) {
        if (!isdigit((unsigned char)name[i]))
            return 0;
    }
    return name[NUMBER_DIGITS] == '_' && length > 4 && strcmp(name + length - 4, ".sql") == 0;
}

/* Of a file's name, and of a number as PostgreSQL writes it. */
static int number_of(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static bool read_migration(const char *directory, const char *name, struct migration *m)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[SHA256_TEXT_LENGTH / 2];
    char path[4096];
    bool ok;

    m->number = number_of(name);
    m->name = must_strndup(slice_str(name));
    buf_init(&m->sql, FILE_MAX_BYTES);
    ok = snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path &&
         file_read(path, &m->sql);
    if (!ok) {
        log_error("migrate", "cannot read %s/%s: %s", directory, name, strerror(errno));
        return false;
    }
    if (EVP_Digest(m->sql.data, m->sql.length, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t i = 0; i < sizeof digest; i++) {
        m->sha256[2 * i] = hex[digest[i] >> 4];
        m->sha256[2 * i + 1] = hex[digest[i] & 15];
    }
    return true;
}

static void free_list(struct migration_list *list)
{
    for (int i = 0; i < list->count; i++) {
        free(list->items[i].name);
        buf_finish(&list->items[i].sql);
    }
    free(list->items);
}

static bool read_directory(const char *directory, struct migration_list *list)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_migration, alphasort);
    bool ok = count > 0 && count <= FILES_MAX;

    if (!ok)
        log_error("migrate", "no migrations in %s", directory);
    list->count = 0;
    list->items = must_calloc(ok ? (size_t)count : 1, sizeof *list->items);
    for (int i = 0; i < count; i++) {
        if (ok) {
            ok = read_migration(directory, entries[i]->d_name, &list->items[list->count++]);
            if (ok && i > 0 && list->items[i].number == list->items[i - 1].number) {
                log_error("migrate", "two migrations have the number %d", list->items[i].number);
                ok = false;
            }
        }
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static void ignore_notice(void *argument, const PGresult *notice)
{
    (void)argument;
    (void)notice;
}

static PGconn *connect_waiting(const char *dsn, unsigned wait_ms)
{
    uint64_t stop_ms = clock_monotonic_ms() + wait_ms;
    const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};

    for (;;) {
        PGconn *pg = PQconnectdb(dsn);
        if (pg && PQstatus(pg) == CONNECTION_OK) {
            PQsetNoticeReceiver(pg, ignore_notice, NULL);
            return pg;
        }
        if (clock_monotonic_ms() >= stop_ms) {
            log_error("migrate", "no connection: %s", pg ? PQerrorMessage(pg) : "out of memory");
            PQfinish(pg);
            return NULL;
        }
        PQfinish(pg);
        nanosleep(&pause, NULL);
    }
}

/* Several statements without parameters. The last one's result, or NULL after logging `what`. */
static PGresult *run(PGconn *pg, const char *sql, const char *what)
{
    PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return r;
    log_error("migrate", "%s: %s", what, PQerrorMessage(pg));
    PQclear(r);
    return NULL;
}

static bool run_without_result(PGconn *pg, const char *sql, const char *what)
{
    PGresult *r = run(pg, sql, what);
    PQclear(r);
    return r != NULL;
}

static bool record(PGconn *pg, const struct migration *m)
{
    char number[16];
    const char *const values[] = {number, m->name, m->sha256};
    PGresult *r;
    bool ok;

    snprintf(number, sizeof number, "%d", m->number);
    r = PQexecParams(pg,
                     "INSERT INTO banter.migrations (number, name, sha256)"
                     " VALUES ($1::integer, $2, $3)",
                     3, NULL, values, NULL, NULL, 0);
    ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    if (!ok)
        log_error("migrate", "%s: %s", m->name, PQerrorMessage(pg));
    PQclear(r);
    return ok;
}

static bool apply(PGconn *pg, const struct migration *m)
{
    bool ok = run_without_result(pg, "BEGIN", m->name) &&
              run_without_result(pg, m->sql.data ? m->sql.data : "", m->name) && record(pg, m) &&
              run_without_result(pg, "COMMIT", m->name);

    if (ok)
        log_info("migrate", "applied %s", m->name);
    return ok; /* after a failure the connection is closed, which rolls back */
}

/* Goes through what was applied and what is on disk side by side, both in order of number. */
static bool bring_up_to_date(PGconn *pg, const struct migration_list *list)
{
    PGresult *applied =
        run(pg, "SELECT number, sha256, name FROM banter.migrations ORDER BY number",
            "reading banter.migrations");
    int applied_count = applied ? PQntuples(applied) : 0;
    bool ok = applied != NULL;

    for (int i = 0; ok && i < applied_count; i++) {
        const struct migration *m = i < list->count ? &list->items[i] : NULL;
        if (!m || m->number != number_of(PQgetvalue(applied, i, 0))) {
            log_error("migrate", "applied before, but not at its place on disk: %s",
                      PQgetvalue(applied, i, 2));
            ok = false;
        } else if (strcmp(m->sha256, PQgetvalue(applied, i, 1)) != 0) {
            log_error("migrate", "%s was changed after it was applied", m->name);
            ok = false;
        }
    }
    PQclear(applied);
    for (int i = applied_count; ok && i < list->count; i++)
        ok = apply(pg, &list->items[i]);
    return ok;
}

/* The role that the bridge connects as: what libpq makes of the connection string, its defaults
 * included. Malloc'd; NULL after logging why not. */
static char *bridge_role(const char *database)
{
    PGconn *pg = PQconnectStart(database); /* nothing is waited for */
    const char *user = pg ? PQuser(pg) : NULL;
    char *role = user && user[0] != '\0' ? must_strndup(slice_str(user)) : NULL;

    if (!role)
        log_error("migrate", "no telling as whom the bridge connects: %s",
                  pg ? PQerrorMessage(pg) : "out of memory");
    PQfinish(pg);
    return role;
}

static bool set_role(PGconn *pg, const char *role)
{
    PGresult *r = PQexecParams(pg, "SELECT set_config('banter.bridge_role', $1, true)", 1, NULL,
                               &role, NULL, NULL, 0);
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;

    if (!ok)
        log_error("migrate", "%s: %s", rights_file, PQerrorMessage(pg));
    PQclear(r);
    return ok;
}

static bool read_rights(const char *directory, struct buf *out)
{
    char path[4096];
    bool ok = snprintf(path, sizeof path, "%s/%s", directory, rights_file) < (int)sizeof path &&
              file_read(path, out);

    if (!ok)
        log_error("migrate", "cannot read %s/%s: %s", directory, rights_file, strerror(errno));
    return ok;
}

/* The file itself looks whether the role is another than the owner. */
static bool give_rights(PGconn *pg, const struct migrate_config *config)
{
    struct buf sql;
    char *role = bridge_role(config->database);
    bool ok;

    buf_init(&sql, FILE_MAX_BYTES);
    ok = role && read_rights(config->directory, &sql) &&
         run_without_result(pg, "BEGIN", rights_file) && set_role(pg, role) &&
         run_without_result(pg, sql.data ? sql.data : "", rights_file) &&
         run_without_result(pg, "COMMIT", rights_file);
    buf_finish(&sql);
    free(role);
    return ok;
}

bool migrate(const struct migrate_config *config)
{
    struct migration_list list = {0};
    char session_sql[SESSION_SQL_MAX];
    bool has_owner = config->owner[0] != '\0';
    const char *dsn = has_owner ? config->owner : config->database;
    PGconn *pg = NULL;
    bool ok = read_directory(config->directory, &list) &&
              (pg = connect_waiting(dsn, config->wait_ms)) != NULL;

    snprintf(session_sql, sizeof session_sql,
             "SET lock_timeout = %u; SET client_encoding = 'UTF8'; " LOCK_SQL, config->wait_ms);
    ok = ok && run_without_result(pg, session_sql, "waiting for another bridge's migration") &&
         run_without_result(pg, schema_sql, "creating banter.migrations") &&
         bring_up_to_date(pg, &list) && (!has_owner || give_rights(pg, config));
    PQfinish(pg); /* also gives the lock back */
    free_list(&list);
    return ok;
}
