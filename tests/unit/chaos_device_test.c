/* SPDX-License-Identifier: MIT */
/* chaos_device_test.c - a device of the chaos driver, given packets without a network: what it
 * publishes, what it asks for, and what it writes to the log. */
#include "unit/unit.h"

#include "chaos/driver/driver.h"
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONVERSATION "01a20517-9037-7020-a0b5-0c9585d8271c"
#define ENTRY(seq)                                                                                 \
    "{\"conversation\":\"" CONVERSATION "\",\"seq\":" seq ",\"at\":\"x\",\"from\":\"bob\","        \
    "\"id\":\"i" seq "\",\"kind\":\"text\",\"text\":\"bob/d0 7 hi\"}"

enum { NOW = 1000000000, SECOND = 1000000, DRAFTS = 3, LOG_BYTES = 65536 };

static struct driver driver;
static struct device *device;
static struct seat *seat;
static char cast_path[] = "/tmp/chaos-cast-XXXXXX";
static char log_path[] = "/tmp/chaos-log-XXXXXX";

static void write_cast(const char *role)
{
    FILE *f = fopen(cast_path, "w");

    assert_non_null(f);
    fprintf(f,
            "{\"seed\":1,\"rate\":0,\"mqtt\":[\"127.0.0.1:1\"],\"users\":[{\"handle\":\"eve\","
            "\"token\":\"t\",\"driver\":\"c\",\"devices\":[{\"name\":\"d0\",\"role\":\"%s\"}]},"
            "{\"handle\":\"bob\",\"token\":\"t\",\"driver\":\"paho\",\"devices\":[]}],"
            "\"conversations\":[{\"id\":\"" CONVERSATION "\",\"type\":\"direct\","
            "\"members\":[\"eve\",\"bob\"],\"posters\":[\"eve\",\"bob\"]}]}",
            role);
    fclose(f);
}

/* The connection is open as far as the device knows; what it writes stays in the buffer. */
static int set_up(void **state)
{
    (void)state;
    write_cast("normal");
    assert_int_equal(truncate(log_path, 0), 0);
    assert_true(driver_init(&driver, cast_path, "c", log_path));
    assert_int_equal(driver.device_count, 1);
    driver.run = 0xab;
    device = &driver.devices[0];
    seat = device->seat_list[0];
    device->conn.state = CONN_OPEN;
    device->connected = device->ready = true;
    device->receive_maximum = UINT16_MAX;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    device->conn.state = CONN_CLOSED;
    driver_finish(&driver);
    return 0;
}

static void hear(const char *topic, const char *payload, uint64_t now_us)
{
    struct buf b;
    struct mqtt_packet packet;
    size_t used;

    buf_init(&b, 100000);
    mqtt_write_publish_head(&b, slice_str(topic), 0, strlen(payload));
    buf_str(&b, payload);
    assert_int_equal(mqtt_next(buf_slice(&b), 100000, &packet, &used), MQTT_WHOLE);
    hearing_publish(device, &packet, now_us);
    buf_finish(&b);
}

static void hear_receipt(unsigned n, const char *rest)
{
    char json[300];

    snprintf(json, sizeof(json),
             "{\"id\":\"d0-000000ab-%u\",\"conversation\":\"" CONVERSATION "\",%s}", n, rest);
    hear("me/receipt", json, NOW);
}

/* Takes the first publish out of what the device has written; the payload is a copy. */
static char *take_publish(const char *topic)
{
    struct mqtt_packet packet;
    struct mqtt_publish publish;
    size_t used;
    char *payload;

    assert_int_equal(mqtt_next(buf_slice(&device->conn.out), 1 << 20, &packet, &used), MQTT_WHOLE);
    assert_true(mqtt_read_publish(&packet, &publish));
    assert_true(slice_equal(publish.topic, slice_str(topic)));
    payload = strndup(publish.payload.data, publish.payload.length);
    assert_non_null(payload);
    buf_consume(&device->conn.out, used);
    return payload;
}

