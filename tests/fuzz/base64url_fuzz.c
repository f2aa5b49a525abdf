/* SPDX-License-Identifier: MIT */
/* base64url_fuzz.c - whatever decodes is the only text of its bytes; whatever is encoded decodes.
 */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "token/jwt.h"

enum { CEILING = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct buf decoded, encoded;

    buf_init(&decoded, CEILING);
    buf_init(&encoded, CEILING);
    if (base64url_decode(&decoded, input)) {
        base64url_encode(&encoded, buf_slice(&decoded));
        must(slice_equal(buf_slice(&encoded), input));
    }
    buf_reset(&decoded);
    buf_reset(&encoded);
    base64url_encode(&encoded, input);
    must(base64url_decode(&decoded, buf_slice(&encoded)));
    must(slice_equal(buf_slice(&decoded), input));
    buf_finish(&decoded);
    buf_finish(&encoded);
    return 0;
}
