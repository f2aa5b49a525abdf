/* SPDX-License-Identifier: MIT */
/* baseline.c - see baseline.h. The broker dies with the bench, whatever ends it. */
#include "baseline.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_DEADLINE_MS = 5000, POLL_NS = 20000000 };

static const char settings[] = "listener %u 127.0.0.1\n"
                               "allow_anonymous true\n"
                               "persistence false\n"
                               "log_dest none\n"
                               "set_tcp_nodelay true\n"
                               "max_inflight_messages 2000\n"
                               "max_queued_messages 1000\n"
                               "max_packet_size 1048576\n";

/* A port that was free a moment ago: good enough on loopback. */
static bool find_port(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found;

    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    found = fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0 &&
            getsockname(fd, (struct sockaddr *)address, &size) == 0;
    if (fd >= 0)
        close(fd);
    return found;
}

static bool write_settings(struct baseline *b)
{
    int fd;
    int written;

    snprintf(b->config_path, sizeof(b->config_path), "/tmp/banter-bench-XXXXXX");
    fd = mkostemp(b->config_path, O_CLOEXEC);
    if (fd < 0)
        return false;
    written = dprintf(fd, settings, (unsigned)ntohs(b->address.sin_port));
    close(fd);
    return written > 0;
}

static void become_broker(const char *mosquitto, const char *config_path)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    execl(mosquitto, mosquitto, "-c", config_path, (char *)NULL);
    _exit(127);
}

static bool accepts(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected =
        fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

    if (fd >= 0)
        close(fd);
    return connected;
}

static bool wait_until_ready(struct baseline *b)
{
    uint64_t deadline_ms = clock_monotonic_ms() + START_DEADLINE_MS;
    const struct timespec pause = {.tv_nsec = POLL_NS};

    while (!accepts(&b->address)) {
        if (waitpid(b->pid, NULL, WNOHANG) != 0) {
            b->pid = 0;
            return false;
        }
        if (clock_monotonic_ms() > deadline_ms)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

bool baseline_start(struct baseline *b, const char *mosquitto)
{
    memset(b, 0, sizeof(*b));
    if (!find_port(&b->address) || !write_settings(b)) {
        fprintf(stderr, "banter-bench: cannot prepare %s: %s\n", mosquitto, strerror(errno));
        return false;
    }
    b->pid = fork();
    if (b->pid == 0)
        become_broker(mosquitto, b->config_path);
    if (b->pid > 0 && wait_until_ready(b))
        return true;
    fprintf(stderr, "banter-bench: %s does not start\n", mosquitto);
    baseline_stop(b);
    return false;
}

void baseline_stop(struct baseline *b)
{
    if (b->pid > 0) {
        kill(b->pid, SIGTERM);
        waitpid(b->pid, NULL, 0);
        b->pid = 0;
    }
    if (b->config_path[0] != '\0')
        unlink(b->config_path);
    b->config_path[0] = '\0';
}
