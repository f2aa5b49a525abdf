/* SPDX-License-Identifier: MIT */
/* log.h - one line per event on stderr, in logfmt: `ts=… level=… area=… msg="…"`, and after that
 * what it is about. docs/operations.md ("Logs") has the names of all members.
 *
 * Never pass a token, a password, a link key or a text that somebody wrote. Values are escaped, so
 * that a hostile string cannot forge a line. */
#ifndef BANTER_BRIDGE_LOG_H
#define BANTER_BRIDGE_LOG_H

#include "base/compiler.h"
#include "base/log_fields.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Lines below `level` are dropped. Default: info. */
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);
/* `area` is the module's name, such as "db". */
void log_debug(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warning(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
void log_error(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same with further members. */
void log_about(enum log_level level, const char *area, const struct log_fields *fields,
               const char *format, ...) PRINTF_LIKE(4, 5);

#endif
