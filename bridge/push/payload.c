/* SPDX-License-Identifier: MIT */
/* payload.c - see payload.h. Each body is written twice: without the message's text, to learn what
 * that may take, and then with what fits. */
#include "push/payload.h"

#include "base/utf8.h"
#include "push/push.h"
#include "token/jwt.h"

#include <assert.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>

static const char ellipsis[] = "\u2026";
static const char no_text[] = "New message"; /* what is shown in privacy mode */

enum {
    TEXT_MAX_BYTES_CUT = 20000, /* longer than any body */
    ELLIPSIS_BYTES = sizeof ellipsis - 1,
    ANDROID_COLLAPSE_MAX = COLLAPSE_KEY_MAX_LENGTH,
};

/* Texts ready to be written. */
struct texts {
    struct slice title, from, to, text;
};

typedef void write_fn(struct buf *b, const struct push_notification *n, const struct texts *t,
                      struct slice token);

/* Bytes of one byte of text inside a JSON string, as buf_json() writes it. */
static size_t cost_of(unsigned char c)
{
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f')
        return 2;
    return c < 0x20 ? 6 : 1;
}

/* Length of the longest beginning that costs at most `max_bytes`, perhaps within a code point. */
static size_t affordable(struct slice text, size_t max_bytes)
{
    size_t cost = 0, length = 0;

    while (length < text.length) {
        cost += cost_of((unsigned char)text.data[length]);
        if (cost > max_bytes)
            break;
        length++;
    }
    return length;
}

void payload_cut(struct buf *out, struct slice text, size_t max_bytes)
{
    size_t length = affordable(text, max_bytes);

    if (length == text.length) {
        buf_slice_put(out, text);
    } else if (max_bytes >= ELLIPSIS_BYTES) {
        length = affordable(text, max_bytes - ELLIPSIS_BYTES);
        buf_slice_put(out, utf8_prefix(text, length));
        buf_str(out, ellipsis);
    }
}

/* `write` leaves the text out when it is empty, with its key, so a rest of KEY_BYTES buys nothing.
 */
static bool write_fitting(struct buf *out, const struct push_notification *n, struct slice token,
                          size_t max_bytes, write_fn *write)
{
    struct buf title, text;
    struct texts t = {.from = n->from, .to = n->to};
    size_t start = out->length, bare;

    buf_init(&title, PAYLOAD_TITLE_MAX_BYTES);
    buf_init(&text, TEXT_MAX_BYTES_CUT);
    if (n->without_text)
        t.from = slice_of(NULL, 0);
    else
        payload_cut(&title, n->title, PAYLOAD_TITLE_MAX_BYTES);
    t.title = buf_slice(&title);
    write(out, n, &t, token);
    bare = out->length - start;
    assert(out->failed || bare <= max_bytes);
    if (!n->without_text && !out->failed) {
        payload_cut(&text, n->text, max_bytes - bare);
        t.text = buf_slice(&text);
        out->length = start;
        write(out, n, &t, token);
        assert(out->failed || out->length - start <= max_bytes);
    }
    out->failed |= title.failed || text.failed;
    buf_finish(&title);
    buf_finish(&text);
    return !out->failed;
}

static void put_string(struct buf *b, const char *name, struct slice value)
{
    buf_json_key(b, name);
    buf_json(b, value);
}

static void put_conversation(struct buf *b, const struct push_notification *n)
{
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&n->conversation, id);
    put_string(b, "conversation", slice_str(id));
}

/* What Web Push and webhooks carry. */
static void put_message(struct buf *b, const struct push_notification *n, const struct texts *t)
{
    put_string(b, "type", slice_str("message"));
    put_conversation(b, n);
    buf_json_key(b, "seq");
    buf_u64(b, n->seq);
    if (n->badge != PUSH_NO_BADGE) {
        buf_json_key(b, "badge");
        buf_i64(b, n->badge);
    }
    if (n->without_text)
        return;
    put_string(b, "from", t->from);
    put_string(b, "title", t->title);
    put_string(b, "text", t->text);
}

static void write_web(struct buf *b, const struct push_notification *n, const struct texts *t,
                      struct slice token)
{
    (void)token;
    buf_char(b, '{');
    put_message(b, n, t);
    buf_char(b, '}');
}

static void write_webhook(struct buf *b, const struct push_notification *n, const struct texts *t,
                          struct slice token)
{
    (void)token;
    buf_char(b, '{');
    put_message(b, n, t);
    if (t->to.length > 0)
        put_string(b, "to", t->to);
    buf_char(b, '}');
}

static void write_apns(struct buf *b, const struct push_notification *n, const struct texts *t,
                       struct slice token)
{
    char id[UUID_TEXT_LENGTH + 1];

