/* SPDX-License-Identifier: MIT */
/* fail.c - what went wrong, in words on the standard error and as an exit status. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int fail(const char *format, ...)
{
    char line[2 * PATH_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fputs("banter-cli: ", stderr);
    show_text(stderr, line); /* reasons come from the server */
    fputc('\n', stderr);
    return EXIT_REFUSED;
}

int exit_status_of(int error)
{
    switch (error) {
    case BANTER_OK:
        return EXIT_OK;
    case BANTER_UNAUTHORIZED:
        return EXIT_LOGIN;
    case BANTER_RATE_LIMITED:
    case BANTER_UNAVAILABLE:
    case BANTER_OUT_OF_ORDER:
    case BANTER_INTERNAL:
    case BANTER_OFFLINE:
    case BANTER_TIMEOUT:
    case BANTER_BUSY:
    case BANTER_FULL:
        return EXIT_LATER;
    default:
        return EXIT_REFUSED;
    }
}

int fail_by(int error, const char *reason)
{
    (void)fail("%s: %s", banter_error_name(error), reason ? reason : banter_error_text(error));
    return exit_status_of(error);
}

int fail_output(const char *path)
{
    if (!path && errno == EPIPE)
        return EXIT_REFUSED; /* nobody reads any more: nothing to be told */
    return fail("%s: %s", path ? path : "the standard output", strerror(errno));
}
