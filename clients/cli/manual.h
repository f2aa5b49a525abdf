/* SPDX-License-Identifier: MIT */
/* manual.h - banter-cli(1), made from the table, in the language of man(7). */
#ifndef BANTER_CLI_MANUAL_H
#define BANTER_CLI_MANUAL_H

#include <stdio.h>

void manual_print(FILE *to);

#endif
