/* SPDX-License-Identifier: MIT */
/* watches.c - see watches.h. A watch is in one list according to its state: `wanted`, none while it
 * is asked, or the watchers of its target. */
#include "watches.h"

#include "announce.h"
#include "base/hash.h"
#include "core.h"
#include "receipts.h"
#include "wire/names.h"
#include "wire/topic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum watch_state { WATCH_WANTED, WATCH_ASKED, WATCH_ALLOWED };

struct watch_name {
    struct session *session;
    struct slice handle;
};

struct watch {
    LIST_ENTRY(watch) of_session;
    TAILQ_ENTRY(watch) link;
    struct watch_name name; /* its handle is the one below */
    struct target *target;  /* WATCH_ALLOWED */
    uint64_t told;          /* hash of what was told last; 0: nothing */
    uint64_t number;        /* WATCH_ASKED: of the question */
    uint64_t ended_before;  /* WATCH_ASKED: ended_count when it was asked */
    uint8_t state;
    char handle[HANDLE_MAX_LENGTH + 1];
};

/* Somebody who is watched. */
struct target {
    uint64_t uid;
    struct watch_queue watchers;
    TAILQ_ENTRY(target) link; /* while `news` is not NULL */
    struct watch *next;       /* the watcher to be told next */
    char *news;               /* owned; NULL: everybody has been told */
    size_t news_length;
    size_t own_news_length; /* of what follows it: the news for the user's own devices */
};

static const void *uid_of(const void *item)
{
    return &((const struct target *)item)->uid;
}

static const struct map_type targets_type = {map_hash_u64, map_equal_u64, uid_of};

static uint64_t hash_name(const void *key)
{
    const struct watch_name *name = key;

    return hash_bytes(name->handle.data, name->handle.length) ^
           hash_u64((uint64_t)(uintptr_t)name->session);
}

static bool equal_name(const void *a, const void *b)
{
    const struct watch_name *x = a, *y = b;

    return x->session == y->session && slice_equal(x->handle, y->handle);
}

static const void *name_of(const void *item)
{
    return &((const struct watch *)item)->name;
}

static const struct map_type by_name_type = {hash_name, equal_name, name_of};

void watches_init(struct watches *w)
{
    *w = (struct watches){0};
    map_init(&w->by_name, &by_name_type);
    map_init(&w->targets, &targets_type);
    TAILQ_INIT(&w->telling);
    TAILQ_INIT(&w->wanted);
}

void watches_finish(struct watches *w)
{
    assert(w->by_name.count == 0 && w->targets.count == 0);
    map_finish(&w->by_name);
    map_finish(&w->targets);
}

static struct target *find_target(const struct watches *w, uint64_t uid)
{
    return map_find(&w->targets, &uid);
}

static struct target *find_or_create_target(struct watches *w, uint64_t uid)
{
    struct target *target = find_target(w, uid);

    if (target)
        return target;
    target = calloc(1, sizeof *target);
    if (!target)
        return NULL;
    target->uid = uid;
    TAILQ_INIT(&target->watchers);
    if (!map_insert(&w->targets, target)) {
        free(target);
        return NULL;
    }
    return target;
}

static void end_news(struct watches *w, struct target *target)
{
    if (!target->news)
        return;
    TAILQ_REMOVE(&w->telling, target, link);
    free(target->news);
    target->news = NULL;
}

/* Takes the watch out of its target, which is freed if that was the last one. */
static void leave_target(struct watches *w, struct watch *watch)
{
    struct target *target = watch->target;

    if (target->next == watch)
        target->next = TAILQ_NEXT(watch, link);
    TAILQ_REMOVE(&target->watchers, watch, link);
    watch->target = NULL;
    if (!TAILQ_EMPTY(&target->watchers))
        return;
    end_news(w, target);
    map_remove(&w->targets, &target->uid);
    free(target);
}

/* Takes the watch out of the list that goes with its state. */
static void detach(struct watches *w, struct watch *watch)
{
    switch ((enum watch_state)watch->state) {
    case WATCH_WANTED:
        TAILQ_REMOVE(&w->wanted, watch, link);
        break;
    case WATCH_ASKED:
        w->asked--;
        break;
    case WATCH_ALLOWED:
        leave_target(w, watch);
        break;
    }
}

static void want(struct watches *w, struct watch *watch)
{
    detach(w, watch);
    watch->state = WATCH_WANTED;
    TAILQ_INSERT_TAIL(&w->wanted, watch, link);
}

