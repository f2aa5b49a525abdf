/* SPDX-License-Identifier: MIT */
/* screen.c - grids to the terminal, keys from it. */
#include "chat/screen.h"

#include "chat/memory.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    ESCAPE_WAIT_MS = 25, /* for what follows an escape in a key's sequence */
    ESCAPE = 27,
    /* Keys that ncurses has no name for. */
    CODE_PASTE_BEGIN = 2000,
    CODE_PASTE_END,
    CODE_ALT_UP,
    CODE_ALT_DOWN,
    CODE_ALT_RIGHT,
    CODE_ALT_LEFT,
};

static SCREEN *screen;
static bool is_shown;
static attr_t attributes[STYLE_COUNT];
static short pairs[STYLE_COUNT];

/* ---- looks ---- */

static const struct {
    attr_t attributes;
    short color; /* -1: the terminal's own */
} looks[STYLE_COUNT] = {
    [STYLE_PLAIN] = {A_NORMAL, -1},
    [STYLE_FAINT] = {A_DIM, -1},
    [STYLE_STRONG] = {A_BOLD, -1},
    [STYLE_BAR] = {A_REVERSE, -1},
    [STYLE_BADGE] = {A_BOLD | A_REVERSE, COLOR_GREEN},
    [STYLE_GOOD] = {A_BOLD, COLOR_GREEN},
    [STYLE_BAD] = {A_BOLD | A_REVERSE, COLOR_RED},
    [STYLE_MARKED] = {A_REVERSE, COLOR_CYAN},
    [STYLE_NEW] = {A_BOLD, COLOR_YELLOW},
    [STYLE_OWN] = {A_BOLD, -1},
    [STYLE_NAME + 0] = {A_NORMAL, COLOR_CYAN},
    [STYLE_NAME + 1] = {A_NORMAL, COLOR_GREEN},
    [STYLE_NAME + 2] = {A_NORMAL, COLOR_MAGENTA},
    [STYLE_NAME + 3] = {A_NORMAL, COLOR_YELLOW},
    [STYLE_NAME + 4] = {A_NORMAL, COLOR_BLUE},
    [STYLE_NAME + 5] = {A_NORMAL, COLOR_RED},
};

static void set_looks(void)
{
    const char *no_color = getenv("NO_COLOR");
    bool has_colors_now = !(no_color && no_color[0]) && has_colors() && start_color() == OK &&
                          use_default_colors() == OK;

    for (short i = 0; i < STYLE_COUNT; i++) {
        attributes[i] = looks[i].attributes;
        pairs[i] = 0;
        if (has_colors_now && looks[i].color >= 0 &&
            init_pair((short)(i + 1), looks[i].color, -1) == OK)
            pairs[i] = (short)(i + 1);
    }
}

/* ---- starting and stopping ---- */

/* A capability that ncurses has no function for; most terminals have it, and others ignore it. */
static const char *capability(const char *name, const char *usual)
{
    const char *text = tigetstr(name);

    return text && text != (char *)-1 ? text : usual;
}

static void set_pasting(bool is_on)
{
    (void)putp(is_on ? capability("BE", "\033[?2004h") : capability("BD", "\033[?2004l"));
    (void)fflush(stdout);
}

static void define_keys(void)
{
    static const struct {
        const char *sequence;
        int code;
    } keys[] = {
        {"\033[1;3A", CODE_ALT_UP},   {"\033[1;3B", CODE_ALT_DOWN},  {"\033[1;3C", CODE_ALT_RIGHT},
        {"\033[1;3D", CODE_ALT_LEFT}, {"\033[1;5C", CODE_ALT_RIGHT}, {"\033[1;5D", CODE_ALT_LEFT},
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        (void)define_key(keys[i].sequence, keys[i].code);
    (void)define_key(capability("PS", "\033[200~"), CODE_PASTE_BEGIN);
    (void)define_key(capability("PE", "\033[201~"), CODE_PASTE_END);
}

static void on_crash(int number)
{
    screen_stop();
    (void)raise(number); /* the handler is gone: SA_RESETHAND */
}

/* A handler that somebody else has set, such as a sanitizer's, stays. */
static void guard_against_crashes(void)
{
    static const int numbers[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    struct sigaction guard = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;

        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(numbers[i], &guard, NULL);
    }
}

/* Nearly every terminal is one of UTF-8, whatever the environment forgot to say. */
static bool set_locale(void)
{
    (void)setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    return setlocale(LC_CTYPE, "C.UTF-8") != NULL;
}

const char *screen_start(void)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return "chat needs a terminal";
    if (!set_locale())
        return "there is no locale with UTF-8";
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return "this kind of terminal is not known: see TERM";
    is_shown = true;
    memory_before_end(screen_stop);
    (void)atexit(screen_stop);
    guard_against_crashes();
    set_looks();
    (void)raw();
    (void)noecho();
    (void)nonl();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)set_escdelay(ESCAPE_WAIT_MS);
    define_keys();
    set_pasting(true);
    return NULL;
}

