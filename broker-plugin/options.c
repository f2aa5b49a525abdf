/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. One table says what exists; whoever adds an option adds a row. */
#include "options.h"

#include "wire/frame.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_BYTES_DEFAULT ((size_t)64 << 20)
#define RING_BYTES_MIN ((size_t)LINK_BODY_MAX)
#define RING_BYTES_MAX ((size_t)4 << 30)

enum option_type { OPTION_TEXT, OPTION_BYTES, OPTION_BOOL, OPTION_RATE };

struct option {
    const char *key;
    enum option_type type;
    size_t offset; /* of the field in struct options */
};

static const struct option table[] = {
    {"audience", OPTION_TEXT, offsetof(struct options, audience)},
    {"issuer", OPTION_TEXT, offsetof(struct options, issuer)},
    {"jwks_file", OPTION_TEXT, offsetof(struct options, jwks_file)},
    {"link_key_file", OPTION_TEXT, offsetof(struct options, link_key_file)},
    {"link_socket", OPTION_TEXT, offsetof(struct options, link_socket)},
    {"rate_address_connects", OPTION_RATE, offsetof(struct options, rate_address_connects)},
    {"rate_conversation_drafts", OPTION_RATE, offsetof(struct options, rate_conversation_drafts)},
    {"rate_device_drafts", OPTION_RATE, offsetof(struct options, rate_device_drafts)},
    {"rate_device_signals", OPTION_RATE, offsetof(struct options, rate_device_signals)},
    {"rate_limits", OPTION_BOOL, offsetof(struct options, rate_limits)},
    {"rate_user_drafts", OPTION_RATE, offsetof(struct options, rate_user_drafts)},
    {"rate_user_requests", OPTION_RATE, offsetof(struct options, rate_user_requests)},
    {"ring_bytes", OPTION_BYTES, offsetof(struct options, ring_bytes)},
};
enum { OPTION_COUNT = sizeof table / sizeof table[0] };

void options_init(struct options *o)
{
    *o = (struct options){
        .ring_bytes = RING_BYTES_DEFAULT,
        .rate_limits = true,
        .rate_device_drafts = {1500, 60},
        .rate_user_drafts = {3000, 60},
        .rate_conversation_drafts = {12000, 60},
        .rate_user_requests = {600, 60},
        .rate_device_signals = {20, 1},
        .rate_address_connects = {3000, 60},
    };
}

static char **text_of(struct options *o, const struct option *option)
{
    return (char **)((char *)o + option->offset);
}

void options_finish(struct options *o)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (table[i].type == OPTION_TEXT)
            free(*text_of(o, &table[i]));
    }
    options_init(o);
}

static bool set_text(char **field, const struct option *option, const char *value, char *error)
{
    if (!value || !*value) {
        snprintf(error, OPTIONS_ERROR_MAX, "plugin_opt_%s is empty", option->key);
        return false;
    }
    *field = strdup(value);
    if (!*field)
        snprintf(error, OPTIONS_ERROR_MAX, "out of memory");
    return *field != NULL;
}

static bool set_bytes(size_t *field, const struct option *option, const char *value, char *error)
{
    char *end = NULL;
    unsigned long long bytes =
        value && *value >= '0' && *value <= '9' ? strtoull(value, &end, 10) : 0;

    if (!end || *end || bytes < RING_BYTES_MIN || bytes > RING_BYTES_MAX) {
        snprintf(error, OPTIONS_ERROR_MAX, "plugin_opt_%s must be a number from %zu to %zu",
                 option->key, RING_BYTES_MIN, RING_BYTES_MAX);
        return false;
    }
    *field = (size_t)bytes;
    return true;
}

static bool set_bool(bool *field, const struct option *option, const char *value, char *error)
{
    *field = value && strcmp(value, "true") == 0;
    if (*field || (value && strcmp(value, "false") == 0))
        return true;
    snprintf(error, OPTIONS_ERROR_MAX, "plugin_opt_%s must be true or false", option->key);
    return false;
}

static bool set_rate(struct rate *field, const struct option *option, const char *value,
                     char *error)
{
    if (value && rate_parse(value, field))
        return true;
    snprintf(error, OPTIONS_ERROR_MAX,
             "plugin_opt_%s must be COUNT/SECONDS, such as 600/60, or off", option->key);
    return false;
}

static bool set_field(struct options *o, const struct option *option, const char *value,
                      char *error)
{
    void *field = (char *)o + option->offset;

    switch (option->type) {
    case OPTION_TEXT:
        return set_text(field, option, value, error);
    case OPTION_BYTES:
        return set_bytes(field, option, value, error);
    case OPTION_BOOL:
        return set_bool(field, option, value, error);
    case OPTION_RATE:
        return set_rate(field, option, value, error);
    }
    return false;
}

static bool set(struct options *o, size_t row, const char *value, char *error)
{
    bool ok = set_field(o, &table[row], value, error);

    if (ok)
        o->given |= 1u << row;
    return ok;
}

bool options_set(struct options *o, const char *key, const char *value,
                 char error[OPTIONS_ERROR_MAX])
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(table[i].key, key) != 0)
            continue;
        if (o->given & 1u << i) {
            snprintf(error, OPTIONS_ERROR_MAX, "plugin_opt_%s is given twice", key);
            return false;
        }
        return set(o, i, value, error);
    }
    snprintf(error, OPTIONS_ERROR_MAX, "plugin_opt_%.64s is not an option of this plugin", key);
    return false;
}

bool options_are_complete(const struct options *o, char error[OPTIONS_ERROR_MAX])
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *const *field = (const char *const *)((const char *)o + table[i].offset);

        if (table[i].type == OPTION_TEXT && !*field) {
            snprintf(error, OPTIONS_ERROR_MAX, "plugin_opt_%s is missing", table[i].key);
            return false;
        }
    }
    return true;
}
