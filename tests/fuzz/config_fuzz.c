/* SPDX-License-Identifier: MIT */
/* config_fuzz.c - the bridge's file of settings. A file that is accepted gives everything that is
 * needed, within its bounds. */
#include "fuzz/fuzz.h"

#include "config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    char path[64];
    int fd;

    fd = memfd_create("config", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (config_load(&config, path, NULL, 0)) {
        must(config.database[0] && config.link_key[0]);
        must(config.pool_connections > 0 && config.batch_max > 0 && config.queue_max > 0);
        must(config.access_token_ttl > 0 && config.log_level <= LOG_LEVEL_ERROR);
    }
    config_free(&config);
    close(fd);
    return 0;
}
