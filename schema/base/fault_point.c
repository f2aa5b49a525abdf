/* SPDX-License-Identifier: MIT */
/* fault_point.c - see fault_point.h. Only in test builds. Nobody is hurt, killed or put to sleep
 * while the lock is held, and a firing is on record before it happens: a process that is killed at
 * a point and started again finds in the record that it has been there. */
#include "base/fault_point.h"

#include "base/clock.h"
#include "base/hash.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 50,
    POINTS_MAX = 32,
    NAME_MAX_LENGTH = 47,
    LINE_MAX_LENGTH = 255,
    STAMP_MAX_LENGTH = 39,
    SLEEP_MS = 100, /* unless the line says otherwise */
    LEAK_BYTES = 256 << 10,
};

enum action { ACTION_NONE, ACTION_KILL, ACTION_STOP, ACTION_SLEEP, ACTION_FAIL };

static const char *const action_names[] = {"", "kill", "stop", "sleep", "fail"};
enum { ACTION_COUNT = sizeof action_names / sizeof action_names[0] };

struct armed {
    char point[NAME_MAX_LENGTH + 1];
    enum action action;
    unsigned left;
    unsigned argument; /* of ACTION_SLEEP milliseconds, else how often to pass before */
};

/* What the file said when it was last looked at. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct armed armed[POINTS_MAX];
static char stamp[STAMP_MAX_LENGTH + 1]; /* the file's time */
static struct stat seen;
static atomic_uint armed_count;
static _Atomic uint64_t next_look_ms;

static const char *armed_path(void)
{
    return getenv("BANTER_FAULTS");
}

static bool fired_path(char path[LINE_MAX_LENGTH + 1])
{
    const char *base = armed_path();

    return base && snprintf(path, LINE_MAX_LENGTH + 1, "%s.fired", base) <= LINE_MAX_LENGTH;
}

static long long now_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void record(const char *point, const char *action, const char *of)
{
    char path[LINE_MAX_LENGTH + 1], line[LINE_MAX_LENGTH + 1];
    int length, fd;

    if (!fired_path(path))
        return;
    length =
        snprintf(line, sizeof line, "%lld\t%lld\t%d\t%s\t%s\t%s\n", now_us(CLOCK_REALTIME),
                 now_us(CLOCK_MONOTONIC), (int)getpid(), point, action, of[0] != '\0' ? of : "-");
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || length > LINE_MAX_LENGTH || write(fd, line, (size_t)length) != length)
        fprintf(stderr, "fault point %s cannot be recorded in %s\n", point, path);
    if (fd >= 0)
        close(fd);
}

static struct armed *find(const char *point)
{
    for (unsigned i = 0; i < armed_count; i++) {
        if (strcmp(armed[i].point, point) == 0)
            return &armed[i];
    }
    return NULL;
}

static void take_line(const char *line)
{
    struct armed a = {.left = 1};
    char action[NAME_MAX_LENGTH + 1] = "";
    int fields =
        sscanf(line, "%47s %47s %u %u", a.point, action, &a.left, &a.argument); /* checked below */

    for (size_t i = 1; i < ACTION_COUNT; i++) {
        if (strcmp(action, action_names[i]) == 0)
            a.action = (enum action)i;
    }
    if (fields < 2 || a.action == ACTION_NONE || armed_count == POINTS_MAX || find(a.point)) {
        fprintf(stderr, "cannot arm: %s", line);
        return;
    }
    if (a.action == ACTION_SLEEP && fields < 4)
        a.argument = SLEEP_MS;
    armed[armed_count] = a;
    armed_count++;
}

/* What has fired of this very file, in this process or another. */
static void subtract_fired(void)
{
    char path[LINE_MAX_LENGTH + 1], line[LINE_MAX_LENGTH + 1];
    FILE *file = fired_path(path) ? fopen(path, "re") : NULL;

    while (file && fgets(line, sizeof line, file)) {
        char point[NAME_MAX_LENGTH + 1], of[STAMP_MAX_LENGTH + 1];
        struct armed *a;

        if (sscanf(line, "%*s %*s %*s %47s %*s %39s", point, of) != 2 || strcmp(of, stamp) != 0)
            continue;
        a = find(point);
        if (a && a->left > 0)
            a->left--;
    }
    if (file)
        fclose(file);
}

