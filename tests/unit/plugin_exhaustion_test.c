/* SPDX-License-Identifier: MIT */
/* plugin_exhaustion_test.c - what users are promised, kept while memory runs out: two devices talk
 * over a small bridge of the test's own, the link is lost in between, and some allocations of the
 * plugin fail. A device does what docs/protocol.md asks of it: it sends again what was refused for
 * now, in order, and connects again when its connection was ended.
 *
 * Then, whatever failed: no draft is refused for good, everything accepted is stored once and in
 * the sender's order, nobody gets an entry twice, early or without being a member, and after memory
 * is back everything works as ever. */
#include "unit/unit.h"

#include "base/buf.h"
#include "unit/failing_memory.h"
#include "unit/plugin_rig.h"
#include "wire/draft.h"
#include "wire/topic.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DRAFTS = 6, LOG_MAX = 64, ROUNDS_MAX = 40, DEVICES = 3, ID_MAX = 8 };

struct device {
    char client; /* its address is the connection */
    uint64_t uid;
    const char *handle, *client_id;
    bool connected;
    bool member;  /* of the group */
    int64_t seen; /* the last seq it got */
};

static struct device devices[DEVICES] = {
    {.uid = 1, .handle = "alice", .client_id = "alice/phone", .member = true},
    {.uid = 2, .handle = "bob", .client_id = "bob/phone", .member = true},
    {.uid = 3, .handle = "eve", .client_id = "eve/phone"},
};
static struct device *const alice = &devices[0], *const bob = &devices[1];

static struct rig rig;
static struct uuid group;
static char group_topic[TOPIC_CHAT_LENGTH + 1], group_draft[TOPIC_CHAT_LENGTH + 1];

/* The bridge's: what it has stored, by seq. */
static struct {
    char ids[LOG_MAX][ID_MAX];
    int64_t head;
    uint64_t settled; /* number of the last draft */
} store;

/* The sender's: how many drafts, in order, have been accepted. */
static unsigned accepted;
static size_t looked_at; /* of rig_messages */

#define WITH_FAILURES(statement)                                                                   \
    do {                                                                                           \
        failing_memory_on();                                                                       \
        statement;                                                                                 \
        failing_memory_off();                                                                      \
    } while (0)

static struct device *device_of(const char *client_id)
{
    for (size_t i = 0; i < DEVICES; i++) {
        if (strcmp(devices[i].client_id, client_id) == 0)
            return &devices[i];
    }
    fail_msg("a message for %s", client_id);
    return NULL;
}

/* What the plugin has published since the last call. */
static void look_at_messages(void)
{
    for (; looked_at < rig_message_count; looked_at++) {
        const struct rig_message *m = &rig_messages[looked_at];
        struct device *d = device_of(m->client_id);

        if (strcmp(m->topic, group_topic) == 0) {
            int64_t seq = strtoll(m->payload, NULL, 10);

            assert_true(d->member);
            assert_true(seq > d->seen && seq <= store.head);
            d->seen = seq;
        } else if (d->member && strcmp(m->topic, TOPIC_RECEIPT) == 0 &&
                   strstr(m->payload, "error")) {
            assert_true(strstr(m->payload, "\"unavailable\"") ||
                        strstr(m->payload, "\"out_of_order\""));
        }
    }
}

static void put_entry(struct buf *out, int64_t seq)
{
    char payload[32];
    struct frame_entry f = {group, seq, 1, slice_str("phone"), {NULL, 0}};

    snprintf(payload, sizeof payload, "%lld", (long long)seq);
    f.payload = slice_str(payload);
    frame_write_entry(out, &f);
}

static void answer_attach(struct buf *out, struct slice body)
{
    struct attached_conversation item = {group, CONVERSATION_GROUP, ROLE_MEMBER, store.head, 0};
    struct frame_attach f;

    assert_true(frame_read_attach(body, &f));
    frame_write_attached(out, f.uid, true, &item, f.uid <= 2);
}

/* Stores a draft that is new, as the real bridge does by its id, and tells everybody. */
static void answer_draft(struct buf *out, struct slice body)
{
    struct frame_draft f;
    char id[DRAFT_ID_MAX_BYTES + 1];

    assert_true(frame_read_draft(body, &f));
    draft_peek_id(f.payload, id);
    assert_in_range(strlen(id), 1, ID_MAX - 1);
    if (f.number <= store.settled)
        return;
    store.settled = f.number;
    frame_write_confirm(out, &(struct frame_confirm){f.number});
    if (f.uid != alice->uid)
        return; /* the plugin was not sure, and leaves it to the bridge */
    assert_true(store.head < LOG_MAX);
    memcpy(store.ids[store.head++], id, strlen(id) + 1);
    put_entry(out, store.head);
}

static void answer_fill(struct buf *out, struct slice body)
{
    struct frame_fill f;

    assert_true(frame_read_fill(body, &f));
    for (int64_t seq = f.after + 1; seq <= store.head; seq++)
        put_entry(out, seq);
    frame_write_filled(out, &(struct frame_filled){group, store.head, false});
}

static void put(struct buf *b)
{
    while (b->length > 0) {
        rig_put(&rig, b);
        WITH_FAILURES(core_bell(rig.core));
        WITH_FAILURES(core_tick(rig.core));
    }
}