static void free_watch(struct watches *w, struct watch *watch)
{
    detach(w, watch);
    LIST_REMOVE(watch, of_session);
    map_remove(&w->by_name, &watch->name);
    watch->name.session->watch_count--;
    free(watch);
}

static struct watch *find(const struct watches *w, struct session *session, struct slice handle)
{
    struct watch_name name = {session, handle};

    return map_find(&w->by_name, &name);
}

/* False: it is certain without PostgreSQL that the user shares no conversation with this one. */
static bool may_share(const struct core *c, const struct user *u, struct slice handle)
{
    struct uuid id = direct_conversation_id(slice_str(u->handle), handle);
    const struct conversation *direct = members_find(&c->members, &id);

    if (!user_is_known(u) || slice_equal(slice_str(u->handle), handle) ||
        (direct && members_of(u, direct)))
        return true;
    for (uint32_t i = 0; i < u->memberships.count; i++) {
        if (u->memberships.items[i].kind == CONVERSATION_GROUP)
            return true;
    }
    return false;
}

bool watches_subscribe(struct core *c, struct session *session, struct slice handle)
{
    struct watches *w = &c->watches;
    struct watch *watch = find(w, session, handle);

    if (watch) {
        watch->told = 0;
        if (watch->state == WATCH_ALLOWED)
            want(w, watch);
        return true;
    }
    if (session->watch_count >= WATCHES_PER_SESSION || w->by_name.count >= WATCHES_MAX ||
        !may_share(c, session->user, handle))
        return false;
    watch = calloc(1, sizeof *watch);
    if (!watch)
        return false;
    assert(handle.length < sizeof watch->handle);
    memcpy(watch->handle, handle.data, handle.length);
    watch->name = (struct watch_name){session, slice_of(watch->handle, handle.length)};
    if (!map_insert(&w->by_name, watch)) {
        free(watch);
        return false;
    }
    watch->state = WATCH_WANTED;
    TAILQ_INSERT_TAIL(&w->wanted, watch, link);
    LIST_INSERT_HEAD(&session->watches, watch, of_session);
    session->watch_count++;
    c->stats.watches++;
    return true;
}

void watches_unsubscribe(struct core *c, struct session *session, struct slice handle)
{
    struct watch *watch = find(&c->watches, session, handle);

    if (watch)
        free_watch(&c->watches, watch);
}

void watches_closed(struct core *c, struct session *session)
{
    while (!LIST_EMPTY(&session->watches))
        free_watch(&c->watches, LIST_FIRST(&session->watches));
}

/* Has all of a session's watches asked anew. */
static void want_all(struct watches *w, struct session *session)
{
    struct watch *watch;

    LIST_FOREACH(watch, &session->watches, of_session)
    {
        if (watch->state != WATCH_WANTED)
            want(w, watch);
    }
}

void watches_link_up(struct core *c)
{
    for (struct session *s = c->sessions.first; s; s = s->next)
        want_all(&c->watches, s);
    assert(c->watches.asked == 0);
}

/* The device gets what it was not told last. */
static void tell(struct core *c, struct watch *watch, struct slice news)
{
    char topic[TOPIC_PRESENCE_MAX_LENGTH + 1];
    uint64_t hash = hash_bytes(news.data, news.length) | 1;

    if (hash == watch->told || watch->name.session->superseded)
        return;
    topic_format_presence(slice_str(watch->handle), topic);
    if (fanout_publish(c, watch->name.session, topic, news, slice_of(NULL, 0)))
        watch->told = hash;
}

static struct slice news_for(const struct target *target, const struct watch *watch)
{
    if (watch->name.session->user->uid == target->uid)
        return slice_of(target->news + target->news_length, target->own_news_length);
    return slice_of(target->news, target->news_length);
}

static void tell_watchers(struct core *c)
{
    struct watches *w = &c->watches;
    struct target *target;

    while ((target = TAILQ_FIRST(&w->telling)) != NULL) {
        for (; target->next; target->next = TAILQ_NEXT(target->next, link)) {
            if (!fanout_has_time(&c->fanout))
                return;
            tell(c, target->next, news_for(target, target->next));
        }
        end_news(w, target);
    }
}

