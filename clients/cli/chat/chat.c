/* SPDX-License-Identifier: MIT */
/* chat.c - `banter-cli chat`: one loop that waits for keys, news, signals and time, tells the
 * model, does what it wishes, and shows it.
 *
 * Threads: this one, which has the model and the terminal, and libbanter's, which puts news into
 * the queue and knows of nothing else. Signals are blocked in both and read here. */
#include "chat/drafts.h"
#include "chat/errands.h"
#include "chat/screen.h"
#include "chat/view.h"
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    PRESSES_PER_TURN = 4096,
    NEWS_PER_TURN = 1024,
    SAVE_AFTER_MS = 1000,
    READ_REST_MS = 1000, /* after which libbanter has said what was read */
    WAIT_MAX_MS = 60000,
    SILENT_TURNS_MAX = 100, /* readable, and nothing to read: the terminal has gone */
    MS_PER_SECOND = 1000,
    NS_PER_MS = 1000000,
};

struct chat {
    struct cli *cli;
    struct model model;
    struct news_queue news;
    struct grid grid;
    int signals;
    char drafts[2 * PATH_SIZE];
    unsigned saved;      /* model.draft_changes that are in the file */
    uint64_t save_at_ms; /* 0: all of them are */
    int64_t read_ms;     /* when something was read */
    int silent_turns;
    bool is_over;
};

static int64_t milliseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

/* ---- wishes ---- */

static void fit(struct chat *chat)
{
    int rows, columns;

    screen_refresh();
    screen_size(&rows, &columns);
    model_resize(&chat->model, rows, columns);
}

static void grant_own(struct chat *chat, enum wish_kind kind)
{
    if (kind == WISH_QUIT) {
        chat->is_over = true;
        return;
    }
    if (kind == WISH_SUSPEND)
        screen_suspend();
    fit(chat);
}

static void grant_wishes(struct chat *chat)
{
    struct wish wish;

    while (wishes_take(&chat->model.wishes, &wish)) {
        if (wish.kind == WISH_READ)
            chat->read_ms = milliseconds(CLOCK_MONOTONIC);
        if (!errands_do(chat->cli->client, &chat->news, &chat->model, &wish))
            grant_own(chat, wish.kind);
        wish_finish(&wish);
    }
}

/* ---- what happened ---- */

static void take_presses(struct chat *chat)
{
    struct press press;
    int count = 0;

    while (count < PRESSES_PER_TURN && screen_press(&press)) {
        model_press(&chat->model, &press);
        count++;
    }
    chat->silent_turns = count > 0 ? 0 : chat->silent_turns + 1;
    if (chat->silent_turns > SILENT_TURNS_MAX)
        chat->is_over = true;
}

static void take_news(struct chat *chat)
{
    struct news *n;

    for (int i = 0; i < NEWS_PER_TURN && (n = news_take(&chat->news)) != NULL; i++) {
        model_hear(&chat->model, n);
        news_free(n);
    }
}

static void take_signals(struct chat *chat)
{
    struct signalfd_siginfo info;

    while (read(chat->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH)
            fit(chat);
        else if (info.ssi_signo == SIGTSTP)
            grant_own(chat, WISH_SUSPEND);
        else if (info.ssi_signo != SIGCONT)
            chat->is_over = true;
    }
}

/* ---- unsent texts ---- */

#define NOT_KEPT "unsent texts cannot be kept: %s"

/* False, with errno, when they are not in the file. */
static bool save_drafts(struct chat *chat)
{
    json_t *drafts = model_drafts(&chat->model);
    bool ok = drafts_save(chat->drafts, drafts);

    if (ok)
        chat->saved = chat->model.draft_changes;
    json_decref(drafts);
    chat->save_at_ms = 0;
    return ok;
}

static void look_after_drafts(struct chat *chat)
{
    if (chat->saved == chat->model.draft_changes)
        return;
    if (chat->save_at_ms == 0)
        chat->save_at_ms = chat->model.now_ms + SAVE_AFTER_MS;
    else if (chat->model.now_ms >= chat->save_at_ms && !save_drafts(chat))
        model_say(&chat->model, true, NOT_KEPT, strerror(errno));
}

/* ---- the loop ---- */

