/* SPDX-License-Identifier: MIT */
/* log.c - formats one logfmt line and hands it to the kernel in one write(2), so that lines of
 * several threads never mix. A line that is too long is cut, never split. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

enum {
    MESSAGE_MAX_BYTES = 1024,
    LINE_MAX_BYTES = 4 * MESSAGE_MAX_BYTES + 128, /* every byte escaped as \xNN, and the rest */
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

/* Escapes quotes, backslashes and everything that could end or rewrite a line on a terminal. */
static size_t escape(char *out, const char *message)
{
    static const char hex[] = "0123456789abcdef";
    char *at = out;

    for (const char *p = message; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c == '\n') {
            *at++ = '\\';
            *at++ = 'n';
        } else if (c < 0x20 || c >= 0x7f) {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        } else {
            *at++ = (char)c;
        }
    }
    return (size_t)(at - out);
}

PRINTF_LIKE(3, 0)
static void log_line(enum log_level level, const char *area, const char *format, va_list arguments)
{
    char message[MESSAGE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    char time[RFC3339_MS_LENGTH + 1];
    int length;

    if (level < lowest_level)
        return;
    vsnprintf(message, sizeof message, format, arguments);
    rfc3339_ms(clock_wall_ms(), time);
    length =
        snprintf(line, 128, "ts=%s level=%s area=%.32s msg=\"", time, level_names[level], area);
    length += (int)escape(line + length, message);
    line[length++] = '"';
    line[length++] = '\n';
    /* Nothing can be done about a log that cannot be written. */
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return;
}

#define DEFINE_LOG_FUNCTION(name, level)                                                           \
    void name(const char *area, const char *format, ...)                                           \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        log_line(level, area, format, arguments);                                                  \
        va_end(arguments);                                                                         \
    }

DEFINE_LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
DEFINE_LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
DEFINE_LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
