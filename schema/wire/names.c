/* SPDX-License-Identifier: MIT */
/* names.c - see names.h. */
#include "wire/names.h"

#include "base/utf8.h"
#include "wire/limits.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* Not isalnum(): what is a letter must not depend on a locale. */
static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool handle_is_valid(struct slice handle)
{
    if (handle.length < HANDLE_MIN_LENGTH || handle.length > HANDLE_MAX_LENGTH ||
        !is_lower_or_digit(handle.data[0]))
        return false;
    for (size_t i = 1; i < handle.length; i++) {
        char c = handle.data[i];

        if (!is_lower_or_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

bool device_is_valid(struct slice device)
{
    if (device.length < 1 || device.length > DEVICE_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < device.length; i++) {
        char c = device.data[i];

        if (!is_lower_or_digit(c) && !(c >= 'A' && c <= 'Z') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* C1 controls are U+0080..U+009F: C2 followed by 80..9F. */
static bool has_control_character(struct slice s)
{
    for (size_t i = 0; i < s.length; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (c < 0x20 || c == 0x7f)
            return true;
        if (c == 0xc2 && i + 1 < s.length && (unsigned char)s.data[i + 1] < 0xa0)
            return true;
    }
    return false;
}

bool draft_id_is_valid(struct slice id)
{
    size_t count;

    return id.length >= 1 && id.length <= DRAFT_ID_MAX_BYTES && utf8_count(id, &count) &&
           count <= DRAFT_ID_MAX_CHARACTERS && !has_control_character(id);
}

bool emoji_is_valid(struct slice emoji)
{
    size_t count;

    return utf8_count(emoji, &count) && count >= 1 && count <= EMOJI_MAX_CHARACTERS &&
           !has_control_character(emoji);
}

bool client_id_split(struct slice client_id, struct slice *handle, struct slice *device)
{
    const char *slash = client_id.length ? memchr(client_id.data, '/', client_id.length) : NULL;
    struct slice left, right;

    if (!slash)
        return false;
    left = slice_of(client_id.data, (size_t)(slash - client_id.data));
    right = slice_of(slash + 1, client_id.length - left.length - 1);
    if (!handle_is_valid(left) || !device_is_valid(right))
        return false;
    *handle = left;
    *device = right;
    return true;
}

static bool sorts_before(struct slice a, struct slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.data, b.data, shorter);

    return order ? order < 0 : a.length < b.length;
}

struct uuid direct_conversation_id(struct slice handle_a, struct slice handle_b)
{
    static const char prefix[] = "banter-direct\n";
    char input[sizeof prefix + HANDLE_MAX_LENGTH + 1 + HANDLE_MAX_LENGTH];
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct slice parts[4] = {slice_str(prefix), handle_a, slice_str("\n"), handle_b};
    size_t length = 0;

    assert(handle_is_valid(handle_a) && handle_is_valid(handle_b));
    if (sorts_before(handle_b, handle_a)) {
        parts[1] = handle_b;
        parts[3] = handle_a;
    }
    for (size_t i = 0; i < 4; i++) {
        memcpy(input + length, parts[i].data, parts[i].length);
        length += parts[i].length;
    }
    if (EVP_Digest(input, length, digest, NULL, EVP_sha256(), NULL) != 1) {
        ERR_clear_error();
        return (struct uuid){{0}};
    }
    return uuid_v8(digest);
}