static int wait_of(const struct chat *chat)
{
    uint64_t deadline = model_deadline(&chat->model);
    uint64_t now = (uint64_t)milliseconds(CLOCK_MONOTONIC);

    if (chat->save_at_ms > 0 && chat->save_at_ms < deadline)
        deadline = chat->save_at_ms;
    if (deadline <= now)
        return 0;
    return deadline - now < WAIT_MAX_MS ? (int)(deadline - now) : WAIT_MAX_MS;
}

static void tick(struct chat *chat)
{
    model_tick(&chat->model, (uint64_t)milliseconds(CLOCK_MONOTONIC), milliseconds(CLOCK_REALTIME));
    chat->model.waiting = banter_outbox_count(chat->cli->client);
    grant_wishes(chat);
    look_after_drafts(chat);
}

static void run(struct chat *chat)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = chat->news.event, .events = POLLIN},
                           {.fd = chat->signals, .events = POLLIN}};

    while (!chat->is_over) {
        tick(chat);
        view_draw(&chat->model, &chat->grid);
        screen_show(&chat->grid);
        if (poll(fds, sizeof fds / sizeof fds[0], wait_of(chat)) < 0 && errno != EINTR)
            break;
        chat->model.now_ms = (uint64_t)milliseconds(CLOCK_MONOTONIC);
        if (fds[0].revents & (POLLHUP | POLLERR))
            chat->is_over = true;
        if (fds[0].revents & POLLIN)
            take_presses(chat);
        if (fds[1].revents)
            take_news(chat);
        if (fds[2].revents)
            take_signals(chat);
    }
    grant_wishes(chat); /* what was sent with the last key */
}

/* ---- beginning and end ---- */

static bool catch_signals(struct chat *chat)
{
    static const int numbers[] = {SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    chat->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return chat->signals >= 0;
}

static void begin(struct chat *chat)
{
    char user[HANDLE_SIZE] = "";
    json_t *drafts;

    (void)banter_user(chat->cli->client, user, sizeof user);
    model_init(&chat->model, user);
    profile_path(chat->cli, "drafts", chat->drafts);
    drafts = drafts_load(chat->drafts);
    model_keep_drafts(&chat->model, drafts);
    json_decref(drafts);
    chat->model.pressed_ms = (uint64_t)milliseconds(CLOCK_MONOTONIC);
    screen_size(&chat->model.rows, &chat->model.columns);
}

/* Who reads and leaves at once has read, too. */
static void linger(const struct chat *chat)
{
    int64_t left = chat->read_ms + READ_REST_MS - milliseconds(CLOCK_MONOTONIC);

    if (chat->read_ms > 0 && left > 0 && model_is_online(&chat->model))
        (void)poll(NULL, 0, (int)left);
}

static int chat_in(struct chat *chat)
{
    struct banter_callbacks callbacks = errands_callbacks(&chat->news);
    int status = profile_open_logged_in(chat->cli, &callbacks);
    const char *problem;

    if (status)
        return status;
    problem = screen_start();
    if (problem)
        return fail("%s", problem);
    begin(chat);
    run(chat);
    screen_stop();
    if (chat->saved != chat->model.draft_changes && !save_drafts(chat))
        status = fail(NOT_KEPT, strerror(errno));
    linger(chat);
    return status;
}

static int chat_run(struct cli *c, const struct arguments *a)
{
    static struct chat chat;
    int status;

    (void)a;
    c->shows_all = true;
    chat.cli = c;
    chat.signals = -1;
    if (!news_init(&chat.news) || !catch_signals(&chat))
        return fail("%s", strerror(errno));
    status = chat_in(&chat);
    news_close(&chat.news);
    banter_destroy(c->client); /* its last answers go to the queue */
    c->client = NULL;
    news_finish(&chat.news);
    model_finish(&chat.model);
    grid_finish(&chat.grid);
    close(chat.signals);
    return status;
}

const struct command command_chat = {
    .name = "chat",
    .summary = "talk in the terminal",
    .about = "Fills the terminal: conversations on the left, the open one on the right. F1 shows "
             "the keys; Ctrl-C, SIGINT, SIGTERM and SIGHUP end it. Texts that were not sent are "
             "kept in the profile. Without colors if NO_COLOR is set.",
    .run = chat_run,
};
