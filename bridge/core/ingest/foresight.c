/* SPDX-License-Identifier: MIT */
/* foresight.c - see foresight.h.
 *
 * A head is remembered as it will be once all batches on their way are committed. That is right
 * because a batch commits only if the one before it did; if one does not, all on their way fail,
 * and what they made of the heads is forgotten. */
#include "core/ingest/foresight.h"

#include "base/clock.h"

enum {
    KNOWN_MIN = 16, /* fewer do not pay for a second statement beside that for the others */
    DISTRUST_MS = 60000,
};

static bool is_known(const struct submission *s)
{
    return s->head->known && head_is_of(s->head, &s->conversation);
}

/* PostgreSQL would say that it may be stored. */
static bool is_foreseeable(const struct submission *s)
{
    return is_known(s) && head_has_writer(s->head, s->uid) && s->reply_to <= s->head->last_seq;
}

/* All drafts of a conversation go the same way: one that cannot be foreseen is enough to look it
 * up. */
static void claim_unforeseeable(struct batch *b)
{
    for (size_t i = 0; i < b->row_count; i++) {
        struct submission *s = b->rows[i];
        if (!is_foreseeable(s))
            head_claim(s->head, &s->conversation, b->number);
    }
}

static size_t count_known(const struct batch *b)
{
    size_t count = 0;

    for (size_t i = 0; i < b->row_count; i++)
        count += is_known(b->rows[i]);
    return count;
}

/* Whether the known get a statement of their own. One behind the other, two statements lock in no
 * order that other writers keep: each would wait for what the other has. */
static bool is_worth_knowing(const struct batch *b, size_t known)
{
    return known == b->row_count || (known >= KNOWN_MIN && !b->orderly);
}

static void look_up(struct batch *b, struct submission *s)
{
    if (b->swift)
        head_claim(s->head, &s->conversation, b->number);
    else
        heads_forget(b->heads, &s->conversation);
    b->looked_up[b->looked_up_count++] = s;
}

/* The conversation's, in this batch. */
static struct advance *advance_of(struct batch *b, struct head *head)
{
    if (head->batch != b->number) {
        head->batch = b->number;
        head->advance = (unsigned)b->advance_count++;
        b->advances[head->advance] = (struct advance){
            .conversation = head->conversation, .head = head->last_seq, .rights = head->rights};
    }
    return &b->advances[head->advance];
}

static void foresee(struct batch *b, struct submission *s)
{
    struct advance *advance = advance_of(b, s->head);

    s->foreseen_seq = ++s->head->last_seq;
    advance->last_seq = s->foreseen_seq;
    b->known[b->known_count++] = s;
}

void foresight_part(struct batch *b, struct heads *heads)
{
    bool worth = false;

    b->heads = heads;
    for (size_t i = 0; i < b->row_count; i++)
        b->rows[i]->head = heads_slot(heads, &b->rows[i]->conversation);
    if (b->swift) {
        claim_unforeseeable(b);
        worth = is_worth_knowing(b, count_known(b));
    }
    for (size_t i = 0; i < b->row_count; i++) {
        if (worth && is_known(b->rows[i]))
            foresee(b, b->rows[i]);
        else
            look_up(b, b->rows[i]);
    }
}

/* Not if a later batch looks as well: what it finds is newer. */
void foresight_learn(const struct batch *b, const struct submission *s, uint64_t rights)
{
    struct head *head = s->head;

    if (!head_is_of(head, &s->conversation) || head->batch != b->number ||
        clock_monotonic_ms() < head->distrusted_until_ms)
        return;
    if (head->rights != rights) {
        *head = (struct head){
            .conversation = head->conversation, .rights = rights, .batch = head->batch};
    }
    if (!head->known || head->last_seq < s->outcome.seq)
        head->last_seq = s->outcome.seq;
    head->known = true;
    head_add_writer(head, s->uid);
}

void foresight_fail(const struct batch *b)
{
    for (size_t i = 0; i < b->row_count; i++)
        heads_forget(b->heads, &b->rows[i]->conversation);
}

void foresight_distrust(const struct batch *b)
{
    uint64_t until_ms = clock_monotonic_ms() + DISTRUST_MS;

    for (size_t i = 0; i < b->advance_count; i++) {
        struct head *head = heads_find(b->heads, &b->advances[i].conversation);
        if (head)
            head->distrusted_until_ms = until_ms;
    }
}
