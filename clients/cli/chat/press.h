/* SPDX-License-Identifier: MIT */
/* press.h - what somebody did at the keyboard, whatever the terminal sent for it. */
#ifndef BANTER_CLI_CHAT_PRESS_H
#define BANTER_CLI_CHAT_PRESS_H

#include <stdbool.h>
#include <wchar.h>

enum press_code {
    PRESS_NOTHING,
    PRESS_TEXT,    /* `character` */
    PRESS_CONTROL, /* with the letter `character`, 'A' to 'Z' */
    PRESS_ENTER,
    PRESS_TAB,
    PRESS_ESCAPE,
    PRESS_BACKSPACE,
    PRESS_DELETE,
    PRESS_UP,
    PRESS_DOWN,
    PRESS_LEFT,
    PRESS_RIGHT,
    PRESS_PAGE_UP,
    PRESS_PAGE_DOWN,
    PRESS_HOME,
    PRESS_END,
    PRESS_HELP,
    PRESS_PASTE_BEGIN, /* until PRESS_PASTE_END all is text, whatever it looks like */
    PRESS_PASTE_END,
};

struct press {
    enum press_code code;
    wchar_t character;
    bool alt;
};

#endif
