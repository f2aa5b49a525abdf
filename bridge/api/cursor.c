/* SPDX-License-Identifier: MIT */
/* cursor.c - moving one's cursors in a conversation: answered with where they are, after the
 * commit. */
#include "core/cursors.h"

#include "api/routes.h"

enum { ANSWER_MAX_BYTES = 256 };

static void on_moved(void *owner, enum code code, const char *reason, const struct cursor_pair *now)
{
    struct call *c = owner;
    struct buf json;

    if (code != CODE_OK) {
        call_refuse(c, code, reason);
        return;
    }
    buf_init(&json, ANSWER_MAX_BYTES);
    buf_char(&json, '{');
    buf_json_key(&json, "received");
    buf_i64(&json, now->received);
    buf_json_key(&json, "read");
    buf_i64(&json, now->read);
    buf_char(&json, '}');
    call_answer(c, 200, &json);
}

void handle_cursor(struct call *c)
{
    struct uuid conversation;
    struct cursor_pair to;
    const char *reason;

    if (!cursor_pair_parse(http_request_body(c->request), &to, &reason))
        call_refuse(c, CODE_INVALID, reason);
    else if (call_read_conversation(c, &conversation) &&
             !cursors_move(c->core->cursors, &c->actor, &conversation, &to, on_moved, c))
        call_refuse(c, CODE_UNAVAILABLE, "too many cursors are waiting to be stored");
}