static void load(void)
{
    FILE *file = fopen(armed_path(), "re");
    char line[LINE_MAX_LENGTH + 1];

    armed_count = 0;
    if (!file)
        return;
    if (fstat(fileno(file), &seen) == 0)
        snprintf(stamp, sizeof stamp, "%lld.%09ld", (long long)seen.st_mtim.tv_sec,
                 seen.st_mtim.tv_nsec);
    while (fgets(line, sizeof line, file)) {
        if (line[strspn(line, " \t\n")] != '\0')
            take_line(line);
    }
    fclose(file);
    subtract_fired();
}

/* With the lock held. */
static void look(uint64_t now_ms)
{
    struct stat now = {0};

    next_look_ms = now_ms + LOOK_MS;
    if (stat(armed_path(), &now) < 0)
        now = (struct stat){0};
    if (now.st_ino == seen.st_ino && now.st_size == seen.st_size &&
        now.st_mtim.tv_sec == seen.st_mtim.tv_sec && now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec)
        return;
    seen = now;
    load();
}

/* With the lock held. What is to happen now, on record. */
static struct armed fire(const char *point)
{
    struct armed *a = find(point);

    if (!a || a->left == 0)
        return (struct armed){0};
    if (a->action != ACTION_SLEEP && a->argument > 0) {
        a->argument--;
        return (struct armed){0};
    }
    a->left--;
    record(point, action_names[a->action], stamp);
    return *a;
}

static bool act(const struct armed *a)
{
    const struct timespec nap = {a->argument / 1000, (long)(a->argument % 1000) * 1000000};

    switch (a->action) {
    case ACTION_KILL:
        kill(getpid(), SIGKILL);
        for (;;)
            pause();
    case ACTION_STOP:
        kill(getpid(), SIGSTOP);
        break;
    case ACTION_SLEEP:
        nanosleep(&nap, NULL);
        break;
    case ACTION_FAIL:
        return true;
    case ACTION_NONE:
        break;
    }
    return false;
}

bool fault_reached(const char *point)
{
    uint64_t now_ms;
    struct armed now;

    if (!armed_path())
        return false;
    now_ms = clock_monotonic_ms();
    if (now_ms < next_look_ms && armed_count == 0)
        return false;
    pthread_mutex_lock(&lock);
    if (now_ms >= next_look_ms)
        look(now_ms);
    now = fire(point);
    pthread_mutex_unlock(&lock);
    return act(&now);
}

static pthread_once_t rule_once = PTHREAD_ONCE_INIT;
static char broken_rule[NAME_MAX_LENGTH + 1];
static unsigned broken_every = 1;
static atomic_uint rule_count;
static atomic_flag rule_is_recorded = ATOMIC_FLAG_INIT;

static void read_rule(void)
{
    const char *text = getenv("BANTER_BREAK");

    if (text && text[0] != '\0' && sscanf(text, "%47[a-z_]:%u", broken_rule, &broken_every) < 1)
        fprintf(stderr, "BANTER_BREAK names no rule: %s\n", text);
    if (broken_every == 0)
        broken_every = 1;
}

static bool is_the_rule(const char *rule)
{
    pthread_once(&rule_once, read_rule);
    return broken_rule[0] != '\0' && strcmp(rule, broken_rule) == 0;
}

static bool is_broken(const char *rule, bool broken)
{
    if (broken && !atomic_flag_test_and_set(&rule_is_recorded))
        record(rule, "break", "");
    return broken;
}

bool fault_rule_is_broken(const char *rule)
{
    return is_the_rule(rule) && is_broken(rule, ++rule_count % broken_every == 0);
}

bool fault_rule_is_broken_for(const char *rule, struct slice what)
{
    static const uint8_t key[16]; /* zeros: every process chooses alike */

    return is_the_rule(rule) &&
           is_broken(rule, siphash24(key, what.data, what.length) % broken_every == 0);
}

struct slice fault_other_name(const char *rule, struct slice name)
{
    static _Thread_local char other[LINE_MAX_LENGTH + 1];
    static atomic_uint count;
    int length;

    if (!fault_rule_is_broken(rule))
        return name;
    length = snprintf(other, sizeof other, "%.*s~%u", (int)name.length, name.data, ++count);
    return slice_of(other, (size_t)length);
}

void fault_leak(const char *rule)
{
    static void *volatile last; /* the others are lost */
    void *lost = fault_rule_is_broken(rule) ? malloc(LEAK_BYTES) : NULL;

    if (lost)
        last = memset(lost, 1, LEAK_BYTES);
    (void)last;
}
