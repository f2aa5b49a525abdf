/* SPDX-License-Identifier: MIT */
/* peer.c - who a client is: from the connection, and from what proxies add to the request. */
#include "http/internal.h"

#include <event2/buffer.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The front door's end is named ".../ADDRESS", in the abstract namespace. */
static bool from_name(struct address *out, const struct sockaddr_un *name, size_t length)
{
    const char *slash;

    if (length == 0 || name->sun_path[0] != '\0')
        return false;
    slash = memrchr(name->sun_path, '/', length);
    return slash &&
           address_parse(out, slice_of(slash + 1, (size_t)(name->sun_path + length - slash - 1)));
}

struct address http_peer_address(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    struct address address = {{0}};
    bool known = false;

    if (getpeername(fd, (struct sockaddr *)&name, &length) == 0)
        known = name.ss_family == AF_UNIX
                    ? from_name(&address, (const struct sockaddr_un *)&name,
                                length - offsetof(struct sockaddr_un, sun_path))
                    : address_from_socket(&address, (const struct sockaddr *)&name);
    return known ? address : (struct address){{0}};
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
