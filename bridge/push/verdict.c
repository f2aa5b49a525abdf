/* SPDX-License-Identifier: MIT */
/* verdict.c - see verdict.h. The words of the providers stand in tables; what no table knows is
 * judged by its status. */
#include "push/verdict.h"

#include "wire/json.h"

#include <string.h>

/* One answer that a provider documents. */
struct rule {
    unsigned status; /* 0: any */
    const char *word;
    enum push_outcome outcome;
    enum push_reason reason;
    enum verdict_second_try second_try;
};

/* Firebase's reference of error codes, FcmError.errorCode. */
static const struct rule fcm_rules[] = {
    {404, "UNREGISTERED", PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE},
    {403, "SENDER_ID_MISMATCH", PUSH_FAILED, PUSH_REASON_TARGET, SECOND_TRY_NONE},
    {401, "THIRD_PARTY_AUTH_ERROR", PUSH_RETRY, PUSH_REASON_CREDENTIALS, SECOND_TRY_NONE},
    {0, "QUOTA_EXCEEDED", PUSH_RETRY, PUSH_REASON_QUOTA, SECOND_TRY_NONE},
    {0, "UNAVAILABLE", PUSH_RETRY, PUSH_REASON_PROVIDER, SECOND_TRY_NONE},
    {0, "INTERNAL", PUSH_RETRY, PUSH_REASON_PROVIDER, SECOND_TRY_NONE},
    {0, NULL, PUSH_SENT, PUSH_REASON_NONE, SECOND_TRY_NONE},
};

/* Apple's table of values for the key `reason`. */
static const struct rule apns_rules[] = {
    {400, "BadDeviceToken", PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE},
    {400, "DeviceTokenNotForTopic", PUSH_FAILED, PUSH_REASON_TARGET, SECOND_TRY_NONE},
    {400, "IdleTimeout", PUSH_RETRY, PUSH_REASON_CONNECTION, SECOND_TRY_NONE},
    {403, "ExpiredProviderToken", PUSH_RETRY, PUSH_REASON_CREDENTIALS, SECOND_TRY_NEW_TOKEN},
    {410, NULL, PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE}, /* or ExpiredToken */
    {0, NULL, PUSH_SENT, PUSH_REASON_NONE, SECOND_TRY_NONE},
};

static const struct rule web_rules[] = {
    {404, NULL, PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE}, /* RFC 8030 section 7.3 */
    {410, NULL, PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE},
    {413, NULL, PUSH_FAILED, PUSH_REASON_TOO_LARGE, SECOND_TRY_SHORTER},
    {0, NULL, PUSH_SENT, PUSH_REASON_NONE, SECOND_TRY_NONE},
};

static const struct rule webhook_rules[] = {
    {410, NULL, PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE},
    {0, NULL, PUSH_SENT, PUSH_REASON_NONE, SECOND_TRY_NONE},
};

static struct verdict make(enum push_outcome outcome, enum push_reason reason)
{
    return (struct verdict){.result = {outcome, reason, 0, -1}};
}

static struct verdict without_answer(enum client_end end)
{
    switch (end) {
    case CLIENT_FORBIDDEN:
        return make(PUSH_FAILED, PUSH_REASON_FORBIDDEN);
    case CLIENT_BAD_URL:
        return make(PUSH_FAILED, PUSH_REASON_TARGET);
    case CLIENT_TIMEOUT:
        return make(PUSH_RETRY, PUSH_REASON_TIMEOUT);
    case CLIENT_UNREACHABLE:
        return make(PUSH_RETRY, PUSH_REASON_CONNECTION);
    case CLIENT_BROKEN:
    case CLIENT_ANSWERED:
        break;
    }
    return make(PUSH_RETRY, PUSH_REASON_INTERNAL);
}

static struct verdict by_status(unsigned status)
{
    if (status >= 200 && status < 300)
        return make(PUSH_SENT, PUSH_REASON_NONE);
    if (status >= 500)
        return make(PUSH_RETRY, PUSH_REASON_PROVIDER);
    switch (status) {
    case 401:
    case 403:
        return make(PUSH_RETRY, PUSH_REASON_CREDENTIALS); /* somebody will mend the settings */
    case 408:
    case 425:
        return make(PUSH_RETRY, PUSH_REASON_PROVIDER);
    case 413:
        return make(PUSH_FAILED, PUSH_REASON_TOO_LARGE);
    case 429:
        return make(PUSH_RETRY, PUSH_REASON_QUOTA);
    default:
        return make(PUSH_FAILED, PUSH_REASON_REJECTED);
    }
}

/* The last rule has neither status nor word. A rule without a word is for any. */
static struct verdict judge(const struct client_answer *answer, const struct rule *rules,
                            struct slice word)
{
    struct verdict v;

    if (answer->end != CLIENT_ANSWERED)
        return without_answer(answer->end);
    v = by_status(answer->status);
    for (; v.result.outcome != PUSH_SENT && (rules->status || rules->word); rules++) {
        if (rules->status && rules->status != answer->status)
            continue;
        if (!rules->word || slice_equal(word, slice_str(rules->word))) {
            v = make(rules->outcome, rules->reason);
            v.second_try = rules->second_try;
            break;
        }
    }
    v.result.status = answer->status;
    if (v.result.outcome == PUSH_RETRY)
        v.result.retry_after_ms = answer->retry_after_ms;
    return v;
}

/* Borrowed from `error`: its own code if it has one, or else the general one. */
static struct slice fcm_word(const json_t *error)
{
    const json_t *details = json_object_get(error, "details");
    struct slice word = {NULL, 0};
    const json_t *detail;
    size_t i;

    json_array_foreach(details, i, detail)
    {
        word = json_member_string(detail, "errorCode");
        if (word.data)
            return word;
    }
    return json_member_string(error, "status");
}

/* Whether the provider finds fault with the token itself. */
static bool fcm_blames_token(const json_t *error)
{
    const json_t *details = json_object_get(error, "details");
    const json_t *detail, *violation;
    size_t i, j;

    json_array_foreach(details, i, detail)
    {
        json_array_foreach(json_object_get(detail, "fieldViolations"), j, violation)
        {
            if (slice_equal(json_member_string(violation, "field"), slice_str("message.token")))
                return true;
        }
    }
    return false;
}

struct verdict verdict_fcm(const struct client_answer *answer)
{
    const char *why;
    json_t *body = json_read_object(answer->body, &why);
    const json_t *error = json_object_get(body, "error");
    struct slice word = fcm_word(error);
    struct verdict v = judge(answer, fcm_rules, word);

    if (v.result.status == 400 && fcm_blames_token(error)) {
        v.result.outcome = PUSH_GONE;
        v.result.reason = PUSH_REASON_TARGET;
    } else if (v.result.status == 401 && !slice_equal(word, slice_str("THIRD_PARTY_AUTH_ERROR"))) {
        v.second_try = SECOND_TRY_NEW_TOKEN;
    }
    json_decref(body);
    return v;
}

struct verdict verdict_apns(const struct client_answer *answer)
{
    const char *why;
    json_t *body = json_read_object(answer->body, &why);
    struct verdict v = judge(answer, apns_rules, json_member_string(body, "reason"));

    json_decref(body);
    return v;
}

struct verdict verdict_web(const struct client_answer *answer)
{
    return judge(answer, web_rules, slice_of(NULL, 0));
}

struct verdict verdict_webhook(const struct client_answer *answer)
{
    return judge(answer, webhook_rules, slice_of(NULL, 0));
}
