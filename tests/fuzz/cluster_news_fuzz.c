/* SPDX-License-Identifier: MIT */
/* cluster_news_fuzz.c - bodies of messages between nodes. The seal, which nobody forges, is left
 * out. What is read and written again must be the same. */
#include "core/cluster/news.h"
#include "fuzz/fuzz.h"

enum { CEILING = 1 << 20 };

static void read_news(struct slice rest)
{
    struct slice all = rest;
    struct news n;
    struct buf out;
    bool malformed;

    buf_init(&out, CEILING);
    while (news_next(&rest, &n, &malformed))
        news_write(&out, &n);
    must(out.failed || slice_equal(buf_slice(&out), slice_of(all.data, out.length)));
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct slice rest = input;
    struct bulletin bulletin;
    struct applied applied;
    struct beat beat;
    struct roll roll;

    read_news(input);
    if (beat_read(input, &beat)) {
        while (applied_next(&beat.applied, &applied))
            must(applied.node.name[CLUSTER_NAME_MAX] == '\0');
    }
    while (rest.length > 0 && bulletin_unpack(&rest, &bulletin))
        read_news(bulletin.news);
    if (roll_read(input, &roll))
        read_news(roll.news);
    return 0;
}
