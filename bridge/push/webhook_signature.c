/* SPDX-License-Identifier: MIT */
/* webhook_signature.c - see webhook.h. */
#include "base/buf.h"
#include "push/webhook.h"

#include "push/payload.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

bool webhook_sign(struct slice secret, const char *id, const char *timestamp, struct slice body,
                  char signature[WEBHOOK_SIGNATURE_LENGTH + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    struct buf text;
    bool ok;

    assert(!strchr(id, '.') && !strchr(timestamp, '.') && secret.length <= INT_MAX);
    buf_init(&text, PAYLOAD_WEBHOOK_MAX_BYTES + 256);
    buf_printf(&text, "%s.%s.", id, timestamp);
    buf_slice_put(&text, body);
    ok = !text.failed && HMAC(EVP_sha256(), secret.data, (int)secret.length,
                              (const unsigned char *)text.data, text.length, digest, &length);
    if (ok) {
        memcpy(signature, "v1,", 3);
        EVP_EncodeBlock((unsigned char *)signature + 3, digest, (int)length);
    }
    buf_finish(&text);
    return ok;
}
