/* SPDX-License-Identifier: MIT */
/* completion.c - the command that prints them; and bash's and zsh's, which are one program in two
 * dialects: it finds out which command the words before the cursor make, and offers what that one
 * takes. */
#include "completion.h"

#include "cli.h"

#include <string.h>

/* What is written, and how. */
struct script {
    FILE *to;
    bool is_zsh;
};

void completion_put_quoted(FILE *to, const char *text)
{
    putc('\'', to);
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", to);
        else
            putc(*text, to);
    }
    putc('\'', to);
}

/* ---- which options take a value ---- */

static void put_option_names(FILE *to, const struct option_row *options, bool are_files, int *count)
{
    for (; options && options->name; options++) {
        if (options->kind == OPTION_FLAG || (options->kind == OPTION_FILE) != are_files)
            continue;
        fprintf(to, "%s--%s", *count ? " | " : "", options->name);
        (*count)++;
    }
}

struct names {
    FILE *to;
    bool are_files;
    int count;
};

static void see_option_names(void *owner, const struct command *command, const char *name)
{
    struct names *n = owner;

    (void)name;
    put_option_names(n->to, command->options, n->are_files, &n->count);
}

/* "--a | --b": of all commands, as no two have one name for different things. */
static void put_valued(FILE *to, bool are_files)
{
    struct names n = {.to = to, .are_files = are_files};

    put_option_names(to, program.options, are_files, &n.count);
    command_walk(see_option_names, &n);
}

/* ---- what there is to offer ---- */

/* bash: the word; zsh: with what it is. */
static void put_offer(const struct script *s, const char *dashes, const char *word,
                      const char *what)
{
    fprintf(s->to, " %s%s", dashes, word);
    if (!s->is_zsh)
        return;
    putc(':', s->to);
    completion_put_quoted(s->to, what);
}

static void put_parts(const struct script *s, const struct command *command)
{
    for (const struct command *const *part = command->parts; part && *part; part++)
        put_offer(s, "", (*part)->name, (*part)->summary);
}

static void put_choices(const struct script *s, const char *choices)
{
    for (const char *at = choices; at && *at; at += strspn(at, " ")) {
        int length = (int)strcspn(at, " ");

        fprintf(s->to, " %.*s", length, at);
        at += length;
    }
}

static void put_options(const struct script *s, const struct option_row *options)
{
    for (; options && options->name; options++)
        put_offer(s, "--", options->name, options->help);
}

/* A case of "$command": what to offer behind this one. */
static void put_case(const struct script *s, const struct command *command, const char *name)
{
    bool passes_on = (command->flags & PASSES_ON) != 0;

    fprintf(s->to, "    '%s') offers=%s", name, s->is_zsh ? "(" : "\"");
    put_parts(s, command);
    put_choices(s, command->choices);
    if (command != &program)
        put_options(s, command->options);
    fprintf(s->to, "%s%s ;;\n", passes_on ? "" : " $common", s->is_zsh ? ")" : "\"");
}

static void see_case(void *owner, const struct command *command, const char *name)
{
    put_case(owner, command, name);
}

static void put_cases(struct script *s)
{
    put_case(s, &program, "");
    for (const struct command *const *command = program.parts; *command; command++) {
        if ((*command)->parts)
            put_case(s, *command, (*command)->name);
    }
    command_walk(see_case, s);
}

/* "'send' | 'create' | 'create group'" */
static void see_name(void *owner, const struct command *command, const char *name)
{
    struct script *s = owner;

    (void)command;
    fprintf(s->to, " | '%s'", name);
}

static void put_names(struct script *s)
{
    const char *separator = "";

    for (const struct command *const *command = program.parts; *command; command++) {
        if (!(*command)->parts)
            continue;
        fprintf(s->to, "%s'%s'", separator, (*command)->name);
        separator = " | ";
    }
    command_walk(see_name, s);
}

/* ---- the scripts ---- */

/* What every command takes. */
static void put_common(struct script *s)
{
    fprintf(s->to, "    %s", s->is_zsh ? "common=(" : "local common=\"");
    put_options(s, program.options);
    fprintf(s->to, "%s\n", s->is_zsh ? ")" : "\"");
}

/* Sets `command` from the words before the cursor. */
static void put_finding(struct script *s, const char *words, const char *first, const char *cursor)
{
    fprintf(s->to, "    for ((i = %s; i < %s; i++)); do\n        case ${%s[i]} in\n        ", first,
            cursor, words);
    put_valued(s->to, false);
    fputs(" | ", s->to);
    put_valued(s->to, true);
    fprintf(s->to,
            ") ((++i)) ;;\n"
            "        -*) ;;\n"
            "        *)\n"
            "            case \"${command:+$command }${%s[i]}\" in\n            ",
            words);
    put_names(s);
    fprintf(s->to, ") command=${command:+$command }${%s[i]} ;;\n            esac ;;\n", words);
    fputs("        esac\n    done\n", s->to);
}

static void put_values(struct script *s, const char *files)
{
    fputs("    case $before in\n    ", s->to);
    put_valued(s->to, true);
    fprintf(s->to, ") %s; return ;;\n    ", files);
    put_valued(s->to, false);
    fputs(") return ;;\n    esac\n    case $command in\n", s->to);
    put_cases(s);
    fputs("    esac\n", s->to);
}

void completion_bash(FILE *to)
{
    struct script s = {.to = to};

    fputs("# bash completion for banter-cli, printed by `banter-cli completion bash`.\n"
          "_banter_cli()\n{\n"
          "    local before=${COMP_WORDS[COMP_CWORD - 1]} word=${COMP_WORDS[COMP_CWORD]}\n"
          "    local command= offers= i\n",
          to);
    put_common(&s);
    put_finding(&s, "COMP_WORDS", "1", "COMP_CWORD");
    put_values(&s,
               "mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); compopt -o filenames 2>&- || :");
    fputs("    mapfile -t COMPREPLY < <(compgen -W \"$offers\" -- \"$word\")\n}\n"
          "complete -F _banter_cli banter-cli\n",
          to);
}

void completion_zsh(FILE *to)
{
    struct script s = {.to = to, .is_zsh = true};

    fputs("#compdef banter-cli\n"
          "# zsh completion for banter-cli, printed by `banter-cli completion zsh`.\n"
          "_banter-cli() {\n"
          "    local before=${words[CURRENT - 1]} command= i\n"
          "    local -a offers common\n",
          to);
    put_common(&s);
    put_finding(&s, "words", "2", "CURRENT");
    put_values(&s, "_files");
    fputs("    _describe 'banter-cli' offers\n}\n"
          "compdef _banter-cli banter-cli\n"
          "if [[ ${funcstack[1]-} == _banter-cli ]]; then _banter-cli \"$@\"; fi\n",
          to);
}

static int print(struct cli *c, const struct arguments *a)
{
    (void)c;
    switch (a->operands[0][0]) { /* its choices begin differently */
    case 'b':
        completion_bash(stdout);
        break;
    case 'f':
        completion_fish(stdout);
        break;
    default:
        completion_zsh(stdout);
        break;
    }
    return EXIT_OK;
}

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|fish|zsh",
    .summary = "print what a shell completes this program by",
    .about = "The packages install it. Elsewhere: source <(banter-cli completion bash)",
    .choices = "bash fish zsh",
    .run = print,
    .flags = NEEDS_NOTHING,
    .least = 1,
    .most = 1,
};