/* The log without its times: device and fields of the lines so far, one after the other. */
static void assert_log(const char *expected)
{
    static char text[LOG_BYTES];
    static char cut[LOG_BYTES];
    size_t length = 0;
    FILE *f = fopen(log_path, "r");

    assert_non_null(f);
    events_flush(&driver.events);
    cut[0] = '\0';
    while (fgets(text, sizeof(text), f)) {
        unsigned long long real_us, monotonic_us;
        int start = 0;

        assert_int_equal(sscanf(text, "%llu\t%llu\t%n", &real_us, &monotonic_us, &start), 2);
        assert_true(real_us > monotonic_us && start > 0);
        length += (size_t)snprintf(cut + length, sizeof(cut) - length, "%s", text + start);
    }
    fclose(f);
    assert_string_equal(cut, expected);
}

static void send_drafts(void)
{
    for (int i = 0; i < DRAFTS; i++)
        assert_true(posting_open(seat));
    posting_turn(device, NOW);
}

#define SENT                                                                                       \
    "eve/d0\tS\t" CONVERSATION "\td0-000000ab-1\t1\n"                                              \
    "eve/d0\tS\t" CONVERSATION "\td0-000000ab-2\t2\n"                                              \
    "eve/d0\tS\t" CONVERSATION "\td0-000000ab-3\t3\n"

static void test_what_is_sent_again_is_the_same(void **state)
{
    char *first[DRAFTS];

    (void)state;
    send_drafts();
    for (int i = 0; i < DRAFTS; i++)
        first[i] = take_publish("send/" CONVERSATION);
    assert_int_equal(strncmp(first[1], "{\"id\":\"d0-000000ab-2\",\"text\":\"eve/d0 2 ", 39), 0);
    assert_int_equal(device->conn.out.length, 0);
    posting_restart(device);
    posting_turn(device, NOW + SECOND);
    for (int i = 0; i < DRAFTS; i++) {
        char *again = take_publish("send/" CONVERSATION);

        assert_string_equal(again, first[i]);
        free(again);
        free(first[i]);
    }
    assert_log(SENT "eve/d0\tT\t" CONVERSATION "\td0-000000ab-1\n"
                    "eve/d0\tT\t" CONVERSATION "\td0-000000ab-2\n"
                    "eve/d0\tT\t" CONVERSATION "\td0-000000ab-3\n");
}

static void test_receipts_and_refusals_are_logged(void **state)
{
    (void)state;
    send_drafts();
    hear_receipt(1, "\"seq\":1,\"at\":\"2026\"");
    hear_receipt(2, "\"error\":{\"code\":\"unavailable\",\"reason\":\"r\"}");
    hear_receipt(3, "\"error\":{\"code\":\"out_of_order\",\"reason\":\"r\"}");
    posting_turn(device, NOW + SECOND);
    hear_receipt(1, "\"seq\":1,\"at\":\"2026\"");
    hear_receipt(2, "\"error\":{\"code\":\"forbidden\",\"reason\":\"r\"}");
    assert_log(SENT "eve/d0\tA\t" CONVERSATION "\td0-000000ab-1\t1\t2026\n"
                    "eve/d0\tN\t" CONVERSATION "\td0-000000ab-2\tunavailable\n"
                    "eve/d0\tN\t" CONVERSATION "\td0-000000ab-3\tout_of_order\n"
                    "eve/d0\tT\t" CONVERSATION "\td0-000000ab-2\n"
                    "eve/d0\tT\t" CONVERSATION "\td0-000000ab-3\n"
                    "eve/d0\tA\t" CONVERSATION "\td0-000000ab-1\t1\t2026\n"
                    "eve/d0\tN\t" CONVERSATION "\td0-000000ab-2\tforbidden\n");
    assert_int_equal(posting_open_count(device), 1);
    assert_int_equal(driver.tally.receipted, 1);
}

