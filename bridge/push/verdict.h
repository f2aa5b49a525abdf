/* SPDX-License-Identifier: MIT */
/* verdict.h - what a provider's answer means for the notification and its registration.
 *
 * Pure, and strangers write what is read here. A registration is only called gone when the provider
 * says so in its own words: a misconfigured server of ours must not cost anybody theirs. */
#ifndef BANTER_PUSH_VERDICT_H
#define BANTER_PUSH_VERDICT_H

#include "push/client.h"
#include "push/push.h"

/* What to do before giving the outcome, once per notification. */
enum verdict_second_try { SECOND_TRY_NONE, SECOND_TRY_NEW_TOKEN, SECOND_TRY_SHORTER };

struct verdict {
    struct push_result result;
    enum verdict_second_try second_try;
};

struct verdict verdict_fcm(const struct client_answer *answer);
struct verdict verdict_apns(const struct client_answer *answer);
struct verdict verdict_web(const struct client_answer *answer);
struct verdict verdict_webhook(const struct client_answer *answer);

#endif
