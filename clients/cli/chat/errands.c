/* SPDX-License-Identifier: MIT */
/* errands.c - callbacks into news, wishes into calls. */
#include "chat/errands.h"

#include "chat/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HANDLES_MAX = PROMPT_MAX / 2 + 1, STALE_PAGE_MAX = 200 }; /* all that fit into a prompt */

/* ---- what libbanter tells, on its thread ---- */

static void give_reason(struct news *n, int error, const char *reason)
{
    n->error = error;
    if (error)
        (void)snprintf(n->reason, sizeof n->reason, "%s",
                       reason && reason[0] ? reason : banter_error_text(error));
}

static void on_state(void *owner, const struct banter_state *state)
{
    struct news *n = news_new(NEWS_STATE);

    give_reason(n, state->error, state->reason);
    n->number = state->connection;
    n->ms = (int64_t)state->retry_ms;
    news_put(owner, n);
}

static void on_entry(void *owner, const struct banter_entry *entry)
{
    struct news *n = news_new(NEWS_ENTRY);

    n->json = json_loads(entry->json, 0, NULL);
    news_put(owner, n);
}

static void on_receipt(void *owner, const struct banter_receipt *receipt)
{
    struct news *n = news_new(NEWS_RECEIPT);

    give_reason(n, receipt->error, receipt->reason);
    (void)copy_text(n->conversation, sizeof n->conversation, receipt->conversation);
    (void)copy_text(n->draft, sizeof n->draft, receipt->id);
    n->number = receipt->seq;
    n->ms = time_of(receipt->at);
    news_put(owner, n);
}

static void on_event(void *owner, const char *json)
{
    struct news *n = news_new(NEWS_EVENT);

    n->json = json_loads(json, 0, NULL);
    news_put(owner, n);
}

static void on_typing(void *owner, const char *conversation, const char *from, bool typing)
{
    struct news *n = news_new(NEWS_TYPING);

    (void)copy_text(n->conversation, sizeof n->conversation, conversation);
    (void)copy_text(n->user, sizeof n->user, from);
    n->flag = typing;
    news_put(owner, n);
}

static void on_cursor(void *owner, const struct banter_cursor *cursor)
{
    struct news *n = news_new(NEWS_CURSOR);

    (void)copy_text(n->conversation, sizeof n->conversation, cursor->conversation);
    (void)copy_text(n->user, sizeof n->user, cursor->from);
    n->number = cursor->received;
    n->read = cursor->read;
    news_put(owner, n);
}

static void on_presence(void *owner, const struct banter_presence *presence)
{
    struct news *n = news_new(NEWS_PRESENCE);

    (void)copy_text(n->user, sizeof n->user, presence->user);
    (void)copy_text(n->reason, sizeof n->reason, presence->state);
    n->ms = time_of(presence->last_seen);
    news_put(owner, n);
}

struct banter_callbacks errands_callbacks(struct news_queue *queue)
{
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;

    callbacks.owner = queue;
    callbacks.on_state = on_state;
    callbacks.on_entry = on_entry;
    callbacks.on_receipt = on_receipt;
    callbacks.on_event = on_event;
    callbacks.on_typing = on_typing;
    callbacks.on_cursor = on_cursor;
    callbacks.on_presence = on_presence;
    return callbacks;
}

/* ---- questions ---- */

struct errand {
    struct news_queue *queue;
    struct wish wish;
};

/* The news of an answer; the wish in it is the errand's, which this frees. */
static struct news *answer_of(struct errand *e, const struct banter_result *result)
{
    struct news *n = news_new(NEWS_ANSWER);

    give_reason(n, result->error, result->reason);
    n->json = result->json ? json_loads(result->json, 0, NULL) : NULL;
    if (!n->error && !n->json)
        give_reason(n, BANTER_INTERNAL, NULL);
    n->wish = e->wish;
    free(e);
    return n;
}

static void on_answer(void *owner, const struct banter_result *result)
{
    struct errand *e = owner;
    struct news_queue *queue = e->queue;

    news_put(queue, answer_of(e, result));
}

static void on_page(void *owner, const struct banter_result *result,
                    const struct banter_entry *const *entries, size_t count, bool more)
{
    (void)entries; /* the model reads them as they came */
    (void)count;
    (void)more;
    on_answer(owner, result);
}

static struct errand *errand_new(struct news_queue *queue, const struct wish *wish)
{
    struct errand *e = memory_new(1, sizeof *e);

    e->queue = queue;
    e->wish = *wish;
    e->wish.text = memory_copy(wish->text);
    e->wish.more = memory_copy(wish->more);
    return e;
}

static int command(struct banter *client, json_t *command, struct errand *e)
{
    char *text = command ? json_dumps(command, JSON_COMPACT) : NULL;
    int error = text ? banter_command(client, text, on_answer, e) : BANTER_INVALID;

    json_decref(command);
    free(text);
    return error;
}

static int list(struct banter *client, const struct wish *w, struct errand *e)
{
    return command(client,
                   json_pack("{s:s, s:i, s:s*}", "command", "listConversations", "limit", LIST_PAGE,
                             "after", w->text[0] ? w->text : NULL),
                   e);
}

static int one(struct banter *client, const struct wish *w, struct errand *e)
{
    return command(
        client,
        json_pack("{s:s, s:s}", "command", "getConversation", "conversation", w->conversation), e);
}

