/* SPDX-License-Identifier: MIT */
/* post.c - posting a message: answered with the receipt, after the commit.
 *
 * The draft goes the same way as one that came over MQTT. If no answer comes in time the outcome is
 * unknown; the client posts again with the same id and learns it. */
#include "core/ingest.h"

#include "api/routes.h"
#include "core/refused_draft.h"
#include "wire/entry.h"
#include "wire/json.h"

#include <stdlib.h>

enum { RECEIPT_MAX_BYTES = 4 << 10 };

static void on_settled(void *owner, struct slice id, const struct ingest_outcome *outcome)
{
    struct call *c = owner;
    struct buf receipt;

    if (outcome->code != CODE_OK) {
        refused_draft_log(&(struct refused_draft){.request = http_request_id(c->request),
                                                  .user = c->actor.handle,
                                                  .target = slice_str(c->parameter),
                                                  .id = id,
                                                  .outcome = outcome});
        call_refuse(c, outcome->code, outcome->reason);
        return;
    }
    buf_init(&receipt, RECEIPT_MAX_BYTES);
    receipt_write(&receipt, id, &outcome->conversation, slice_str(""), outcome->seq,
                  outcome->at_ms);
    call_answer(c, outcome->duplicate ? 200 : 201, &receipt);
}

static void submit(struct call *c, struct slice json)
{
    struct ingest_draft draft = {
        .uid = c->actor.uid,
        .handle = c->actor.handle,
        .device = c->actor.device,
        .target = slice_str(c->parameter),
        .json = json,
    };

    ingest_submit(c->core->ingest, &draft, on_settled, c);
    ingest_kick(c->core->ingest);
}

/* The draft with `key` as its id if it has none; malloc'd, or NULL when nothing is to be changed. A
 * body that is no JSON stays as it is: refusing it is the writer's. */
static char *with_id(struct slice json, const char *key)
{
    const char *reason;
    json_t *draft = key ? json_read_object(json, &reason) : NULL;
    char *text = NULL;

    if (draft && !json_object_get(draft, "id") &&
        json_object_set_new(draft, "id", json_string(key)) == 0)
        text = json_dumps(draft, JSON_COMPACT);
    json_decref(draft);
    return text;
}

void handle_post(struct call *c)
{
    struct slice body = http_request_body(c->request);
    char *changed = with_id(body, http_request_header(c->request, "Idempotency-Key"));

    if (ingest_is_full(c->core->ingest))
        call_refuse(c, CODE_UNAVAILABLE, "too many messages are waiting to be stored");
    else
        submit(c, changed ? slice_str(changed) : body);
    free(changed);
}