    (void)token;
    uuid_format(&n->conversation, id);
    buf_str(b, "{\"aps\":{\"alert\":{");
    if (!n->without_text)
        put_string(b, "title", t->title);
    put_string(b, "body", n->without_text ? slice_str(no_text) : t->text);
    buf_char(b, '}');
    if (n->badge != PUSH_NO_BADGE) {
        buf_json_key(b, "badge");
        buf_i64(b, n->badge);
    }
    put_string(b, "sound", slice_str("default"));
    put_string(b, "thread-id", slice_str(id));
    buf_str(b, ",\"mutable-content\":1}");
    put_conversation(b, n);
    buf_json_key(b, "seq");
    buf_u64(b, n->seq);
    if (!n->without_text)
        put_string(b, "from", t->from);
    buf_char(b, '}');
}

/* Values in `data` must be strings. */
static void put_fcm_data(struct buf *b, const struct push_notification *n, const struct texts *t)
{
    buf_str(b, ",\"data\":{");
    put_string(b, "type", slice_str("message"));
    put_conversation(b, n);
    buf_json_key(b, "seq");
    buf_printf(b, "\"%llu\"", (unsigned long long)n->seq);
    if (n->badge != PUSH_NO_BADGE) {
        buf_json_key(b, "badge");
        buf_printf(b, "\"%d\"", n->badge);
    }
    if (!n->without_text)
        put_string(b, "from", t->from);
    buf_char(b, '}');
}

static void put_fcm_android(struct buf *b, const struct push_notification *n)
{
    char key[COLLAPSE_KEY_MAX_LENGTH + 1];

    payload_collapse_key(n, ANDROID_COLLAPSE_MAX, key);
    buf_str(b, ",\"android\":{");
    put_string(b, "collapse_key", slice_str(key));
    put_string(b, "priority", slice_str(n->urgency == PUSH_URGENCY_HIGH ? "high" : "normal"));
    buf_printf(b, ",\"ttl\":\"%us\",\"notification\":{", n->ttl_s);
    put_string(b, "tag", slice_str(key)); /* one notification per key, also once it is shown */
    if (n->badge != PUSH_NO_BADGE) {
        buf_json_key(b, "notification_count");
        buf_i64(b, n->badge);
    }
    buf_str(b, "}}");
}

static void write_fcm(struct buf *b, const struct push_notification *n, const struct texts *t,
                      struct slice token)
{
    buf_str(b, "{\"message\":{\"token\":");
    buf_json(b, token);
    buf_str(b, ",\"notification\":{");
    if (!n->without_text)
        put_string(b, "title", t->title);
    put_string(b, "body", n->without_text ? slice_str(no_text) : t->text);
    buf_char(b, '}');
    put_fcm_data(b, n, t);
    put_fcm_android(b, n);
    buf_str(b, "}}");
}

bool payload_fcm(struct buf *out, const struct push_notification *n, struct slice token)
{
    return write_fitting(out, n, token, PAYLOAD_FCM_MAX_BYTES + token.length, write_fcm);
}

bool payload_apns(struct buf *out, const struct push_notification *n)
{
    return write_fitting(out, n, slice_of(NULL, 0), PAYLOAD_APNS_MAX_BYTES, write_apns);
}

bool payload_web(struct buf *out, const struct push_notification *n)
{
    return write_fitting(out, n, slice_of(NULL, 0), PAYLOAD_WEB_MAX_BYTES, write_web);
}

bool payload_webhook(struct buf *out, const struct push_notification *n)
{
    return write_fitting(out, n, slice_of(NULL, 0), PAYLOAD_WEBHOOK_MAX_BYTES, write_webhook);
}

static bool is_plain_key(struct slice key, size_t max)
{
    for (size_t i = 0; i < key.length; i++) {
        if (!isalnum((unsigned char)key.data[i]) && key.data[i] != '-' && key.data[i] != '_')
            return false;
    }
    return key.length > 0 && key.length <= max;
}

void payload_collapse_key(const struct push_notification *n, size_t max,
                          char key[COLLAPSE_KEY_MAX_LENGTH + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct slice wanted = n->collapse_key;
    char id[UUID_TEXT_LENGTH + 1];
    struct buf text;

    assert(max >= 32 && max <= COLLAPSE_KEY_MAX_LENGTH);
    if (wanted.length == 0) {
        uuid_format(&n->conversation, id);
        wanted = slice_str(id);
    }
    if (is_plain_key(wanted, max)) {
        memcpy(key, wanted.data, wanted.length);
        key[wanted.length] = '\0';
        return;
    }
    if (EVP_Digest(wanted.data, wanted.length, digest, NULL, EVP_sha256(), NULL) != 1)
        memset(digest, 0, sizeof digest); /* replaces too much, rather than nothing */
    buf_init(&text, COLLAPSE_KEY_MAX_LENGTH);
    base64url_encode(&text, slice_of((const char *)digest, 24));
    snprintf(key, COLLAPSE_KEY_MAX_LENGTH + 1, "%s", text.failed ? "-" : text.data);
    buf_finish(&text);
}
