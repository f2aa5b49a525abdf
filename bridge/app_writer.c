/* SPDX-License-Identifier: MIT */
/* app_writer.c - see app_writer.h. */
#include "app_writer.h"

#include "core/herald.h"
#include "core/indexer.h"
#include "core/ingest.h"
#include "core/push_service.h"

static void on_stored(void *owner, const struct uuid *conversation)
{
    struct app_writer *w = owner;

    indexer_note(w->indexer, conversation);
    push_service_note(w->push);
}

static bool do_drafts_wait(void *owner)
{
    const struct app_writer *w = owner;

    return ingest_is_busy(w->ingest);
}

static void on_change(void *owner, const struct uuid *conversation)
{
    struct app_writer *w = owner;

    ingest_look_again(w->ingest, conversation);
}

void app_connect_writer(struct app_writer *w)
{
    ingest_on_stored(w->ingest, on_stored, w);
    indexer_give_way(w->indexer, do_drafts_wait, w);
    herald_on_change(w->herald, on_change, w);
}
