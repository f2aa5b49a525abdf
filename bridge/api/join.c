/* SPDX-License-Identifier: MIT */
/* join.c - the URL of an invite: GET shows what it leads to, as JSON or to people as a page, and
 * changes nothing, for links are fetched by machines too; POST joins. */
#include "api/routes.h"
#include "base/clock.h"
#include "core/commands.h"
#include "core/invites.h"

#include <string.h>

static const char not_valid[] = "this invite is not valid, or no longer";

static void put_view(struct buf *b, const struct invite_view *view)
{
    char time[RFC3339_MS_LENGTH + 1];

    buf_char(b, '{');
    buf_json_key(b, "kind");
    buf_json(b, slice_str(conversation_kind_name(view->kind)));
    if (view->title.length > 0) {
        buf_json_key(b, "title");
        buf_json(b, view->title);
    }
    buf_json_key(b, "member_count");
    buf_i64(b, view->member_count);
    buf_json_key(b, "expires_at");
    if (view->expires) {
        rfc3339_ms(view->expires_at_ms, time);
        buf_json(b, slice_of(time, RFC3339_MS_LENGTH));
    } else {
        buf_str(b, "null");
    }
    buf_char(b, '}');
}

/* What users have written must stay text in a page. */
static void put_html(struct buf *b, struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        switch (text.data[i]) {
        case '&':
            buf_str(b, "&amp;");
            break;
        case '<':
            buf_str(b, "&lt;");
            break;
        case '>':
            buf_str(b, "&gt;");
            break;
        case '"':
            buf_str(b, "&quot;");
            break;
        case '\'':
            buf_str(b, "&#39;");
            break;
        default:
            buf_char(b, text.data[i]);
        }
    }
}

/* The way into the web client, at once and, where that is switched off, by a link. */
static void put_way_in(struct buf *b, struct slice token)
{
    buf_str(b, "<meta http-equiv=\"refresh\" content=\"0; url=/#/join/");
    put_html(b, token);
    buf_str(b, "\">\n<p><a href=\"/#/join/");
    put_html(b, token);
    buf_str(b, "\">Open it</a></p>\n");
}

static void put_opening(struct buf *b, struct slice title)
{
    buf_str(b, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\">"
               "<meta name=\"robots\" content=\"noindex\">\n<title>");
    put_html(b, title);
    buf_str(b, "</title>\n<h1>");
    put_html(b, title);
    buf_str(b, "</h1>\n");
}

static void put_page(struct buf *b, const struct call *c, const struct invite_view *view)
{
    put_opening(b, view->title.length > 0 ? view->title : slice_str("A conversation"));
    buf_printf(b, "<p>You are invited to this %s with %lld %s.</p>\n",
               conversation_kind_name(view->kind), (long long)view->member_count,
               view->member_count == 1 ? "member" : "members");
    if (c->api->pages)
        put_way_in(b, slice_str(c->parameter));
    else
        buf_str(b, "<p>To join, give this address to your chat client.</p>\n");
    buf_str(b, "</html>\n");
}

static void answer_page(struct call *c, int status, struct buf *page)
{
    http_reply_header(c->request, "Content-Security-Policy",
                      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    http_reply(c->request, status, "text/html; charset=utf-8", page);
}

static void answer_view(struct call *c, const struct invite_view *view, bool page)
{
    struct buf body;

    buf_init(&body, CALL_ANSWER_MAX_BYTES);
    http_reply_header(c->request, "Referrer-Policy", "no-referrer");
    if (!page) {
        put_view(&body, view);
        call_answer(c, 200, &body);
        return;
    }
    put_page(&body, c, view);
    answer_page(c, 200, &body);
}

static void refuse(struct call *c, enum code code)
{
    call_refuse(c, code,
                code == CODE_NOT_FOUND ? not_valid : "the database is not available: try again");
}

static void on_view(void *owner, enum code code, const struct invite_view *view)
{
    if (code == CODE_OK)
        answer_view(owner, view, false);
    else
        refuse(owner, code);
}

static void on_view_of_page(void *owner, enum code code, const struct invite_view *view)
{
    struct buf body;

    if (code == CODE_OK) {
        answer_view(owner, view, true);
    } else if (code == CODE_NOT_FOUND) {
        buf_init(&body, CALL_ANSWER_MAX_BYTES);
        put_opening(&body, slice_str("This invite is not valid, or no longer."));
        buf_str(&body, "</html>\n");
        answer_page(owner, 404, &body);
    } else {
        refuse(owner, code);
    }
}

void handle_join_page(struct call *c)
{
    invite_look_fn *done = call_wants_page(c) ? on_view_of_page : on_view;
    enum code code;

    http_reply_header(c->request, "Vary", "Accept");
    if (!invites_look(c->core->invites, slice_str(c->parameter), &code, done, c))
        refuse(c, code);
}

static void on_joined(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_OK)
        call_answer_copy(owner, 200, data);
    else
        call_refuse(owner, code, reason);
}

void handle_join(struct call *c)
{
    json_t *arguments = json_object();

    /* Whatever is not UTF-8 is no invite either. */
    if (json_object_set_new(arguments, "invite", json_string(c->parameter)) == 0)
        command_run(c->core->commands, &c->actor, "join", arguments, on_joined, c);
    else
        call_refuse(c, CODE_NOT_FOUND, not_valid);
    json_decref(arguments);
}