void screen_stop(void)
{
    if (!is_shown)
        return;
    is_shown = false;
    set_pasting(false);
    (void)endwin();
}

void screen_suspend(void)
{
    screen_stop();
    (void)raise(SIGSTOP);
    is_shown = true;
    set_pasting(true);
    screen_refresh();
}

/* ---- drawing ---- */

void screen_size(int *rows, int *columns)
{
    struct winsize size;

    *rows = LINES;
    *columns = COLS;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        *rows = size.ws_row;
        *columns = size.ws_col;
    }
    if (*rows > GRID_ROWS_MAX)
        *rows = GRID_ROWS_MAX;
    if (*columns > GRID_COLUMNS_MAX)
        *columns = GRID_COLUMNS_MAX;
}

void screen_refresh(void)
{
    int rows, columns;

    screen_size(&rows, &columns);
    if (rows != LINES || columns != COLS)
        (void)resizeterm(rows, columns);
    (void)clearok(stdscr, TRUE);
}

void screen_show(const struct grid *g)
{
    for (int row = 0; row < g->rows && row < LINES; row++)
        for (int column = 0; column < g->columns && column < COLS; column++) {
            const struct cell *c = &g->cells[row * g->columns + column];
            cchar_t character;

            if (c->text[0] != L'\0' &&
                setcchar(&character, c->text, attributes[c->style], pairs[c->style], NULL) == OK)
                (void)mvadd_wch(row, column, &character);
        }
    (void)curs_set(g->cursor_row >= 0 ? 1 : 0);
    if (g->cursor_row >= 0)
        (void)move(g->cursor_row, g->cursor_column);
    (void)refresh();
}

/* ---- keys ---- */

static const struct {
    wint_t code;
    enum press_code press;
    bool alt;
} named[] = {
    {KEY_UP, PRESS_UP, false},
    {KEY_DOWN, PRESS_DOWN, false},
    {KEY_LEFT, PRESS_LEFT, false},
    {KEY_RIGHT, PRESS_RIGHT, false},
    {KEY_PPAGE, PRESS_PAGE_UP, false},
    {KEY_NPAGE, PRESS_PAGE_DOWN, false},
    {KEY_HOME, PRESS_HOME, false},
    {KEY_END, PRESS_END, false},
    {KEY_ENTER, PRESS_ENTER, false},
    {KEY_BACKSPACE, PRESS_BACKSPACE, false},
    {KEY_DC, PRESS_DELETE, false},
    {KEY_F(1), PRESS_HELP, false},
    {CODE_PASTE_BEGIN, PRESS_PASTE_BEGIN, false},
    {CODE_PASTE_END, PRESS_PASTE_END, false},
    {CODE_ALT_UP, PRESS_UP, true},
    {CODE_ALT_DOWN, PRESS_DOWN, true},
    {CODE_ALT_RIGHT, PRESS_RIGHT, true},
    {CODE_ALT_LEFT, PRESS_LEFT, true},
};

static void press_of_code(wint_t code, struct press *out)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i].code == code) {
            out->code = named[i].press;
            out->alt |= named[i].alt;
        }
}

static void press_of_character(wint_t c, struct press *out)
{
    enum { BACKSPACE = 8, TAB = 9, ENTER = 13, CONTROL_LAST = 26, DELETE = 127 };

    if (c == TAB)
        out->code = PRESS_TAB;
    else if (c == ENTER)
        out->code = PRESS_ENTER;
    else if (c == BACKSPACE || c == DELETE)
        out->code = PRESS_BACKSPACE;
    else if (c == ESCAPE)
        out->code = PRESS_ESCAPE;
    else if (c >= L' ')
        *out = (struct press){PRESS_TEXT, (wchar_t)c, out->alt};
    else if (c > 0 && c <= CONTROL_LAST)
        *out = (struct press){PRESS_CONTROL, (wchar_t)(c + 'A' - 1), out->alt};
}

/* The rest of a sequence that no key is known by. */
static void pass_over_sequence(void)
{
    wint_t c;

    while (get_wch(&c) == OK && !(c >= '@' && c <= '~'))
        continue;
}

bool screen_press(struct press *out)
{
    wint_t c, next;
    int kind = get_wch(&c), kind_of_next;

    *out = (struct press){PRESS_NOTHING, 0, false};
    if (kind == ERR)
        return false;
    if (kind == OK && c == ESCAPE) {
        kind_of_next = get_wch(&next);
        if (kind_of_next == OK && (next == '[' || next == 'O')) {
            pass_over_sequence();
            return true;
        }
        if (kind_of_next != ERR && !(kind_of_next == OK && next == ESCAPE)) {
            out->alt = true;
            kind = kind_of_next;
            c = next;
        }
    }
    if (kind == KEY_CODE_YES)
        press_of_code(c, out);
    else
        press_of_character(c, out);
    return true;
}
