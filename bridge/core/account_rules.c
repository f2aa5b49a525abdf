/* SPDX-License-Identifier: MIT */
/* account_rules.c - see account_rules.h. */
#include "core/account_rules.h"

#include "base/utf8.h"
#include "wire/limits.h"
#include "wire/names.h"

#include <stdbool.h>

_Static_assert(HANDLE_MIN_LENGTH == 2 && HANDLE_MAX_LENGTH == 32 && DEVICE_MAX_LENGTH == 32 &&
                   PASSWORD_MIN_LENGTH == 8 && PASSWORD_MAX_LENGTH == 256 &&
                   NAME_MAX_CHARACTERS == 128 && EMAIL_MAX_LENGTH == 254,
               "the reasons below name the limits");

const char *account_check_handle(struct slice handle)
{
    if (handle.length < HANDLE_MIN_LENGTH || handle.length > HANDLE_MAX_LENGTH)
        return "a handle has 2 to 32 characters";
    if (!handle_is_valid(handle))
        return "a handle consists of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit";
    return NULL;
}

const char *account_check_password(struct slice password)
{
    if (password.length < PASSWORD_MIN_LENGTH)
        return "a password has at least 8 bytes";
    if (password.length > PASSWORD_MAX_LENGTH)
        return "a password has at most 256 bytes";
    return NULL;
}

bool account_handle_is_reserved(struct slice handle)
{
    return slice_equal(handle, slice_str("banter-bell")) || slice_equal(handle, slice_str("me"));
}

/* C0 and DEL; C1 as UTF-8 is C2 80 to C2 9F. */
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

const char *account_check_name(struct slice name)
{
    size_t characters = 0;

    if (!utf8_count(name, &characters))
        return "the name is not valid UTF-8";
    if (characters > NAME_MAX_CHARACTERS)
        return "a name has at most 128 characters";
    if (has_control_character(name))
        return "a name has no control characters";
    return NULL;
}

/* Only what is certainly not an address is refused: whether it is one, only a message can tell. */
const char *account_check_email(struct slice email)
{
    const char *at;
    size_t characters;

    if (email.length == 0)
        return NULL;
    if (email.length > EMAIL_MAX_LENGTH)
        return "an e-mail address has at most 254 bytes";
    at = memchr(email.data, '@', email.length);
    if (!at || at == email.data || at == email.data + email.length - 1 ||
        memchr(at + 1, '@', email.length - (size_t)(at + 1 - email.data)) ||
        memchr(email.data, ' ', email.length) || !utf8_count(email, &characters) ||
        has_control_character(email))
        return "this is not an e-mail address";
    return NULL;
}

const char *account_check_device(struct slice device)
{
    if (device.length > 0 && !device_is_valid(device))
        return "a device has 1 to 32 characters of A-Z, a-z, 0-9, '_' and '-'";
    return NULL;
}
