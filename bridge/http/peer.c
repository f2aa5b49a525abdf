/* SPDX-License-Identifier: MIT */
/* peer.c - who a client is: from the connection, and from what proxies add to the request. */
#include "http/internal.h"

#include <event2/buffer.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The front door's end is named ".../tls/ADDRESS" or ".../plain/ADDRESS", in the abstract
 * namespace. */
static bool from_name(struct http_peer *out, const struct sockaddr_un *name, size_t length)
{
    static const char mark[] = "/tls";
    const size_t mark_length = sizeof mark - 1;
    const char *slash;

    if (length == 0 || name->sun_path[0] != '\0')
        return false;
    slash = memrchr(name->sun_path, '/', length);
    if (!slash)
        return false;
    out->has_tls = (size_t)(slash - name->sun_path) > mark_length &&
                   memcmp(slash - mark_length, mark, mark_length) == 0;
    return address_parse(&out->address,
                         slice_of(slash + 1, (size_t)(name->sun_path + length - slash - 1)));
}

struct http_peer http_peer_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    struct http_peer peer = {0};
    bool known = false;

    if (getpeername(fd, (struct sockaddr *)&name, &length) == 0)
        known = name.ss_family == AF_UNIX
                    ? from_name(&peer, (const struct sockaddr_un *)&name,
                                length - offsetof(struct sockaddr_un, sun_path))
                    : address_from_socket(&peer.address, (const struct sockaddr *)&name);
    return known ? peer : (struct http_peer){0};
}

struct address http_client_address(const struct http_server *s, const struct address *peer,
                                   const struct evkeyvalq *headers)
{
    const struct networks *trusted = s->config.trusted_proxies;
    struct evbuffer *all;
    struct evkeyval *field;
    struct address client;
    size_t length;

    if (!trusted || !networks_contain(trusted, peer))
        return *peer;
    all = evbuffer_new();
    if (!all)
        abort(); /* out of memory */
    for (field = headers->tqh_first; field; field = field->next.tqe_next) {
        if (strcasecmp(field->key, "X-Forwarded-For") == 0)
            evbuffer_add_printf(all, "%s%s", evbuffer_get_length(all) ? "," : "", field->value);
    }
    length = evbuffer_get_length(all);
    client = address_behind(trusted, peer,
                            slice_of(length ? (const char *)evbuffer_pullup(all, -1) : "", length));
    evbuffer_free(all);
    return client;
}
