/* SPDX-License-Identifier: MIT */
/* push_fuzz.c - what push services answer and what strangers register: no answer costs a
 * registration that was not called gone, no wait is longer than a day, and a URL that passes has
 * an origin. The first three bytes choose the judge and the status. */
#include "fuzz/fuzz.h"

#include "push/endpoint.h"
#include "push/fcm_token.h"
#include "push/retry_after.h"
#include "push/verdict.h"

#include <stdlib.h>

typedef struct verdict judge_fn(const struct client_answer *answer);

static judge_fn *const judges[] = {verdict_fcm, verdict_apns, verdict_web, verdict_webhook};

static void judge(const uint8_t *data, struct slice body, int64_t retry_after_ms)
{
    const struct client_answer answer = {
        .end = CLIENT_ANSWERED,
        .status = 200 + (data[1] << 8 | data[2]) % 400u,
        .body = body,
        .retry_after_ms = retry_after_ms,
    };
    struct verdict v = judges[data[0] % 4](&answer);

    must(v.result.status == answer.status);
    must((v.result.outcome == PUSH_SENT) == (answer.status < 300));
    must((v.result.reason == PUSH_REASON_NONE) == (v.result.outcome == PUSH_SENT));
    must(v.result.outcome == PUSH_RETRY || v.result.retry_after_ms == -1);
    must(v.result.outcome != PUSH_GONE || (answer.status >= 400 && answer.status < 500));
    must(push_reason_name(v.result.reason) != NULL);
}

static void read_token(struct slice body)
{
    int64_t lifetime_s = 0;
    char *token = fcm_token_parse(body, &lifetime_s);

    if (!token)
        return;
    must(lifetime_s > 0 && lifetime_s <= 86400);
    must(token[0] != '\0' && strlen(token) <= FCM_TOKEN_MAX_LENGTH);
    must(strpbrk(token, " \r\n") == NULL);
    free(token);
}

static void read_url(struct slice text)
{
    static const struct endpoint_rules rules[] = {{false, false}, {true, true}};
    bool strict = endpoint_problem(text, &rules[0]) == NULL;
    bool open = endpoint_problem(text, &rules[1]) == NULL;
    char *url, *origin;

    must(!strict || open);
    if (!open)
        return;
    url = strndup(text.data, text.length);
    must(url != NULL);
    origin = endpoint_origin(url);
    must(origin != NULL && strncmp(origin, strict ? "https://" : "http", strict ? 8 : 4) == 0);
    must(!strict || strcmp(origin, "https://127.0.0.1") != 0);
    free(origin);
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text;
    int64_t wait;

    if (size < 3)
        return 0;
    text = slice_of((const char *)data + 3, size - 3);
    wait = retry_after_parse(text, 1800000000);
    must(wait >= -1 && wait <= RETRY_AFTER_MAX_MS);
    judge(data, text, wait);
    read_token(text);
    read_url(text);
    return 0;
}
