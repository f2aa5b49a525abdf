/* SPDX-License-Identifier: MIT */
/* model.c - the model's life and its collections; what it asks for by itself. */
#include "chat/model.h"

#include "chat/log.h"
#include "chat/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

enum {
    NOTICE_MS = 10000,
    AWAY_MS = 5 * 60 * 1000,
    PREVIEWS_AT_ONCE = 4,
    PREVIEWS_MAX = 300, /* of conversations in a list that says nothing about when */
};

void model_init(struct model *m, const char *user)
{
    *m = (struct model){.rows = 24, .columns = 80, .focus = FOCUS_LIST};
    (void)copy_text(m->user, sizeof m->user, user);
    line_init(&m->filter, FILTER_MAX);
    line_init(&m->answer, PROMPT_MAX);
    m->connection = BANTER_CONNECTING;
    model_wish(m, WISH_AWAY, NULL, 0, NULL); /* this device may have been left as away */
}

void model_finish(struct model *m)
{
    for (size_t i = 0; i < m->room_count; i++)
        room_free(m->rooms[i]);
    free(m->rooms);
    free(m->people);
    line_finish(&m->filter);
    line_finish(&m->answer);
    json_decref(m->kept);
    wishes_finish(&m->wishes);
    wishes_finish(&m->later);
}

void model_wish(struct model *m, enum wish_kind kind, const struct room *room, int64_t seq,
                const char *text)
{
    struct wish wish = {.kind = kind, .seq = seq, .text = (char *)text};

    if (room)
        memcpy(wish.conversation, room->id, sizeof wish.conversation);
    wishes_add(&m->wishes, &wish);
}

void model_say(struct model *m, bool is_error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(m->notice, sizeof m->notice, format, arguments);
    va_end(arguments);
    m->notice_is_error = is_error;
    m->notice_until_ms = m->now_ms + NOTICE_MS;
}

bool model_is_online(const struct model *m)
{
    return m->connection == BANTER_ONLINE || m->connection == BANTER_SYNCING;
}

/* ---- conversations ---- */

struct room *model_find(const struct model *m, const char *id)
{
    for (size_t i = 0; i < m->room_count; i++)
        if (strcmp(m->rooms[i]->id, id) == 0)
            return m->rooms[i];
    return NULL;
}

static void take_kept_draft(struct model *m, struct room *r)
{
    const json_t *kept = json_object_get(m->kept, r->id);
    const char *text = json_string_value(json_object_get(kept, "text"));

    if (!text)
        return;
    line_set(&r->draft, text);
    r->reply_to = json_integer_value(json_object_get(kept, "reply_to"));
    r->editing = json_integer_value(json_object_get(kept, "editing"));
    json_object_del(m->kept, r->id);
}

struct room *model_room(struct model *m, const char *id)
{
    struct room *r = model_find(m, id);

    if (r || m->room_count == ROOMS_MAX || strlen(id) >= CONVERSATION_SIZE)
        return r;
    r = room_new(id);
    m->rooms = memory_grow(m->rooms, &m->room_space, m->room_count + 1, sizeof(struct room *));
    m->rooms[m->room_count++] = r;
    r->listing = m->listing;
    m->rooms_moved = true;
    take_kept_draft(m, r);
    return r;
}

void model_drop(struct model *m, struct room *room)
{
    size_t at = 0;

    while (at < m->room_count && m->rooms[at] != room)
        at++;
    if (at == m->room_count)
        return;
    m->room_count--;
    memmove(m->rooms + at, m->rooms + at + 1, (m->room_count - at) * sizeof(struct room *));
    if (m->marked == room)
        m->marked = m->room_count > 0 ? m->rooms[at < m->room_count ? at : at - 1] : NULL;
    if (m->current == room) {
        m->current = NULL;
        m->focus = m->focus_before = FOCUS_LIST;
    }
    room_free(room);
}

