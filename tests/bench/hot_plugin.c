/* SPDX-License-Identifier: MIT */
/* hot_plugin.c - the plugin's part of a message: a draft from PUBLISH through the ring to the link,
 * and an entry from the link to another device. */
#include "unit/unit.h"

#include "bench/hot.h"
#include "unit/plugin_rig.h"
#include "wire/topic.h"

#include <stdio.h>
#include <stdlib.h>

enum { STREAM_MAX_BYTES = 1 << 20 };

static const char alice, bob;

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct stage {
    struct rig rig;
    struct uuid group;
    char topic[sizeof("send/") + UUID_TEXT_LENGTH];
    uint64_t drafts;
};

/* The limits are counted and never met. */
static void limit(struct rig *r)
{
    const struct rate much = {RATE_COUNT_MAX, 1};
    struct options *o = &r->core->options;

    o->rate_device_drafts = o->rate_user_drafts = o->rate_conversation_drafts = much;
    rig_limit(r);
}

static void set_stage(struct stage *s)
{
    struct attached_conversation item = rig_item(1, 0);
    char id[UUID_TEXT_LENGTH + 1];

    *s = (struct stage){.group = rig_uuid(1)};
    uuid_format(&s->group, id);
    snprintf(s->topic, sizeof(s->topic), "send/%s", id);
    rig_start(&s->rig);
    limit(&s->rig);
    rig_link(&s->rig, true);
    rig_login_attached(&s->rig, &alice, 1, "alice", "phone", &item, 1);
    rig_login_attached(&s->rig, &bob, 2, "bob", "phone", &item, 1);
    rig_forget();
}

/* A batch comes from alice and leaves over the link, and is confirmed. */
static void send_batch(struct stage *s)
{
    struct frame_draft draft;
    struct slice body;

    for (unsigned i = 0; i < HOT_BATCH; i++)
        must(rig_publish(&s->rig, &alice, "alice/phone", s->topic, hot_draft(s->drafts + i)));
    rig_tick(&s->rig);
    for (unsigned i = 0; i < HOT_BATCH; i++) {
        must(rig_next(&s->rig, FRAME_DRAFT, &body) && frame_read_draft(body, &draft));
        must(draft.number == ++s->drafts);
    }
    rig_confirm(&s->rig, s->drafts);
}

/* And comes back for bob. */
static void deliver_batch(struct stage *s)
{
    struct frame_entry f = {s->group, 0, 1, slice_str("phone"), slice_str(hot_draft(s->drafts))};
    struct buf b;

    buf_init(&b, STREAM_MAX_BYTES);
    for (unsigned i = 0; i < HOT_BATCH; i++) {
        f.seq = (int64_t)(s->drafts - HOT_BATCH + i + 1);
        frame_write_entry(&b, &f);
    }
    rig_send(&s->rig, &b);
    buf_finish(&b);
    rig_tick(&s->rig);
    must(rig_message_count == HOT_BATCH);
    rig_forget();
}

static void run_plugin(unsigned batches)
{
    struct stage s;

    set_stage(&s);
    for (unsigned i = 0; i < batches; i++) {
        send_batch(&s);
        deliver_batch(&s);
    }
    rig_stop(&s.rig);
}

int main(int argc, char **argv)
{
    static const struct hot_path paths[] = {{"plugin", run_plugin}};

    return hot_main(argc, argv, paths, ARRAY_LENGTH(paths));
}
