/* SPDX-License-Identifier: MIT */
/* client_lives_test.c - whole lives of libbanter by chance, the same ones each time: everything
 * goes wrong at times, and the program crashes; in the end nothing is lost, doubled or out of
 * order. */
#include "unit/unit.h"

#include "unit/client_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIVES = 64, STEPS = 120 };

static struct rig rig;

static void live(uint64_t seed, const char *path)
{
    char id[24];
    int drafts = 0;

    rig_init(&rig, seed, path, BANTER_FROM_FIRST);
    rig.faults = (struct rig_faults){
        .lose_live = (unsigned)rig_chance(&rig, 30),
        .lose_receipt = (unsigned)rig_chance(&rig, 20),
        .refuse = (unsigned)rig_chance(&rig, 30),
        .cut = (unsigned)rig_chance(&rig, 8),
        .refuse_connect = (unsigned)rig_chance(&rig, 50),
        .http_offline = (unsigned)rig_chance(&rig, 40),
        .http_unavailable = (unsigned)rig_chance(&rig, 40),
        .lose_answer = (unsigned)rig_chance(&rig, 20),
        .expire = (unsigned)rig_chance(&rig, 10),
    };
    rig_log_in(&rig);
    for (int i = 0; i < STEPS; i++) {
        uint64_t what = rig_chance(&rig, 12);

        if (what < 3)
            rig_others_post(&rig, (int)rig_chance(&rig, RIG_CONVERSATIONS));
        if (what == 3 || what == 4) {
            (void)snprintf(id, sizeof id, "%s%d", rig_chance(&rig, 10) == 0 ? "bad" : "d",
                           drafts++);
            assert_true(rig_post(&rig, (int)rig_chance(&rig, RIG_CONVERSATIONS), id));
        }
        if (what == 5 && path && rig_chance(&rig, 4) == 0)
            rig_restart(&rig, path, BANTER_FROM_FIRST);
        rig_step(&rig);
    }
    rig.faults = (struct rig_faults){0};
    rig_settle(&rig);
    rig_assert_complete(&rig);
    rig_finish(&rig);
}

static void lives_by_chance_lose_nothing(void **state)
{
    char path[] = "/tmp/banter-unit-XXXXXX";
    char beside[sizeof path + 8];

    (void)state;
    close(mkstemp(path));
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        bool has_file = seed % 8 == 0;

        live(seed, has_file ? path : NULL);
        if (!has_file)
            continue;
        unlink(path);
        (void)snprintf(beside, sizeof beside, "%s-wal", path);
        unlink(beside);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lives_by_chance_lose_nothing)};

    return cmocka_run_group_tests_name("client_lives", tests, NULL, NULL);
}
