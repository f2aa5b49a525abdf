/* SPDX-License-Identifier: MIT */
/* log.c - formats one logfmt line and hands it to the kernel in one write(2), so that lines of
 * several threads never mix. A line that is too long is cut, never split. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MESSAGE_MAX_BYTES = 1024,
    ESCAPED_MAX_BYTES = 4 * MESSAGE_MAX_BYTES, /* every byte as \xNN */
    HEAD_MAX_BYTES = 128,
    LINE_MAX_BYTES = HEAD_MAX_BYTES + ESCAPED_MAX_BYTES + LOG_FIELDS_BYTES + 2,
};

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

static enum log_level lowest_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    lowest_level = level;
}

bool log_is_on(enum log_level level)
{
    return level >= lowest_level;
}

PRINTF_LIKE(4, 0)
static void log_line(enum log_level level, const char *area, const struct log_fields *fields,
                     const char *format, va_list arguments)
{
    char message[MESSAGE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    char time[RFC3339_MS_LENGTH + 1];
    size_t length;

    if (!log_is_on(level))
        return;
    vsnprintf(message, sizeof message, format, arguments);
    rfc3339_ms(clock_wall_ms(), time);
    length = (size_t)snprintf(line, HEAD_MAX_BYTES, "ts=%s level=%s area=%.32s msg=\"", time,
                              level_names[level], area);
    length += log_escape(line + length, ESCAPED_MAX_BYTES, slice_str(message));
    line[length++] = '"';
    if (fields) {
        memcpy(line + length, fields->text, fields->length);
        length += fields->length;
    }
    line[length++] = '\n';
    /* Nothing can be done about a log that cannot be written. */
    if (write(STDERR_FILENO, line, length) < 0)
        return;
}

void log_about(enum log_level level, const char *area, const struct log_fields *fields,
               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_line(level, area, fields, format, arguments);
    va_end(arguments);
}

#define DEFINE_LOG_FUNCTION(name, level)                                                           \
    void name(const char *area, const char *format, ...)                                           \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        log_line(level, area, NULL, format, arguments);                                            \
        va_end(arguments);                                                                         \
    }

DEFINE_LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
DEFINE_LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
DEFINE_LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
