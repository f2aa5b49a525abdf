/* SPDX-License-Identifier: MIT */
/* report.c - see report.h. */
#include "report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "process.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { JSON_MAX_BYTES = 16 << 20, OPTIONS_MAX_BYTES = 65536, CELL = 64 };

/* "28012 (27500-28400)"; only the median of a single run. */
static void format_spread(char cell[CELL], const struct spread *s, int decimals, unsigned runs)
{
    if (isnan(s->median))
        snprintf(cell, CELL, "-");
    else if (runs == 1)
        snprintf(cell, CELL, "%.*f", decimals, s->median);
    else
        snprintf(cell, CELL, "%.*f (%.*f-%.*f)", decimals, s->median, decimals, s->min, decimals,
                 s->max);
}

static bool is_zero(const struct spread *s)
{
    return isnan(s->median) || s->max == 0;
}

/* False: there was nothing to print. */
static bool print_row(const struct report *r, enum metric metric)
{
    const struct metric_info *info = &metric_table[metric];
    struct spread banter = measurement_spread(r->banter, r->runs, metric);
    struct spread bare = {NAN, NAN, NAN};
    char banter_cell[CELL], bare_cell[CELL];

    if (r->bare)
        bare = measurement_spread(r->bare, r->runs, metric);
    if (isnan(banter.median) && isnan(bare.median))
        return false;
    if (info->is_fault && is_zero(&banter) && is_zero(&bare))
        return false;
    format_spread(banter_cell, &banter, info->decimals, r->runs);
    printf("  %-40s %26s", info->label, banter_cell);
    if (r->bare) {
        format_spread(bare_cell, &bare, info->decimals, r->runs);
        printf(" %26s", bare_cell);
        if (!isnan(banter.median) && bare.median > 0)
            printf(" %8.2f", banter.median / bare.median);
    }
    printf("\n");
    return true;
}

static void print_table(const struct report *r)
{
    bool faults = false;

    printf("\n%s\n", r->title);
    printf("  %-40s %26s", r->runs > 1 ? "median (min-max)" : "", "banter");
    if (r->bare)
        printf(" %26s %8s", "bare mosquitto", "ratio");
    printf("\n");
    for (int i = 0; i < METRIC_COUNT; i++) {
        bool printed = print_row(r, (enum metric)i);

        faults = faults || (printed && metric_table[i].is_fault);
    }
    if (!faults)
        printf("  nothing refused, lost, doubled or out of order\n");
    printf("\n");
}

/* Of each run; null where the metric does not apply. */
static void write_values(struct buf *b, const struct measurement *runs, unsigned count,
                         enum metric metric)
{
    for (unsigned i = 0; i < count; i++) {
        double value = runs[i].values[metric];

        if (i > 0)
            buf_char(b, ',');
        if (isnan(value))
            buf_str(b, "null");
        else
            buf_printf(b, "%.3f", value);
    }
}

static void write_measurements(struct buf *b, const char *name, const struct measurement *runs,
                               unsigned count)
{
    const char *comma = "";

    buf_printf(b, ",\"%s\":{", name);
    for (int i = 0; i < METRIC_COUNT; i++) {
        struct spread s = measurement_spread(runs, count, (enum metric)i);

        if (isnan(s.median))
            continue;
        buf_printf(b, "%s\"%s\":{\"median\":%.3f,\"min\":%.3f,\"max\":%.3f,\"runs\":[", comma,
                   metric_table[i].name, s.median, s.min, s.max);
        write_values(b, runs, count, (enum metric)i);
        buf_str(b, "]}");
        comma = ",";
    }
    buf_char(b, '}');
}

static void write_ratios(struct buf *b, const struct report *r)
{
    const char *comma = "";

    buf_str(b, ",\"ratio\":{");
    for (int i = 0; i < METRIC_COUNT; i++) {
        struct spread banter = measurement_spread(r->banter, r->runs, (enum metric)i);
        struct spread bare = measurement_spread(r->bare, r->runs, (enum metric)i);

        if (isnan(banter.median) || isnan(bare.median) || bare.median <= 0)
            continue;
        buf_printf(b, "%s\"%s\":%.4f", comma, metric_table[i].name, banter.median / bare.median);
        comma = ",";
    }
    buf_char(b, '}');
}

static void write_json(struct buf *b, const struct report *r)
{
    char at[RFC3339_MS_LENGTH + 1];

    rfc3339_ms(clock_wall_ms(), at);
    buf_printf(b, "{\"bench\":\"%s\",\"version\":\"%s\",\"at\":\"%s\",\"runs\":%u,\"options\":%s",
               r->bench, BANTER_VERSION, at, r->runs, r->options_json);
    buf_str(b, ",\"system\":{");
    process_write_system(b);
    buf_char(b, '}');
    write_measurements(b, "banter", r->banter, r->runs);
    if (r->bare) {
        write_measurements(b, "bare", r->bare, r->runs);
        write_ratios(b, r);
    }
    buf_str(b, "}\n");
}

static bool append_to_file(const char *path, const struct buf *b)
{
    FILE *file = fopen(path, "ae");
    bool written;

    if (!file) {
        fprintf(stderr, "banter-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    written = fwrite(b->data, 1, b->length, file) == b->length;
    if (fclose(file) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "banter-bench: %s could not be written\n", path);
    return written;
}

bool report_write(const struct report *r, const char *json_path)
{
    struct buf b;
    bool written;

    print_table(r);
    buf_init(&b, JSON_MAX_BYTES);
    write_json(&b, r);
    written = !b.failed;
    if (written) {
        fputs(b.data, stdout);
        fflush(stdout);
    }
    if (written && json_path)
        written = append_to_file(json_path, &b);
    buf_finish(&b);
    return written;
}

bool report_scenario(const struct options *o, const char *bench, const char *title,
                     const struct measurement *runs)
{
    struct buf options_json;
    bool good;

    buf_init(&options_json, OPTIONS_MAX_BYTES);
    options_write_json(o, &options_json);
    good = !options_json.failed && report_write(&(struct report){.bench = bench,
                                                                 .title = title,
                                                                 .options_json = options_json.data,
                                                                 .banter = runs,
                                                                 .runs = o->repeat},
                                                o->json[0] ? o->json : NULL);
    buf_finish(&options_json);
    for (unsigned i = 0; i < o->repeat; i++)
        good = good && !measurement_has_fault(&runs[i]);
    return good;
}