static void test_a_hole_is_logged_and_asked_for(void **state)
{
    char *request;

    (void)state;
    hear("chat/" CONVERSATION, ENTRY("1"), NOW);
    hear("chat/" CONVERSATION, ENTRY("3"), NOW);
    syncing_turn(device, NOW + SECOND);
    request = take_publish("send/me/sync");
    assert_string_equal(request, "{\"cursors\":{\"" CONVERSATION "\":1},\"limit\":500}");
    free(request);
    hear("me/sync",
         "{\"page\":1,\"more\":false,\"conversations\":[{\"conversation\":\"" CONVERSATION
         "\",\"last_seq\":3,\"entries\":[" ENTRY("2") "," ENTRY("3") "],\"more\":false}]}",
         NOW + SECOND);
    assert_log("eve/d0\tD\t" CONVERSATION "\t1\tbob\t7\ti1\tcd47c7709d5dd693\n"
               "eve/d0\tD\t" CONVERSATION "\t3\tbob\t7\ti3\tcd47c7709d5dd693\n"
               "eve/d0\tG\t" CONVERSATION "\t2\t2\n"
               "eve/d0\tY\t" CONVERSATION "\t2\tbob\t7\ti2\tcd47c7709d5dd693\n"
               "eve/d0\tY\t" CONVERSATION "\t3\tbob\t7\ti3\tcd47c7709d5dd693\n"
               "eve/d0\tZ\t" CONVERSATION "\t3\n");
    assert_false(syncing_is_behind(device));
    syncing_turn(device, NOW + 60 * SECOND);
    assert_int_equal(device->conn.out.length, 0);
}

/* Its own drafts come to a device as receipts, and heads tell of what came last. */
static void test_receipts_fill_holes_and_heads_make_them(void **state)
{
    (void)state;
    send_drafts();
    hear("chat/" CONVERSATION, ENTRY("1"), NOW);
    hear_receipt(1, "\"seq\":2,\"at\":\"2026\"");
    hear("chat/" CONVERSATION, ENTRY("3"), NOW);
    assert_int_equal(driver.tally.gaps, 0);
    assert_int_equal(seat->window.position, 3);
    buf_reset(&device->conn.out);
    hear("me/heads", "{\"" CONVERSATION "\":4}", NOW);
    assert_true(syncing_is_behind(device));
    syncing_turn(device, NOW + SECOND);
    free(take_publish("send/me/sync"));
}

static void test_a_sync_without_an_answer_ends_the_connection(void **state)
{
    (void)state;
    syncing_wish(device, NOW, 0, true);
    syncing_turn(device, NOW);
    free(take_publish("send/me/sync"));
    syncing_turn(device, NOW + 14 * SECOND);
    assert_false(device->gone);
    syncing_turn(device, NOW + 16 * SECOND);
    assert_true(device->gone);
}

static void test_who_is_not_listed_is_no_member(void **state)
{
    (void)state;
    syncing_wish(device, NOW, 0, true);
    syncing_turn(device, NOW);
    hear("me/sync", "{\"page\":1,\"more\":false,\"conversations\":[]}", NOW);
    assert_false(seat->member);
    assert_false(posting_open(seat));
    hear("me/event", "{\"event\":\"added\",\"conversation\":\"" CONVERSATION "\"}", NOW);
    assert_true(seat->member);
}

static void test_what_cannot_be_read_is_a_violation(void **state)
{
    static const char *const bad[] = {"", "[]", "{\"seq\":1}", ENTRY("0")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        hear("chat/" CONVERSATION, bad[i], NOW);
        assert_int_equal(driver.tally.violations, i + 1);
        assert_true(device->gone);
    }
    hear("me/receipt", "{\"id\":\"strange\",\"conversation\":\"" CONVERSATION "\",\"seq\":1}", NOW);
    assert_int_equal(driver.tally.violations, ARRAY_LENGTH(bad) + 1);
}

/* One in two leaves before it has to. */
static void test_who_hears_of_the_end_may_leave(void **state)
{
    static const char closing[] =
        "{\"event\":\"closing\",\"reason\":\"going_away\",\"within_ms\":10000}";

    (void)state;
    for (int i = 0; i < 100 && device->leave_us == 0; i++)
        hear("me/event", closing, NOW);
    assert_in_range(device->leave_us, NOW + 1, NOW + 5 * SECOND + 1);
    assert_int_equal(driver.tally.violations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_sent_again_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_receipts_and_refusals_are_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_hole_is_logged_and_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_receipts_fill_holes_and_heads_make_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_sync_without_an_answer_ends_the_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_not_listed_is_no_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_hears_of_the_end_may_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read_is_a_violation, set_up, tear_down),
    };
    int cast = mkstemp(cast_path);
    int log = mkstemp(log_path);
    int failures;

    if (cast < 0 || log < 0)
        return 1;
    close(cast);
    close(log);
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(cast_path);
    (void)unlink(log_path);
    return failures;
}
