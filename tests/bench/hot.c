/* SPDX-License-Identifier: MIT */
/* hot.c - see hot.h. */
#include "bench/hot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hot_main(int argc, char **argv, const struct hot_path *paths, unsigned count)
{
    char *end = NULL;
    unsigned long batches = argc == 3 ? strtoul(argv[2], &end, 10) : 0;

    for (unsigned i = 0; end && *end == '\0' && i < count; i++) {
        if (strcmp(argv[1], paths[i].name) == 0) {
            paths[i].run((unsigned)batches);
            return EXIT_SUCCESS;
        }
    }
    fprintf(stderr, "usage: %s PATH BATCHES; paths:", argv[0]);
    for (unsigned i = 0; i < count; i++)
        fprintf(stderr, " %s", paths[i].name);
    fputc('\n', stderr);
    return 2;
}

static char json[HOT_TEXT_BYTES + 128];

const char *hot_draft(uint64_t n)
{
    static char text[HOT_TEXT_BYTES + 1];

    if (text[0] == '\0') {
        for (unsigned i = 0; i < HOT_TEXT_BYTES; i++)
            text[i] = "the quick brown fox jumps over the lazy dog "[i % 44];
    }
    snprintf(json, sizeof(json), "{\"id\":\"01900000-0000-8000-8000-%012llu\",\"text\":\"%s\"}",
             (unsigned long long)n, text);
    return json;
}

const char *hot_escaped_draft(uint64_t n)
{
    static const char escape[] = "\\n";
    char *end;

    hot_draft(n);
    end = json + strlen(json) - strlen("\"}");
    memcpy(end - strlen(escape), escape, strlen(escape));
    return json;
}
