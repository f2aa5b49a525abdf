/* SPDX-License-Identifier: MIT */
/* main.c - banter-chaos-driver CAST NAME LOG: the devices of a cast's users, driven by lines on
 * stdin, and telling once a second on stdout how far they are. See tests/chaos/driver/README.md. */
#include "base/clock.h"
#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TURN_US = 5000,
    STDIN_EVERY_US = 20000,
    STATUS_EVERY_US = 1000000,
    LINE_MAX_BYTES = 128,
    EXIT_USAGE = 2,
};

/* What stdin has said. */
struct orders {
    char line[LINE_MAX_BYTES];
    size_t length;
    bool ended; /* nobody is there any more */
};

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

static void obey(struct driver *d, const char *order)
{
    char *end;

    if (strncmp(order, "rate ", 5) == 0) {
        uint64_t rate = strtoull(order + 5, &end, 10);

        if (*end == '\0')
            d->rate = rate;
        else
            fprintf(stderr, "banter-chaos-driver: not a rate: %s\n", order);
    } else if (strcmp(order, "stop") == 0) {
        d->stopped = true;
    } else if (strcmp(order, "finish") == 0) {
        driver_begin_finish(d);
    } else if (strcmp(order, "storm") == 0) {
        driver_storm(d);
    } else {
        fprintf(stderr, "banter-chaos-driver: no such order: %s\n", order);
    }
}

static void take_byte(struct orders *o, struct driver *d, char byte)
{
    if (byte != '\n') {
        if (o->length < sizeof(o->line) - 1)
            o->line[o->length++] = byte;
        return;
    }
    o->line[o->length] = '\0';
    o->length = 0;
    if (o->line[0] != '\0')
        obey(d, o->line);
}

static void read_orders(struct orders *o, struct driver *d)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char bytes[LINE_MAX_BYTES];
    ssize_t n;

    if (o->ended || poll(&in, 1, 0) <= 0)
        return;
    n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    o->ended = n <= 0;
    for (ssize_t i = 0; i < n; i++)
        take_byte(o, d, bytes[i]);
}

static void tell(struct driver *d, struct buf *line)
{
    buf_reset(line);
    driver_write_status(d, line);
    if (!line->failed) {
        (void)fwrite(line->data, 1, line->length, stdout);
        (void)fflush(stdout);
    }
}

/* Whoever closes stdin before `finish` has gone, and the run with it. */
static int run(struct driver *d)
{
    struct orders orders = {0};
    struct buf line;
    uint64_t stdin_us = 0;
    uint64_t status_us = clock_monotonic_us() + STATUS_EVERY_US;
    bool ok = true;

    buf_init(&line, 4096);
    while (ok && !told_to_end && !driver_is_done(d) && !(orders.ended && !d->finishing)) {
        uint64_t now_us = clock_monotonic_us();

        if (now_us >= stdin_us) {
            read_orders(&orders, d);
            stdin_us = now_us + STDIN_EVERY_US;
        }
        if (now_us >= status_us) {
            tell(d, &line);
            status_us += STATUS_EVERY_US;
        }
        ok = driver_turn(d, TURN_US);
    }
    tell(d, &line);
    buf_finish(&line);
    return ok && driver_is_done(d) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct driver driver;
    struct sigaction action = {.sa_handler = on_signal};
    int status = EXIT_FAILURE;

    if (argc != 4) {
        fprintf(stderr, "usage: %s CAST.json NAME LOG\n", argv[0]);
        return EXIT_USAGE;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (driver_init(&driver, argv[1], argv[2], argv[3]))
        status = run(&driver);
    driver_finish(&driver);
    return status;
}
