/* SPDX-License-Identifier: MIT */
/* xmpp.c - see xmpp.h. */
#include "xmpp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_MAX_BYTES = 4 << 20, READ_BYTES = 16384, PLAIN_MAX_BYTES = 128 };

static const char stream_header[] =
    "<?xml version='1.0'?><stream:stream to='" XMPP_HOST "' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

static void write_header(struct xmpp *x)
{
    buf_str(&x->out, stream_header);
}

/* RFC 4616: an empty authorization identity, the name and the password, each behind a NUL. */
static void write_auth(struct xmpp *x)
{
    unsigned char plain[PLAIN_MAX_BYTES];
    unsigned char encoded[2 * PLAIN_MAX_BYTES];
    int length =
        snprintf((char *)plain, sizeof(plain), "%c%s%c%s", '\0', x->handle, '\0', XMPP_PASSWORD);

    EVP_EncodeBlock(encoded, plain, length);
    buf_printf(&x->out,
               "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>",
               (const char *)encoded);
}

static void write_bind(struct xmpp *x)
{
    buf_str(&x->out, "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                     "<resource>bench</resource></bind></iq>");
}

static void write_presence(struct xmpp *x)
{
    buf_str(&x->out, "<presence/>");
}

static void write_nothing(struct xmpp *x)
{
    (void)x;
}

/* What the server says, in this order, and what is answered. */
static const struct {
    const char *awaited;
    void (*answer)(struct xmpp *x);
} steps[] = {
    {"</stream:features>", write_auth}, {"<success", write_header},
    {"</stream:features>", write_bind}, {"</iq>", write_presence},
    {"<presence", write_nothing},
};

enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

void xmpp_init(struct xmpp *x, const char *handle)
{
    *x = (struct xmpp){.fd = -1, .handle = handle};
    buf_init(&x->in, BUFFER_MAX_BYTES);
    buf_init(&x->out, BUFFER_MAX_BYTES);
}

bool xmpp_open(struct xmpp *x, const struct sockaddr_in *address)
{
    int on = 1;

    x->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (x->fd < 0 || connect(x->fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return false;
    (void)setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    x->state = XMPP_LOGGING_IN;
    x->step = 0;
    write_header(x);
    return xmpp_flush(x);
}

void xmpp_close(struct xmpp *x)
{
    if (x->fd >= 0)
        close(x->fd);
    x->fd = -1;
    x->state = XMPP_LOST;
    buf_finish(&x->in);
    buf_finish(&x->out);
}

/* Where `word` ends in what has been read, or 0. */
static size_t end_of(const struct xmpp *x, const char *word)
{
    const char *found = x->in.length ? strstr(x->in.data, word) : NULL;

    return found ? (size_t)(found - x->in.data) + strlen(word) : 0;
}

static bool log_in(struct xmpp *x)
{
    size_t end;

    while (x->state == XMPP_LOGGING_IN && (end = end_of(x, steps[x->step].awaited)) > 0) {
        buf_consume(&x->in, end);
        steps[x->step].answer(x);
        if (++x->step == STEP_COUNT)
            x->state = XMPP_READY;
    }
    if (x->state == XMPP_LOGGING_IN && end_of(x, "<failure") > 0) {
        errno = EACCES;
        return false;
    }
    return true;
}

bool xmpp_read(struct xmpp *x)
{
    buf_consume(&x->in, x->taken);
    x->taken = 0;
    for (;;) {
        char *to = buf_reserve(&x->in, READ_BYTES);
        ssize_t n;

        if (!to) {
            errno = ENOBUFS;
            return false;
        }
        n = recv(x->fd, to, READ_BYTES, MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0) {
            errno = ECONNRESET;
            return false;
        }
        x->in.length += (size_t)n;
        x->in.data[x->in.length] = '\0';
        if (!log_in(x))
            return false;
        if (n < READ_BYTES)
            return true; /* level-triggered: if there is more, we are told */
    }
}

/* The message's own id comes before those of what it holds. */
static bool id_of(const char *message, const char *end, struct slice *id)
{
    const char *from = strstr(message, "<message");
    const char *to;

    from = from ? strstr(from, " id='") : NULL;
    to = from ? strchr(from + 5, '\'') : NULL;
    if (!to || to > end)
        return false;
    *id = slice_of(from + 5, (size_t)(to - from - 5));
    return true;
}

bool xmpp_next_message(struct xmpp *x, struct slice *id)
{
    static const char ending[] = "</message>";

    while (x->taken < x->in.length) {
        const char *message = x->in.data + x->taken;
        const char *end = strstr(message, ending);

        if (!end)
            return false;
        x->taken = (size_t)(end - x->in.data) + sizeof(ending) - 1;
        if (id_of(message, end, id))
            return true;
    }
    return false;
}

void xmpp_write_message(struct xmpp *x, const char *to, struct slice id, struct slice text)
{
    buf_printf(&x->out, "<message to='%s@" XMPP_HOST "' type='chat' id='%.*s'><body>", to,
               (int)id.length, id.data);
    buf_slice_put(&x->out, text);
    buf_str(&x->out, "</body></message>");
}

bool xmpp_flush(struct xmpp *x)
{
    if (x->out.failed) {
        errno = ENOBUFS;
        return false;
    }
    while (x->out.length > 0) {
        ssize_t n = send(x->fd, x->out.data, x->out.length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN;
        buf_consume(&x->out, (size_t)n);
    }
    return true;
}