static void ask(struct core *c, struct watch *watch)
{
    struct watches *w = &c->watches;
    struct frame_watch f = {
        .number = ++w->question,
        .uid = watch->name.session->user->uid,
        .device = slice_str(session_device(watch->name.session)),
        .target = slice_str(watch->handle),
        .again = watch->told != 0,
    };

    frame_write_watch(link_out(&c->link), &f);
    TAILQ_REMOVE(&w->wanted, watch, link);
    watch->state = WATCH_ASKED;
    watch->number = w->question;
    watch->ended_before = w->ended_count;
    w->asked++;
}

void watches_turn(struct core *c)
{
    struct watches *w = &c->watches;

    tell_watchers(c);
    /* The bridge has to know who is here before it can say what somebody is. */
    if (!link_is_up(&c->link) || announce_is_busy(c))
        return;
    while (!TAILQ_EMPTY(&w->wanted) && w->asked < WATCHES_ASKED_MAX && link_has_room(&c->link))
        ask(c, TAILQ_FIRST(&w->wanted));
}

bool watches_are_busy(const struct watches *w)
{
    return !TAILQ_EMPTY(&w->telling);
}

/* Has everybody who watches this one asked anew; frees the target. */
static void want_watchers(struct watches *w, struct target *target)
{
    struct watch *watch, *next;

    for (watch = TAILQ_FIRST(&target->watchers); watch; watch = next) {
        next = TAILQ_NEXT(watch, link);
        want(w, watch); /* the last one frees the target */
    }
}

void watches_member(struct core *c, const struct frame_member *f)
{
    struct watches *w = &c->watches;
    struct user *u = sessions_find_user(&c->sessions, f->uid);
    struct target *target = find_target(w, f->uid);

    /* Who is blocked is a reader of the direct conversation. */
    if (f->role >= ROLE_MEMBER || (f->role == ROLE_READER && f->kind != CONVERSATION_DIRECT))
        return;
    w->ended[w->ended_count++ % WATCHES_ENDED_KEPT] = f->uid;
    if (target)
        want_watchers(w, target);
    for (struct session *s = u ? u->sessions : NULL; s; s = s->next_of_user)
        want_all(w, s);
}

void watches_presence(struct core *c, const struct frame_presence *f)
{
    struct watches *w = &c->watches;
    struct target *target = find_target(w, f->uid);

    if (!target)
        return;
    end_news(w, target);
    target->news = malloc(f->payload.length + f->own_payload.length + 1);
    if (!target->news) {
        want_watchers(w, target); /* the answers carry the news too */
        return;
    }
    memcpy(target->news, f->payload.data, f->payload.length);
    memcpy(target->news + f->payload.length, f->own_payload.data, f->own_payload.length);
    target->news_length = f->payload.length;
    target->own_news_length = f->own_payload.length;
    target->next = TAILQ_FIRST(&target->watchers);
    TAILQ_INSERT_TAIL(&w->telling, target, link);
    if (!fanout_is_busy(&c->fanout))
        tell_watchers(c);
}

/* Whether a membership of the target has ended since the watch was asked: the answer may be older
 * than that. (Those of the watcher have it asked anew at once.) */
static bool is_stale(const struct watches *w, const struct watch *watch, uint64_t target_uid)
{
    if (w->ended_count - watch->ended_before > WATCHES_ENDED_KEPT)
        return true;
    for (uint64_t i = watch->ended_before; i < w->ended_count; i++) {
        if (w->ended[i % WATCHES_ENDED_KEPT] == target_uid)
            return true;
    }
    return false;
}

void watches_watched(struct core *c, const struct frame_watched *f)
{
    struct watches *w = &c->watches;
    const struct user *u = sessions_find_user(&c->sessions, f->uid);
    struct session *session = u ? sessions_current(u, f->device) : NULL;
    struct watch *watch = session ? find(w, session, f->target) : NULL;
    struct target *target;

    if (!watch || watch->state != WATCH_ASKED || watch->number != f->number)
        return;
    if (!f->allowed) {
        receipts_presence_refused(c, session, watch->handle);
        free_watch(w, watch);
        return;
    }
    target = is_stale(w, watch, f->target_uid) ? NULL : find_or_create_target(w, f->target_uid);
    if (!target) { /* or there is no memory */
        want(w, watch);
        return;
    }
    detach(w, watch);
    watch->state = WATCH_ALLOWED;
    watch->target = target;
    TAILQ_INSERT_HEAD(&target->watchers, watch, link);
    if (f->payload.length > 0)
        tell(c, watch, f->payload);
}
