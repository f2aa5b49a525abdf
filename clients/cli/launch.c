/* SPDX-License-Identifier: MIT */
/* launch.c - see launch.h. */
#include "launch.h"

#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int launch(const char *file, const char *const *first, char *const *words, const char *hint)
{
    size_t ahead = 0, behind = 0, count = 0;
    char **all;
    int why;

    while (first[ahead])
        ahead++;
    while (words[behind])
        behind++;
    all = calloc(1 + ahead + behind + 1, sizeof *all);
    if (!all)
        return fail_by(BANTER_NO_MEMORY, NULL);
    all[count++] = (char *)file; /* execvp() changes none of them */
    for (size_t i = 0; i < ahead; i++)
        all[count++] = (char *)first[i];
    memcpy(all + count, words, behind * sizeof *all);
    (void)execvp(file, all);
    why = errno;
    free(all);
    return why == ENOENT ? fail("%s is not installed: %s", file, hint)
                         : fail("%s: %s", file, strerror(why));
}
