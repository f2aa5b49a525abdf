/* SPDX-License-Identifier: MIT */
/* prompts.c - asking, and acting on answers. */
#include "chat/prompts.h"

#include <string.h>

static const char *const quick[] = {"👍", "❤", "😂", "🎉", "😮", "😢"};

void prompt_begin(struct model *m, enum prompt prompt)
{
    if (m->focus != FOCUS_PROMPT)
        m->focus_before = m->focus;
    m->focus = FOCUS_PROMPT;
    m->prompt = prompt;
    line_clear(&m->answer);
    m->answer.characters_max = prompt == PROMPT_GROUP ? TITLE_MAX_CHARACTERS : PROMPT_MAX;
}

void prompt_end(struct model *m)
{
    m->focus = m->focus_before;
    line_clear(&m->answer);
}

static bool wants_letter(enum prompt prompt)
{
    return prompt == PROMPT_DELETE || prompt == PROMPT_LEAVE;
}

void prompt_type(struct model *m, wchar_t character)
{
    (void)line_insert(&m->answer, character);
    if (wants_letter(m->prompt) ||
        (m->prompt == PROMPT_REACT && m->answer.length == 1 && character >= L'1' &&
         character < L'1' + (wchar_t)(sizeof quick / sizeof quick[0])))
        prompt_answer(m);
}

/* ---- what answers do; each may ask the next question ---- */

/* A handle as people write it. */
static const char *without_at(const char *handle)
{
    handle += strspn(handle, " ");
    return handle[0] == '@' ? handle + 1 : handle;
}

static void open_chat(struct model *m, const char *text)
{
    model_wish(m, WISH_DIRECT, NULL, 0, without_at(text));
}

static void name_group(struct model *m, const char *text)
{
    (void)copy_text(m->group_title, sizeof m->group_title, text);
    prompt_begin(m, PROMPT_INVITED);
}

static void make_group(struct model *m, const char *text)
{
    struct wish wish = {.kind = WISH_GROUP, .text = m->group_title, .more = (char *)text};

    wishes_add(&m->wishes, &wish);
}

static void add_members(struct model *m, const char *text)
{
    struct wish wish = {.kind = WISH_ADD, .more = (char *)text};

    memcpy(wish.conversation, m->current->id, sizeof wish.conversation);
    wishes_add(&m->wishes, &wish);
}

static void react(struct model *m, const char *text)
{
    const struct message *message = room_find(m->current, m->selected);
    struct wish wish = {.kind = WISH_REACT, .seq = m->selected, .text = (char *)text};

    if (!message)
        return;
    if (text[0] >= '1' && text[0] < '1' + (char)(sizeof quick / sizeof quick[0]) && !text[1])
        wish.text = (char *)quick[text[0] - '1'];
    for (size_t i = 0; i < message->reaction_count; i++)
        wish.flag |=
            message->reactions[i].own && strcmp(message->reactions[i].emoji, wish.text) == 0;
    memcpy(wish.conversation, m->current->id, sizeof wish.conversation);
    wishes_add(&m->wishes, &wish);
    m->focus = FOCUS_WRITE;
}

static bool is_yes(const char *text)
{
    return strcmp(text, "y") == 0 || strcmp(text, "Y") == 0;
}

static void delete_message(struct model *m, const char *text)
{
    if (!is_yes(text))
        return;
    model_wish(m, WISH_DELETE, m->current, m->selected, NULL);
    m->focus = FOCUS_WRITE;
}

static void leave(struct model *m, const char *text)
{
    if (is_yes(text))
        model_wish(m, WISH_LEAVE, m->current, 0, NULL);
}

static void (*const actions[])(struct model *m, const char *text) = {
    [PROMPT_OPEN] = open_chat,  [PROMPT_GROUP] = name_group, [PROMPT_INVITED] = make_group,
    [PROMPT_ADD] = add_members, [PROMPT_REACT] = react,      [PROMPT_DELETE] = delete_message,
    [PROMPT_LEAVE] = leave,
};

void prompt_answer(struct model *m)
{
    char text[4 * PROMPT_MAX + 1];
    enum prompt prompt = m->prompt;

    (void)copy_text(text, sizeof text, line_text(&m->answer));
    if (line_is_blank(&m->answer) && prompt != PROMPT_INVITED)
        return;
    prompt_end(m);
    actions[prompt](m, text);
}
