/* SPDX-License-Identifier: MIT */
/* progress.c - see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    MS_PER_SECOND = 1000,
    DRAW_MS = 100,
    BAR_MAX = 30,
    COLUMNS_USUAL = 80,
    PERCENT = 100,
    MINUTE = 60,
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

static size_t columns_of_terminal(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_USUAL;
    return size.ws_col;
}

/* "[#####-----]" */
static void draw_bar(char out[BAR_MAX + 3], int64_t percent)
{
    int full = (int)(percent * BAR_MAX / PERCENT);

    out[0] = '[';
    for (int i = 0; i < BAR_MAX; i++)
        out[1 + i] = i < full ? '#' : '-';
    out[BAR_MAX + 1] = ']';
    out[BAR_MAX + 2] = '\0';
}

void progress_line(char out[PROGRESS_LINE_SIZE], const struct progress *p, int64_t now,
                   size_t columns)
{
    int64_t elapsed = now - p->began_ms, rate = 0, left, percent;
    char bar[BAR_MAX + 3];

    if (elapsed > 0)
        rate = (p->done - p->first) * MS_PER_SECOND / elapsed;
    if (p->total <= 0) {
        (void)snprintf(out, PROGRESS_LINE_SIZE, "%s: %lld, %lld/s", p->what, (long long)p->done,
                       (long long)rate);
    } else {
        percent = p->done >= p->total ? PERCENT : p->done * PERCENT / p->total;
        left = rate > 0 && p->done < p->total ? (p->total - p->done) / rate : 0;
        draw_bar(bar, percent);
        (void)snprintf(out, PROGRESS_LINE_SIZE, "%s: %3lld%% %s %lld of %lld, %lld/s, %lld:%02lld",
                       p->what, (long long)percent, bar, (long long)p->done, (long long)p->total,
                       (long long)rate, (long long)(left / MINUTE), (long long)(left % MINUTE));
    }
    if (columns < PROGRESS_LINE_SIZE)
        out[columns] = '\0';
}

static void draw(struct progress *p)
{
    char line[PROGRESS_LINE_SIZE];

    p->drawn_ms = now_ms();
    progress_line(line, p, p->drawn_ms, columns_of_terminal() - 1);
    fprintf(stderr, "\r%s\033[K", line);
    (void)fflush(stderr);
}

void progress_begin(struct progress *p, const char *what, int64_t done, int64_t total,
                    bool is_output_shown)
{
    *p = (struct progress){.what = what,
                           .first = done,
                           .done = done,
                           .total = total,
                           .began_ms = now_ms(),
                           .is_on = isatty(STDERR_FILENO) == 1 &&
                                    !(is_output_shown && isatty(STDOUT_FILENO) == 1)};
    if (p->is_on)
        draw(p);
}

void progress_set(struct progress *p, int64_t done)
{
    p->done = done;
    if (p->is_on && now_ms() - p->drawn_ms >= DRAW_MS)
        draw(p);
}

void progress_end(struct progress *p)
{
    if (p->is_on)
        fputs("\r\033[K", stderr);
    p->is_on = false;
}
