/* SPDX-License-Identifier: MIT */
/* unit.h - what every unit test includes first: cmocka with the headers it needs before it. */
#ifndef BANTER_TESTS_UNIT_H
#define BANTER_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
