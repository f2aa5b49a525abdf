/* SPDX-License-Identifier: MIT */
/* load.c - see load.h. */
#include "load.h"

#include "show.h"
#include "troupe.h"

#include <stdio.h>
#include <string.h>

static bool play(struct troupe *t)
{
    const struct show show = {.troupes = {t},
                              .count = 1,
                              .warm_up_s = t->config->warm_up_s,
                              .seconds = t->config->seconds,
                              .mark = t->config->mark,
                              .owner = t->config->owner};
    bool done = troupe_connect(t) && show_play(&show);

    if (done)
        troupe_bow(t);
    return done;
}

bool load_run(const struct load_config *config, const struct cast *cast, struct load_result *out)
{
    struct troupe t;
    bool done;

    memset(out, 0, sizeof(*out));
    done = troupe_init(&t, config, cast, out) && play(&t);
    troupe_finish(&t);
    if (!done)
        fprintf(stderr, "banter-bench: the run could not be made\n");
    return done;
}
