/* SPDX-License-Identifier: MIT */
/* notify.h - tells the service manager how we are (sd_notify(3)'s protocol). Does nothing without
 * NOTIFY_SOCKET in the environment. */
#ifndef BANTER_BRIDGE_NOTIFY_H
#define BANTER_BRIDGE_NOTIFY_H

/* `state` such as "READY=1" or "STOPPING=1". Failing to say it is no failure. */
void notify_manager(const char *state);

#endif
