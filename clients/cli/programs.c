/* SPDX-License-Identifier: MIT */
/* programs.c - bench and doctor: programs of their own, called by this one's name. */
#include "cli.h"
#include "launch.h"

static int bench(struct cli *c, const struct arguments *a)
{
    static const char *const first[] = {NULL};

    (void)c;
    return launch("banter-bench", first, a->operands,
                  "it is in the package banter-bench, or built from the sources");
}

const struct command command_bench = {
    .name = "bench",
    .operands = "[WORD]...",
    .summary = "measure a server (banter-bench)",
    .run = bench,
    .flags = NEEDS_NOTHING | PASSES_ON,
    .most = ANY_NUMBER,
};

static int doctor(struct cli *c, const struct arguments *a)
{
    const char *const first[] = {c->json ? "--json" : NULL, NULL};

    return launch("banter-doctor", first, a->operands, "it is in the package banter-bridge");
}

const struct command command_doctor = {
    .name = "doctor",
    .operands = "[--json]",
    .summary = "what is wrong with the installation on this machine (banter-doctor)",
    .run = doctor,
    .flags = NEEDS_NOTHING | PASSES_ON,
    .most = ANY_NUMBER,
};