static int members(struct banter *client, const struct wish *w, struct errand *e)
{
    return command(client,
                   json_pack("{s:s, s:s, s:i}", "command", "listMembers", "conversation",
                             w->conversation, "limit", MEMBERS_MAX),
                   e);
}

static int page(struct banter *client, const struct wish *w, struct errand *e)
{
    struct banter_page page = BANTER_PAGE_INIT;

    page.folded = true;
    page.limit = w->kind == WISH_PREVIEW ? 1 : PAGE_SIZE;
    if (w->kind == WISH_OLDER)
        page.before = w->seq;
    if (w->kind == WISH_STALE) {
        page.after = w->seq - 1;
        page.limit =
            w->to - w->seq < STALE_PAGE_MAX ? (uint32_t)(w->to - w->seq + 1) : STALE_PAGE_MAX;
    }
    return banter_history(client, w->conversation, &page, on_page, e);
}

static int direct(struct banter *client, const struct wish *w, struct errand *e)
{
    return banter_create_direct(client, w->text, on_answer, e);
}

/* Splits handles at spaces and commas; `text` is changed. */
static size_t split(char *text, const char *handles[HANDLES_MAX])
{
    size_t count = 0;
    char *rest = text;

    for (char *at; count < HANDLES_MAX && (at = strsep(&rest, " ,\t")) != NULL;) {
        at += at[0] == '@';
        if (at[0])
            handles[count++] = at;
    }
    return count;
}

static int group(struct banter *client, const struct wish *w, struct errand *e)
{
    const char *handles[HANDLES_MAX];
    char *text = memory_copy(w->more);
    size_t count = split(text, handles);
    int error = banter_create_group(client, w->text, handles, count, on_answer, e);

    free(text);
    return error;
}

static int add(struct banter *client, const struct wish *w, struct errand *e)
{
    const char *handles[HANDLES_MAX];
    char *text = memory_copy(w->more);
    size_t count = split(text, handles);
    int error = banter_add_members(client, w->conversation, handles, count, on_answer, e);

    free(text);
    return error;
}

static int leave(struct banter *client, const struct wish *w, struct errand *e)
{
    return banter_leave(client, w->conversation, on_answer, e);
}

typedef int question(struct banter *client, const struct wish *w, struct errand *e);

static question *const questions[] = {
    [WISH_LIST] = list,   [WISH_ONE] = one,    [WISH_MEMBERS] = members, [WISH_PREVIEW] = page,
    [WISH_NEWEST] = page, [WISH_OLDER] = page, [WISH_STALE] = page,      [WISH_DIRECT] = direct,
    [WISH_GROUP] = group, [WISH_ADD] = add,    [WISH_LEAVE] = leave,
};

/* What is refused at once is told at once: the queue may be full, and is emptied by this thread. */
static void ask(struct banter *client, struct news_queue *queue, struct model *m,
                const struct wish *wish)
{
    struct errand *e = errand_new(queue, wish);
    int error = questions[wish->kind](client, &e->wish, e);
    const struct banter_result refused = {.error = error, .reason = banter_error_text(error)};
    struct news *n;

    if (!error)
        return;
    n = answer_of(e, &refused);
    model_hear(m, n);
    news_free(n);
}

/* ---- drafts ---- */

static void post(struct banter *client, struct model *m, const struct wish *wish)
{
    struct banter_draft draft = BANTER_DRAFT_INIT;
    char id[BANTER_ID_SIZE] = "";
    int error;

    if (wish->kind == WISH_TEXT)
        draft.reply_to = wish->seq;
    else
        draft.target = wish->seq;
    if (wish->kind == WISH_EDIT)
        draft.kind = BANTER_EDIT;
    else if (wish->kind == WISH_DELETE)
        draft.kind = BANTER_DELETE;
    else if (wish->kind == WISH_REACT)
        draft.kind = BANTER_REACTION;
    draft.text = wish->text;
    draft.emoji = wish->text;
    draft.remove = wish->flag;
    error = banter_post(client, wish->conversation, &draft, id);
    model_posted(m, wish, id, error, banter_error_text(error));
}

/* ---- all ---- */

/* Typing that is not taken is lost, as on the way; the next one says the same. */
bool errands_do(struct banter *client, struct news_queue *queue, struct model *m,
                const struct wish *wish)
{
    int error = BANTER_OK;

    switch (wish->kind) {
    case WISH_TEXT:
    case WISH_EDIT:
    case WISH_DELETE:
    case WISH_REACT:
        post(client, m, wish);
        break;
    case WISH_READ:
        error = banter_mark(client, wish->conversation, wish->seq, wish->seq);
        break;
    case WISH_TYPING:
        (void)!banter_typing(client, wish->conversation, wish->flag);
        break;
    case WISH_AWAY:
        error = banter_set_presence(client, wish->flag ? "away" : "online");
        break;
    case WISH_WATCH:
        error = banter_watch(client, wish->text);
        break;
    case WISH_NUDGE:
        banter_nudge(client);
        break;
    case WISH_REDRAW:
    case WISH_SUSPEND:
    case WISH_QUIT:
        return false;
    default:
        ask(client, queue, m, wish);
        break;
    }
    if (error && error != BANTER_INVALID)
        model_not_said(m, wish);
    return true;
}