static int compare(const void *a, const void *b)
{
    const struct room *left = *(struct room *const *)a, *right = *(struct room *const *)b;

    if (left->active_ms != right->active_ms)
        return left->active_ms < right->active_ms ? 1 : -1;
    if ((left->unread > 0) != (right->unread > 0))
        return left->unread > 0 ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* Whether the needle is in the hay, whatever their case. */
static bool contains(const char *hay, const char *needle)
{
    wchar_t in[TITLE_SIZE], what[FILTER_MAX + 1];
    size_t length = mbstowcs(in, hay, TITLE_SIZE - 1);
    size_t wanted = mbstowcs(what, needle, FILTER_MAX);

    if (length == (size_t)-1 || wanted == (size_t)-1)
        return strstr(hay, needle) != NULL;
    in[length] = what[wanted] = L'\0';
    for (size_t i = 0; i < length; i++)
        in[i] = (wchar_t)towlower((wint_t)in[i]);
    for (size_t i = 0; i < wanted; i++)
        what[i] = (wchar_t)towlower((wint_t)what[i]);
    return wcsstr(in, what) != NULL;
}

bool model_lists(const struct model *m, const struct room *room)
{
    return m->filter.length == 0 || contains(room->title, line_text(&m->filter));
}

struct room *model_neighbor(const struct model *m, const struct room *from, int delta)
{
    struct room *first = NULL, *before = NULL;
    bool is_behind = false;

    for (size_t i = 0; i < m->room_count; i++) {
        struct room *r = m->rooms[i];

        if (r == from && delta < 0 && before)
            return before;
        if (!model_lists(m, r)) {
            is_behind |= r == from;
            continue;
        }
        if (is_behind && delta > 0)
            return r;
        is_behind |= r == from;
        first = first ? first : r;
        before = r;
    }
    if (from && model_lists(m, from))
        return (struct room *)from;
    return delta > 0 ? first : before;
}

void model_open(struct model *m, struct room *room)
{
    if (m->current && m->current != room) {
        if (m->typing_said_ms > 0)
            model_wish(m, WISH_TYPING, m->current, 0, NULL);
        m->current->anchor = 0;
        m->current->new_from = 0;
        room_trim(m->current);
        m->typing_said_ms = 0;
    }
    if (m->current != room)
        room->new_from = room->unread > 0 ? room->read + 1 : 0;
    m->current = m->marked = room;
    m->focus = FOCUS_WRITE;
    line_clear(&m->filter);
}

bool model_is_reading(const struct model *m)
{
    bool is_shown = m->columns >= NARROW || m->focus == FOCUS_WRITE || m->focus == FOCUS_SELECT;

    return m->current && is_shown && !m->shows_help && !m->is_away && m->current->anchor == 0;
}

/* ---- people ---- */

struct person *model_person(const struct model *m, const char *handle)
{
    for (size_t i = 0; i < m->person_count; i++)
        if (strcmp(m->people[i].handle, handle) == 0)
            return &m->people[i];
    return NULL;
}

void model_watch(struct model *m, const char *handle)
{
    struct person *p;

    if (m->person_count == PEOPLE_MAX || !handle[0] || model_person(m, handle))
        return;
    m->people = memory_grow(m->people, &m->person_space, m->person_count + 1, sizeof *m->people);
    p = &m->people[m->person_count];
    *p = (struct person){0};
    if (!copy_text(p->handle, sizeof p->handle, handle))
        return;
    m->person_count++;
    model_wish(m, WISH_WATCH, NULL, 0, handle);
}

/* ---- what is missing ---- */

/* What is not in the window need not be read again: it will be as it is then. */
static bool wish_stale(struct model *m, struct room *r)
{
    int64_t lowest = r->count > 0 ? r->messages[0]->seq : SEQ_UNSENT;
    struct wish wish = {
        .kind = WISH_STALE,
        .seq = r->stale_low > lowest ? r->stale_low : lowest,
        .to = r->stale_high,
    };

    r->stale_low = r->stale_high = 0;
    if (wish.seq > wish.to)
        return false;
    memcpy(wish.conversation, r->id, sizeof wish.conversation);
    wishes_add(&m->wishes, &wish);
    return true;
}

static void ask_newest(struct model *m, struct room *r)
{
    r->older_before = 0;
    model_wish(m, WISH_NEWEST, r, 0, NULL);
}

static void settle_window(struct model *m, struct room *r)
{
    size_t kept = r->anchor == 0 ? WINDOW_MAX : 2 * WINDOW_MAX;

    if (r->count > kept || r->bytes > 2 * WINDOW_MAX_BYTES) {
        room_trim(r);
        r->anchor = 0;
    }
    if (r->is_loading || !model_is_online(m) || m->now_ms < r->wait_until_ms)
        return;
    if (!r->is_loaded)
        ask_newest(m, r);
    else if (r->stale_high > 0 && wish_stale(m, r))
        ; /* that comes before what is older */
    else if (r->has_older && r->older_before > 1 && log_is_near_top(m) && r->count < WINDOW_MAX &&
             r->bytes < WINDOW_MAX_BYTES)
        model_wish(m, WISH_OLDER, r, r->older_before, NULL);
    else
        return;
    r->is_loading = true;
}

static void settle_current(struct model *m)
{
    struct room *r = m->current;

    settle_window(m, r);
    if (!r->members_asked && r->is_known && r->kind != ROOM_CHANNEL && model_is_online(m) &&
        m->now_ms >= r->wait_until_ms) {
        r->members_asked = true;
        model_wish(m, WISH_MEMBERS, r, 0, NULL);
    }
    if (r->is_loaded && model_is_reading(m) && r->last_seq > r->read) {
        r->read = r->last_seq;
        r->unread = 0;
        model_wish(m, WISH_READ, r, r->last_seq, NULL);
    }
}

static void settle_room(struct model *m, struct room *r, size_t index)
{
    if (r->kind == ROOM_DIRECT && r->is_known && !r->is_watched) {
        r->is_watched = true;
        model_watch(m, r->title);
    }
    if (m->now_ms < r->wait_until_ms)
        return;
    if ((r->asks_again || (!r->is_known && m->is_listed)) && !r->is_asked) {
        r->asks_again = false;
        r->is_asked = true;
        model_wish(m, WISH_ONE, r, 0, NULL);
    }
    if (r->wants_preview && m->previews_asked < PREVIEWS_AT_ONCE && index < PREVIEWS_MAX) {
        r->wants_preview = false;
        m->previews_asked++;
        model_wish(m, WISH_PREVIEW, r, 0, NULL);
    }
}

static void settle(struct model *m)
{
    if (m->rooms_moved && m->room_count > 1)
        qsort(m->rooms, m->room_count, sizeof(struct room *), compare);
    m->rooms_moved = false;
    if (!m->marked || (!m->is_marked_by_hand && !m->current))
        m->marked = model_neighbor(m, NULL, 1);
    if (m->current)
        settle_current(m);
    if (!model_is_online(m))
        return;
    if (!m->is_listed && !m->is_listing && m->now_ms >= m->list_wait_ms) {
        m->is_listing = true;
        m->listing++;
        model_wish(m, WISH_LIST, NULL, 0, "");
    }
    for (size_t i = 0; i < m->room_count; i++)
        settle_room(m, m->rooms[i], i);
}

/* ---- what was not taken ---- */

static bool is_about_same(const struct wish *a, const struct wish *b)
{
    return a->kind == b->kind && strcmp(a->conversation, b->conversation) == 0 &&
           strcmp(a->text ? a->text : "", b->text ? b->text : "") == 0;
}

void model_not_said(struct model *m, const struct wish *wish)
{
    for (size_t i = m->later.next; i < m->later.count; i++)
        if (is_about_same(&m->later.list[i], wish)) {
            m->later.list[i].seq = wish->seq;
            return;
        }
    wishes_add(&m->later, wish);
    m->later_at_ms = m->now_ms + RETRY_MS;
}

static void say_again(struct model *m)
{
    struct wish wish;

    if (m->now_ms < m->later_at_ms)
        return;
    while (wishes_take(&m->later, &wish)) {
        wish.flag = wish.kind == WISH_AWAY && m->is_away; /* as it is by now */
        wishes_add(&m->wishes, &wish);
        wish_finish(&wish);
    }
}

/* ---- time and size ---- */

void model_resize(struct model *m, int rows, int columns)
{
    m->rows = rows;
    m->columns = columns;
    if (m->focus == FOCUS_SELECT)
        log_show(m, m->selected);
    log_fit(m);
}

void model_tick(struct model *m, uint64_t now_ms, int64_t wall_ms)
{
    m->now_ms = now_ms;
    m->wall_ms = wall_ms;
    for (size_t i = 0; i < m->room_count; i++)
        (void)room_typing_tick(m->rooms[i], now_ms);
    if (!m->is_away && now_ms >= m->pressed_ms + AWAY_MS) {
        struct wish away = {.kind = WISH_AWAY, .flag = true};

        m->is_away = true;
        wishes_add(&m->wishes, &away);
    }
    say_again(m);
    settle(m);
}

static void sooner(uint64_t *deadline, uint64_t at)
{
    if (at < *deadline)
        *deadline = at;
}

uint64_t model_deadline(const struct model *m)
{
    enum { SECOND_MS = 1000 };
    uint64_t deadline = UINT64_MAX;

    for (size_t i = 0; i < m->room_count; i++) {
        for (size_t j = 0; j < m->rooms[i]->typist_count; j++)
            sooner(&deadline, m->rooms[i]->typists[j].until_ms);
        if (model_is_online(m) && m->rooms[i]->wait_until_ms > m->now_ms)
            sooner(&deadline, m->rooms[i]->wait_until_ms);
    }
    if (m->notice_until_ms > m->now_ms)
        sooner(&deadline, m->notice_until_ms);
    if (m->connection == BANTER_WAITING && m->retry_at_ms > m->now_ms)
        sooner(&deadline, m->now_ms + SECOND_MS); /* counts down */
    if (model_is_online(m) && m->list_wait_ms > m->now_ms)
        sooner(&deadline, m->list_wait_ms);
    if (m->later.count > 0)
        sooner(&deadline, m->later_at_ms);
    if (!m->is_away)
        sooner(&deadline, m->pressed_ms + AWAY_MS);
    return deadline;
}

/* ---- unsent texts ---- */

void model_keep_drafts(struct model *m, json_t *drafts)
{
    json_decref(m->kept);
    m->kept = json_is_object(drafts) ? json_incref(drafts) : NULL;
}

json_t *model_drafts(const struct model *m)
{
    json_t *all = m->kept ? json_copy(m->kept) : json_object();

    for (size_t i = 0; i < m->room_count; i++) {
        const struct room *r = m->rooms[i];
        json_t *one;

        if (line_is_blank(&r->draft))
            continue;
        one = json_pack("{s:s, s:I, s:I}", "text", line_text(&r->draft), "reply_to",
                        (json_int_t)r->reply_to, "editing", (json_int_t)r->editing);
        (void)json_object_set_new(all, r->id, one);
    }
    return all;
}
