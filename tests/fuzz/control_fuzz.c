/* SPDX-License-Identifier: MIT */
/* control_fuzz.c - requests with commands, as they come over MQTT and HTTP. Whatever is asked is
 * answered once, by as many responses as there were commands, and nothing of it is done unless
 * PostgreSQL says so: here it says no. */
#include "fuzz/fuzz.h"

#include "unit/commands_rig.h"
#include "unit/fake_database.h"
#include "unit/unit.h"
#include "wire/json.h"
#include "wire/limits.h"

enum { TURNS_MAX = 1000 };

static struct buf answer;
static unsigned answers;

static void keep(void *owner, struct slice response)
{
    (void)owner;
    answers++;
    buf_slice_put(&answer, response);
}

/* Every command is asked of the database at most once, and comes back refused. */
static void refuse_all(struct fixture *f)
{
    for (unsigned i = 0; i < TURNS_MAX && answers == 0; i++) {
        turn(f);
        while (fake_database_waiting() > 0)
            fake_database_refuse(0, "23514", "no");
    }
    turn(f);
}

static size_t count_of(struct slice text, const char *name)
{
    const char *reason;
    json_t *root = json_read_object(text, &reason);
    size_t count = json_array_size(json_object_get(root, name));

    json_decref(root);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture *f;
    struct slice request = slice_of((const char *)data, size);
    size_t asked;

    if (!f) {
        must(set_up((void **)&f) == 0);
        buf_init(&answer, 16 << 20);
    }
    buf_reset(&answer);
    buf_reset(&happened);
    answers = 0;
    asked = count_of(request, "commands");
    commands_execute(f->commands, &alice, request, keep, NULL);
    must(answers == 0);
    refuse_all(f);
    must(answers == 1 && fake_database_waiting() == 0);
    must(happened.length == 0); /* nobody was told anything */
    if (asked >= 1 && asked <= COMMANDS_MAX_COUNT)
        must(count_of(buf_slice(&answer), "responses") == asked ||
             count_of(buf_slice(&answer), "responses") == 1);
    else
        must(count_of(buf_slice(&answer), "responses") == 1);
    return 0;
}
