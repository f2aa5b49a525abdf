/* SPDX-License-Identifier: MIT */
/* address.c - see address.h. */
#include "base/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { IPV4_PREFIX_BITS = 96, PARTY_BITS = 64 };

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const struct address *a)
{
    return memcmp(a->bytes, ipv4_prefix, sizeof ipv4_prefix) == 0;
}

static void set_ipv4(struct address *out, const void *four)
{
    memcpy(out->bytes, ipv4_prefix, sizeof ipv4_prefix);
    memcpy(out->bytes + sizeof ipv4_prefix, four, 4);
}

static bool is_port(struct slice s)
{
    if (s.length < 1 || s.length > 5)
        return false;
    for (size_t i = 0; i < s.length; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    }
    return true;
}

/* Leaves the address of "[address]", "[address]:port" or "ipv4:port". False: a port that is none.
 */
static bool without_port(struct slice *text)
{
    const char *colon = memchr(text->data, ':', text->length);
    const char *end = text->data + text->length;

    if (text->data[0] == '[') {
        const char *close = memchr(text->data, ']', text->length);
        if (!close)
            return false;
        *text = slice_of(text->data + 1, (size_t)(close - text->data) - 1);
        return close + 1 == end ||
               (close[1] == ':' && is_port(slice_of(close + 2, (size_t)(end - close) - 2)));
    }
    if (colon && !memchr(colon + 1, ':', (size_t)(end - colon) - 1)) {
        text->length = (size_t)(colon - text->data);
        return is_port(slice_of(colon + 1, (size_t)(end - colon) - 1));
    }
    return true;
}

bool address_parse(struct address *out, struct slice text)
{
    char copy[ADDRESS_TEXT_BYTES];
    uint8_t four[4];

    if (text.length == 0 || !without_port(&text) || text.length >= sizeof copy ||
        memchr(text.data, '\0', text.length))
        return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    if (inet_pton(AF_INET6, copy, out->bytes) == 1)
        return true;
    if (inet_pton(AF_INET, copy, four) != 1)
        return false;
    set_ipv4(out, four);
    return true;
}

void address_format(const struct address *a, char text[ADDRESS_TEXT_BYTES])
{
    const char *done =
        is_ipv4(a) ? inet_ntop(AF_INET, a->bytes + sizeof ipv4_prefix, text, ADDRESS_TEXT_BYTES)
                   : inet_ntop(AF_INET6, a->bytes, text, ADDRESS_TEXT_BYTES);

    assert(done);
    (void)done;
}

bool address_from_socket(struct address *out, const struct sockaddr *name)
{
    switch (name->sa_family) {
    case AF_INET:
        set_ipv4(out, &((const struct sockaddr_in *)(const void *)name)->sin_addr);
        return true;
    case AF_INET6:
        memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr,
               sizeof out->bytes);
        return true;
    default:
        return false;
    }
}

bool address_parse_listen(const char *text, struct sockaddr_storage *name, int *length)
{
    in_port_t port;

    *length = sizeof *name;
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)name, length) != 0)
        return false;
    port = name->ss_family == AF_INET6 ? ((struct sockaddr_in6 *)name)->sin6_port
                                       : ((struct sockaddr_in *)name)->sin_port;
    return port != 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct address address_party(const struct address *a)
{
    struct address party = *a;

    if (!is_ipv4(a))
        memset(party.bytes + PARTY_BITS / 8, 0, sizeof party.bytes - PARTY_BITS / 8);
    return party;
}

bool address_is_local(const struct address *a)
{
    static const struct address local4 = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    static const struct address local6 = {{[15] = 1}};

    return address_equal(a, &local4) || address_equal(a, &local6);
}

/* "address" or "address/bits". */
static bool network_parse(struct network *out, struct slice text)
{
    const char *slash = memchr(text.data, '/', text.length);
    struct slice address = text;
    unsigned bits = 0, most;

    if (slash)
        address.length = (size_t)(slash - text.data);
    if (memchr(address.data, '[', address.length) || !address_parse(&out->address, address))
        return false;
    most = is_ipv4(&out->address) ? 32 : 128;
    out->bits = 128;
    if (!slash)
        return true;
    for (const char *p = slash + 1; p < text.data + text.length; p++) {
        if (*p < '0' || *p > '9' || bits > most)
            return false;
        bits = 10 * bits + (unsigned)(*p - '0');
    }
    out->bits = bits + (most == 32 ? IPV4_PREFIX_BITS : 0);
    return slash + 1 < text.data + text.length && bits <= most;
}

bool networks_parse(struct networks *out, const char *text)
{
    static const char separators[] = " \t,";

    out->count = 0;
    for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
        size_t length = strcspn(text, separators);
        if (out->count == NETWORKS_MAX ||
            !network_parse(&out->list[out->count++], slice_of(text, length)))
            return false;
        text += length;
    }
    return true;
}

static bool network_contains(const struct network *n, const struct address *a)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    return memcmp(n->address.bytes, a->bytes, whole) == 0 &&
           (rest == 0 || (n->address.bytes[whole] & mask) == (a->bytes[whole] & mask));
}

bool networks_contain(const struct networks *n, const struct address *a)
{
    for (size_t i = 0; i < n->count; i++) {
        if (network_contains(&n->list[i], a))
            return true;
    }
    return false;
}

/* Takes what follows the last comma, without blanks around it, off the end of `list`. */
static struct slice take_last(struct slice *list)
{
    const char *comma = list->length ? memrchr(list->data, ',', list->length) : NULL;
    size_t begin = comma ? (size_t)(comma - list->data) + 1 : 0;
    struct slice last = slice_of(list->data + begin, list->length - begin);

    list->length = comma ? begin - 1 : 0;
    while (last.length > 0 && strchr(" \t", last.data[0]))
        last = slice_of(last.data + 1, last.length - 1);
    while (last.length > 0 && strchr(" \t", last.data[last.length - 1]))
        last.length--;
    return last;
}

struct address address_behind(const struct networks *trusted, const struct address *peer,
                              struct slice forwarded_for)
{
    struct address client = *peer, before;

    while (forwarded_for.length > 0 && networks_contain(trusted, &client) &&
           address_parse(&before, take_last(&forwarded_for)))
        client = before;
    return client;
}
