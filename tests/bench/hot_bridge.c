/* SPDX-License-Identifier: MIT */
/* hot_bridge.c - the bridge's part of a message, without PostgreSQL and the herald, for which the
 * functions here stand in: a draft's JSON becomes a row of a batch and, committed, an entry. And
 * the frames of the link, and a yardstick that knows nothing of Banter. */
#include "bench/hot.h"

#include "core/herald.h"
#include "core/ingest/batch.h"
#include "core/ingest/emission.h"
#include "core/ingest/foresight.h"
#include "core/ingest/heads.h"
#include "wire/frame.h"

#include <stdlib.h>
#include <string.h>

#define CONVERSATION "01900000-0000-7000-8000-000000000001"

enum { FRAMES_MAX_BYTES = 1 << 20, YARDSTICK_BYTES = 4096 };

static uint64_t entries_written;
static uint64_t statements_sent;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ---------------------------------------------------------------- stand-ins */

void herald_member(struct herald *h, const struct frame_member *f)
{
    (void)h;
    (void)f;
}

void herald_entry(struct herald *h, const struct frame_entry *f)
{
    (void)h;
    must(f->payload.length > HOT_TEXT_BYTES);
    entries_written++;
}

bool herald_is_heard(const struct herald *h)
{
    (void)h;
    return true;
}

bool db_conn_query(struct db_conn *c, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner)
{
    (void)c;
    (void)statement;
    (void)reply;
    (void)owner;
    db_params_destroy(params);
    statements_sent++;
    return true;
}

bool db_conn_sync(struct db_conn *c, db_reply_fn *reply, void *owner)
{
    (void)c;
    (void)reply;
    (void)owner;
    return true;
}

/* ---------------------------------------------------------------- the writer */

typedef const char *draft_fn(uint64_t n);

static struct submission *submit(const char *json)
{
    const struct ingest_draft draft = {.uid = 1,
                                       .handle = slice_str("alice"),
                                       .device = slice_str("phone"),
                                       .target = slice_str(CONVERSATION),
                                       .json = slice_str(json)};
    struct submission *s = submission_create(&draft, NULL, NULL);

    must(s && !s->judged);
    return s;
}

/* What is borrowed by a writer's batches. */
struct memory {
    struct emission emission;
    struct directs directs;
    struct heads heads;
};

/* As after the first message. */
static void know_conversation(struct heads *heads)
{
    struct uuid conversation;
    struct head *head;

    must(uuid_parse(&conversation, slice_str(CONVERSATION)));
    head = heads_slot(heads, &conversation);
    head_claim(head, &conversation, 0);
    head->known = true;
    head_add_writer(head, 1);
}

static void write_batch(struct memory *memory, draft_fn *draft, uint64_t first)
{
    struct batch *b = batch_create(NULL, HOT_BATCH);

    for (uint64_t n = first; n < first + HOT_BATCH; n++) {
        struct submission *s = submit(draft(n));

        must(batch_may_add(b, s));
        batch_add(b, s);
    }
    batch_close(b, &memory->directs);
    b->swift = true;
    b->number = first + 1;
    foresight_part(b, &memory->heads);
    must(batch_send(b, NULL, 0, NULL));
    for (size_t i = 0; i < b->row_count; i++) {
        b->rows[i]->outcome = (struct ingest_outcome){.code = CODE_OK,
                                                      .conversation = b->rows[i]->conversation,
                                                      .seq = (int64_t)(first + i + 1),
                                                      .at_ms = 1700000000000};
        emission_write(&memory->emission, b->rows[i]);
    }
    batch_destroy(b);
}

static void write_batches(draft_fn *draft, unsigned batches)
{
    struct memory memory;

    directs_init(&memory.directs);
    heads_init(&memory.heads);
    know_conversation(&memory.heads);
    emission_init(&memory.emission, NULL, &memory.directs);
    for (unsigned i = 0; i < batches; i++)
        write_batch(&memory, draft, (uint64_t)i * HOT_BATCH);
    must(entries_written == (uint64_t)batches * HOT_BATCH && statements_sent == 2UL * batches);
    emission_finish(&memory.emission);
    heads_finish(&memory.heads);
    directs_finish(&memory.directs);
}

static void run_writer(unsigned batches)
{
    write_batches(hot_draft, batches);
}

static void run_escaped(unsigned batches)
{
    write_batches(hot_escaped_draft, batches);
}

/* ---------------------------------------------------------------- frames */

static void write_frames(struct buf *b, uint64_t n)
{
    const struct frame_draft draft = {.number = n,
                                      .uid = 1,
                                      .handle = slice_str("alice"),
                                      .device = slice_str("phone"),
                                      .target = slice_str(CONVERSATION),
                                      .payload = slice_str(hot_draft(n))};
    struct frame_entry entry = {.seq = (int64_t)n,
                                .sender = 1,
                                .sender_device = slice_str("phone"),
                                .payload = draft.payload};

    frame_write_draft(b, &draft);
    frame_write_entry(b, &entry);
}

static void read_frames(struct slice in, uint64_t n)
{
    struct frame f;
    struct frame_draft draft;
    struct frame_entry entry;
    size_t used;

    for (; in.length > 0; n++) {
        must(frame_next(in, &f, &used) == FRAME_WHOLE && frame_read_draft(f.body, &draft) &&
             draft.number == n);
        in = slice_of(in.data + used, in.length - used);
        must(frame_next(in, &f, &used) == FRAME_WHOLE && frame_read_entry(f.body, &entry) &&
             entry.seq == (int64_t)n);
        in = slice_of(in.data + used, in.length - used);
    }
}

static void run_frames(unsigned batches)
{
    struct buf b;

    buf_init(&b, FRAMES_MAX_BYTES);
    for (uint64_t n = 1; n <= (uint64_t)batches * HOT_BATCH; n += HOT_BATCH) {
        buf_reset(&b);
        for (unsigned i = 0; i < HOT_BATCH; i++)
            write_frames(&b, n + i);
        must(!b.failed);
        read_frames(buf_slice(&b), n);
    }
    buf_finish(&b);
}

/* ---------------------------------------------------------------- the yardstick */

/* Bytes that depend on each other, branches and memory, as a parser has them. */
static void run_yardstick(unsigned batches)
{
    static uint8_t bytes[YARDSTICK_BYTES];
    volatile uint32_t sink;
    uint32_t state = 1;

    for (unsigned i = 0; i < batches * HOT_BATCH; i++) {
        for (unsigned k = 0; k < YARDSTICK_BYTES; k++) {
            state = state * 1664525U + 1013904223U;
            bytes[k] = (uint8_t)(state >> 24);
            if (bytes[k] == '"')
                state ^= bytes[state % YARDSTICK_BYTES];
        }
    }
    sink = state;
    (void)sink;
}

int main(int argc, char **argv)
{
    static const struct hot_path paths[] = {
        {"writer", run_writer},
        {"escaped", run_escaped},
        {"frames", run_frames},
        {"yardstick", run_yardstick},
    };

    return hot_main(argc, argv, paths, sizeof(paths) / sizeof(paths[0]));
}