/* The bridge answers everything that has come. */
static void serve(void)
{
    struct frame f;
    struct buf out;

    buf_init(&out, 1 << 20);
    while (rig.bridge >= 0 && rig_next_any(&rig, &f)) {
        if (f.type == FRAME_ATTACH)
            answer_attach(&out, f.body);
        else if (f.type == FRAME_DRAFT)
            answer_draft(&out, f.body);
        else if (f.type == FRAME_FILL)
            answer_fill(&out, f.body);
    }
    put(&out);
    buf_finish(&out);
}

/* A plugin that has closed the link connects anew. */
static void keep_linked(void)
{
    struct frame_welcome w = {LINK_VERSION, slice_str("node-1"), true};
    struct buf b;

    if (link_is_up(&rig.core->link))
        return;
    if (rig.bridge >= 0)
        close(rig.bridge);
    buf_reset(&rig.in);
    rig.in_taken = 0;
    rig.core->link.retry_ms = 0;
    WITH_FAILURES(core_tick(rig.core));
    rig.bridge = accept(rig.listener, NULL, NULL);
    if (rig.bridge < 0)
        return;
    assert_int_equal(fcntl(rig.bridge, F_SETFL, O_NONBLOCK), 0);
    buf_init(&b, 64);
    frame_write_welcome(&b, &w);
    put(&b);
    buf_finish(&b);
}

static void lose_link(void)
{
    if (rig.bridge >= 0)
        close(rig.bridge);
    rig.bridge = -1;
    WITH_FAILURES(core_tick(rig.core));
    WITH_FAILURES(core_tick(rig.core));
}

/* Connections that the plugin has ended are gone for the broker. */
static void end_kicked(void)
{
    for (size_t i = 0; i < rig_kick_count; i++) {
        struct device *d = device_of(rig_kicked[i]);

        WITH_FAILURES(core_disconnected(rig.core, &d->client));
        d->connected = false;
    }
    rig_kick_count = 0;
}

static void connect_all(void)
{
    for (size_t i = 0; i < DEVICES; i++) {
        struct device *d = &devices[i];
        const char *token = rig_token(&rig, d->uid, d->handle, NULL, 3600);

        if (!d->connected)
            WITH_FAILURES(d->connected =
                              auth_check(rig.core, &d->client, d->client_id, d->handle, token));
    }
}

static bool send_draft(struct device *d, unsigned number)
{
    int length = (int)number * 100; /* each needs more room than those before */
    char payload[64 + 100 * (DRAFTS + 1)];
    bool ok;

    snprintf(payload, sizeof payload, "{\"id\":\"d%u\",\"text\":\"%*s\"}", number, length, "x");
    WITH_FAILURES(ok = rig_publish(&rig, &d->client, d->client_id, group_draft, payload));
    return ok;
}

/* One round trip of the sender: everything that was not accepted, in order, to its end. */
static void send_all(unsigned upto)
{
    unsigned refused = 0;

    for (unsigned i = accepted + 1; alice->connected && i <= upto; i++) {
        if (!send_draft(alice, i))
            refused++;
        else if (refused == 0)
            accepted = i;
        else
            fail_msg("draft %u was accepted after an earlier one was refused", i);
    }
}

static void round_trip(unsigned drafts)
{
    keep_linked();
    connect_all();
    send_all(drafts);
    send_draft(&devices[2], 0); /* of a stranger */
    serve();
    for (unsigned i = 0; i < 3; i++)
        WITH_FAILURES(core_tick(rig.core));
    serve();
    end_kicked();
    look_at_messages();
}

static bool is_settled(unsigned drafts)
{
    return accepted == drafts && store.head == (int64_t)drafts && bob->seen == store.head &&
           alice->connected && bob->connected;
}

static void reset(void)
{
    memset(&store, 0, sizeof store);
    accepted = 0;
    looked_at = 0;
    for (size_t i = 0; i < DEVICES; i++) {
        devices[i].connected = false;
        devices[i].seen = 0;
    }
}

static void talk(void)
{
    unsigned rounds = 0;

    reset();
    rig_start(&rig);
    round_trip(1);
    round_trip(3);
    lose_link();
    send_all(4);
    round_trip(DRAFTS - 1);
    /* Memory is back: everything comes to rest, and one more message arrives. */
    failing_memory_stop();
    while (!is_settled(DRAFTS - 1) && rounds++ < ROUNDS_MAX) {
        rig.core->now_ms += ORDER_FILL_AGAIN_MS;
        round_trip(DRAFTS - 1);
    }
    round_trip(DRAFTS);
    assert_true(is_settled(DRAFTS));
    for (unsigned i = 0; i < DRAFTS; i++)
        assert_int_equal(strtol(store.ids[i] + 1, NULL, 10), i + 1);
    assert_int_equal(rig.core->ring.begin, rig.core->ring.end);
    rig_stop(&rig);
}

static void test_one_allocation_fails(void **state)
{
    (void)state;
    assert_in_range(failing_memory_try_all(talk, 1), 50, 20000);
}

/* Such as the copy of a draft, and the note that it was refused. */
static void test_some_in_a_row_fail(void **state)
{
    static const unsigned runs[] = {2, 3, 4, 25};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(runs); i++)
        assert_in_range(failing_memory_try_all(talk, runs[i]), 50, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_allocation_fails),
        cmocka_unit_test(test_some_in_a_row_fail),
    };

    failing_memory_start();
    group = rig_uuid(1);
    topic_format_chat(&group, group_topic);
    snprintf(group_draft, sizeof group_draft, "send/%s", group_topic + 5);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
