/* SPDX-License-Identifier: MIT */
/* completion.h - what a shell needs to complete the words of a call, made from the table. */
#ifndef BANTER_CLI_COMPLETION_H
#define BANTER_CLI_COMPLETION_H

#include <stdio.h>

void completion_bash(FILE *to);
void completion_zsh(FILE *to);
void completion_fish(FILE *to);

/* 'text', as all three of them read it. */
void completion_put_quoted(FILE *to, const char *text);

#endif
