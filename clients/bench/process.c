/* SPDX-License-Identifier: MIT */
/* process.c - see process.h. */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { OTHER_DESCRIPTORS = 64 };

struct times {
    pid_t parent;
    uint64_t own_ticks;      /* utime + stime */
    uint64_t children_ticks; /* cutime + cstime: of children that ended */
};

/* Fields of /proc/PID/stat, counted from 1. The name in field 2 may hold anything, so that
 * counting starts after its last parenthesis. */
static bool read_times(pid_t pid, struct times *out)
{
    char path[64];
    char text[1024];
    unsigned long user, system;
    long children_user, children_system;
    int parent;
    FILE *file;
    size_t length;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';

    const char *after_name = strrchr(text, ')');

    if (!after_name ||
        sscanf(after_name + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
               &parent, &user, &system, &children_user, &children_system) != 5)
        return false;
    out->parent = (pid_t)parent;
    out->own_ticks = user + system;
    out->children_ticks = (uint64_t)(children_user + children_system);
    return true;
}

uint64_t process_cpu_us(pid_t pid)
{
    struct times times;
    uint64_t ticks;
    DIR *proc;
    struct dirent *item;

    if (pid <= 0 || !read_times(pid, &times))
        return 0;
    ticks = times.own_ticks + times.children_ticks;
    proc = opendir("/proc");
    while (proc && (item = readdir(proc))) {
        if (isdigit((unsigned char)item->d_name[0]) &&
            read_times((pid_t)strtol(item->d_name, NULL, 10), &times) && times.parent == pid)
            ticks += times.own_ticks + times.children_ticks;
    }
    if (proc)
        closedir(proc);
    return ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

bool process_may_open(unsigned connections)
{
    struct rlimit files;
    unsigned long needed = (unsigned long)connections + OTHER_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= needed)
        return true;
    fprintf(stderr,
            "banter-bench: %u connections need %lu descriptors, and this process may have %lu;"
            " raise the hard limit (ulimit -Hn)\n",
            connections, needed, (unsigned long)files.rlim_cur);
    return false;
}

/* The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
uint64_t process_machine_cpu_us(void)
{
    unsigned long long user, nice, system, irq, softirq;
    FILE *file = fopen("/proc/stat", "re");
    bool read;

    if (!file)
        return 0;
    read = fscanf(file, "cpu %llu %llu %llu %*u %*u %llu %llu", &user, &nice, &system, &irq,
                  &softirq) == 5;
    fclose(file);
    if (!read)
        return 0;
    return (user + nice + system + irq + softirq) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* The number after `name` in a file of "Name:  number" lines; 0 when there is none. */
static uint64_t number_after(const char *path, const char *name)
{
    FILE *file = fopen(path, "re");
    char line[256];
    uint64_t number = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            number = strtoull(line + strlen(name), NULL, 10);
            break;
        }
    }
    if (file)
        fclose(file);
    return number;
}

uint64_t process_rss_kib(pid_t pid)
{
    char path[64];

    if (pid <= 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    return number_after(path, "VmRSS:");
}

pid_t process_read_pid(const char *path)
{
    return (pid_t)number_after(path, "");
}

static void write_cpu_model(struct buf *b)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    const char *model = "unknown";

    while (file && fgets(line, sizeof(line), file)) {
        char *colon = strchr(line, ':');

        if (colon && strncmp(line, "model name", 10) == 0) {
            model = colon + 2;
            line[strcspn(line, "\n")] = '\0';
            break;
        }
    }
    buf_json(b, slice_str(model));
    if (file)
        fclose(file);
}

void process_write_system(struct buf *b)
{
    struct utsname name;
    struct sysinfo info;

    buf_str(b, "\"cpu\":");
    write_cpu_model(b);
    buf_printf(b, ",\"cores\":%ld", sysconf(_SC_NPROCESSORS_ONLN));
    if (sysinfo(&info) == 0)
        buf_printf(b, ",\"memory_mib\":%llu",
                   (unsigned long long)info.totalram * info.mem_unit >> 20);
    if (uname(&name) == 0) {
        buf_str(b, ",\"kernel\":");
        buf_json(b, slice_str(name.release));
    }
}
