/* SPDX-License-Identifier: MIT */
/* compiler.h - the few compiler attributes this project uses, named once. */
#ifndef BANTER_BASE_COMPILER_H
#define BANTER_BASE_COMPILER_H

/* The caller must look at the result. Written after the prototype's closing parenthesis. */
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))

#endif
