/* SPDX-License-Identifier: MIT */
/* manual.c - see manual.h. What the table does not say is here: files, environment, statuses. */
#include "manual.h"

#include "cli.h"

#include <string.h>

/* Of the source; some characters are written with four. */
enum { COLUMNS_MAX = 66, SENTENCE_SIZE = 512 };

static void put_character(FILE *to, char c)
{
    static const struct {
        char character;
        const char *name;
    } others[] = {{'-', "\\-"}, {'\\', "\\e"}, {'\'', "\\(aq"}, {'"', "\\(dq"}};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].character == c) {
            fputs(others[i].name, to);
            return;
        }
    }
    putc(c, to);
}

/* Text, on one line. */
static void put_text(FILE *to, const char *text)
{
    for (; *text; text++)
        put_character(to, *text);
}

/* Prose, on lines of its own. A full stop at the beginning of a line would be an order. */
static void put_line(FILE *to, const char *text)
{
    int column = 0;

    for (; *text; text++, column++) {
        bool is_end = *text == ' ' && column + 1 + (int)strcspn(text + 1, " ") > COLUMNS_MAX;

        if (column == 0 && *text == '.')
            fputs("\\&", to);
        put_character(to, is_end ? '\n' : *text);
        if (is_end)
            column = -1;
    }
    putc('\n', to);
}

/* A phrase of the table, as a sentence. */
static void put_sentence(FILE *to, const char *text)
{
    char sentence[SENTENCE_SIZE];

    (void)snprintf(sentence, sizeof sentence, "%s.", text);
    if (text[0] >= 'a' && text[0] <= 'z')
        sentence[0] = (char)(text[0] - 'a' + 'A');
    put_line(to, sentence);
}

static void put_option(FILE *to, const struct option_row *option)
{
    fputs(".TP\n.B ", to);
    put_text(to, "--");
    put_text(to, option->name);
    if (option->value) {
        fputs(" \\fI", to);
        put_text(to, option->value);
        fputs("\\fR", to);
    }
    putc('\n', to);
    put_sentence(to, option->help);
}

static void put_command(void *owner, const struct command *command, const char *name)
{
    FILE *to = owner;

    fputs(".SS \"", to);
    put_text(to, name);
    if (command->operands)
        putc(' ', to);
    put_text(to, command->operands ? command->operands : "");
    fputs("\"\n", to);
    put_sentence(to, command->summary);
    if (command->about)
        put_line(to, command->about);
    for (const struct option_row *option = command->options; option && option->name; option++)
        put_option(to, option);
}

struct item {
    const char *name, *text;
};

static void put_items(FILE *to, const char *heading, const struct item *items)
{
    fprintf(to, ".SH %s\n", heading);
    for (; items->name; items++) {
        fputs(".TP\n.B ", to);
        put_line(to, items->name);
        put_line(to, items->text);
    }
}

static const struct item statuses[] = {
    {"0", "It worked."},
    {"1", "It was refused, or did not work, and would not the next time; the reason is on the "
          "standard error. Also if nobody reads the output any more: then without a word."},
    {"2", "It was called wrongly."},
    {"3", "Nobody is logged in, the login has ended, or the password was wrong."},
    {"4", "It may work the next time: no connection, no answer in time, too much at once, the "
          "server is not ready, or the profile is in use. What send has taken is not lost."},
    {0},
};

static const struct item variables[] = {
    {"BANTER_SERVER", "The server to sign up or log in at, and that admin asks."},
    {"BANTER_PASSWORD", "The password for signup and login."},
    {"BANTER_PROFILE, BANTER_CA", "As the options."},
    {"BANTER_HOME", "The directory of the profiles."},
    {"http_proxy, https_proxy", "Are obeyed, also for MQTT."},
    {0},
};

static const struct item files[] = {
    {"~/.local/state/banter/", "Or $XDG_STATE_HOME/banter: the profiles, readable by their owner "
                               "alone. NAME.conf has server and device, NAME.db the login, what "
                               "is unsent, and how far tail has come."},
    {0},
};

static const struct item examples[] = {
    {"banter-cli --server https://chat.example.org login alice", "Logs in; the profile keeps it."},
    {"make 2>&1 | banter-cli send @bob", "Each line is a message."},
    {"banter-cli --json history @bob --limit 1000 | jq -r .text", "Texts alone."},
    {"banter-cli export @bob --output bob.ndjson", "Everything, and later what is new."},
    {0},
};

void manual_print(FILE *to)
{
    fputs(".TH BANTER\\-CLI 1 2026-11-23 \"Banter " BANTER_VERSION "\" \"User Commands\"\n"
          ".nh\n.ad l\n.SH NAME\nbanter\\-cli \\- ",
          to);
    put_line(to, program.summary);
    fputs(".SH SYNOPSIS\n.B banter\\-cli\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIWORD\\fR]...\n"
          ".SH DESCRIPTION\n",
          to);
    put_line(to, "Sends and reads messages of a Banter server: pipes in, lines or JSON out. "
                 "The standard output has data alone, everything else goes to the standard error. "
                 "Lines have their columns between tabs. What others wrote is printed without the "
                 "control characters that a terminal would obey; JSON is as the server gave it. "
                 "Long work shows how far it has come, if the standard error is a terminal.");
    fputs(".PP\n", to);
    put_line(to, "A profile is one login on one device at one server. One command has it to "
                 "itself: who sends while a tail runs takes another profile for one of them. Its "
                 "tokens go to no other server until logout.");
    fputs(".SH OPTIONS\n", to);
    put_line(to, "They may stand before the command or behind it; '--' ends them.");
    for (const struct option_row *option = program.options; option->name; option++)
        put_option(to, option);
    fputs(".SH COMMANDS\n", to);
    command_walk(put_command, to);
    put_items(to, "\"EXIT STATUS\"", statuses);
    put_items(to, "ENVIRONMENT", variables);
    put_items(to, "FILES", files);
    put_items(to, "EXAMPLES", examples);
}

static int print(struct cli *c, const struct arguments *a)
{
    (void)c;
    (void)a;
    manual_print(stdout);
    return EXIT_OK;
}

const struct command command_manual = {
    .name = "manual",
    .summary = "print the manual page, as man -l reads it",
    .run = print,
    .flags = NEEDS_NOTHING,
};
