/* SPDX-License-Identifier: MIT */
/* refused_draft.c - see refused_draft.h. On the loop thread. */
#include "core/refused_draft.h"

#include "base/clock.h"
#include "base/log.h"

void refused_draft_log(const struct refused_draft *d)
{
    static struct log_quota quota;
    struct log_fields fields = {.length = 0};

    if (!log_is_on(LOG_LEVEL_INFO) || !log_quota_take(&quota, clock_monotonic_ms(), &fields))
        return;
    if (d->request)
        log_field(&fields, "request", slice_str(d->request));
    log_field(&fields, "user", d->user);
    log_field(&fields, "device", d->device);
    log_field(&fields, "conversation", d->target);
    log_field(&fields, "draft", d->id);
    log_field(&fields, "code", slice_str(code_name(d->outcome->code)));
    log_about(LOG_LEVEL_INFO, "ingest", &fields, "a draft is refused: %s", d->outcome->reason);
}
