/* SPDX-License-Identifier: MIT */
/* tls.c - see tls.h. TLS 1.2 and 1.3; sessions are resumed by tickets, which cost no memory here.
 */
#include "door/tls.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls {
    char *certificate_file;
    char *key_file;
    SSL_CTX *context;
};

/* Forward secrecy and authenticated encryption, also with TLS 1.2. */
static const char ciphers_of_tls12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* A key with a passphrase: nobody is here to be asked for it. */
static int no_passphrase(char *out, int size, int writing, void *owner)
{
    (void)out, (void)size, (void)writing, (void)owner;
    return -1;
}

/* HTTP/1.1 and MQTT are all there is; a client that offers neither may try all the same. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offered, unsigned offered_length, void *owner)
{
    static const unsigned char known[] = "\x8http/1.1\x4mqtt";
    unsigned char *chosen;

    (void)ssl, (void)owner;
    if (SSL_select_next_proto(&chosen, out_length, known, sizeof known - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *context)
{
    static const unsigned char name[] = "banter";

    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(context, ciphers_of_tls12) &&
           SSL_CTX_set_num_tickets(context, 1) &&
           SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
}

/* NULL after logging why. */
static SSL_CTX *load(const struct tls *t)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    char reason[256];

    if (!file_is_private(t->key_file))
        log_warning("door", "everybody can read %s: chmod o= it", t->key_file);
    ERR_clear_error();
    if (!context || !set_up(context))
        abort(); /* out of memory, or an OpenSSL without what every one has */
    if (SSL_CTX_use_certificate_chain_file(context, t->certificate_file) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, t->key_file, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return context;
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    log_error("door", "the certificate in %s with the key in %s cannot be used: %s",
              t->certificate_file, t->key_file, reason);
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

struct tls *tls_create(const char *certificate_file, const char *key_file)
{
    struct tls *t = must_calloc(1, sizeof *t);

    t->certificate_file = must_strndup(slice_str(certificate_file));
    t->key_file = must_strndup(slice_str(key_file));
    t->context = load(t);
    if (!t->context) {
        tls_destroy(t);
        return NULL;
    }
    return t;
}

void tls_destroy(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->context);
    free(t->certificate_file);
    free(t->key_file);
    free(t);
}

void tls_reload(struct tls *t)
{
    SSL_CTX *context = load(t);

    if (!context) {
        log_error("door", "the certificate that was in force stays");
        return;
    }
    SSL_CTX_free(t->context); /* connections hold it as long as they need it */
    t->context = context;
    log_info("door", "the certificate was read again");
}

struct ssl_st *tls_accept(struct tls *t)
{
    SSL *ssl = SSL_new(t->context);

    if (!ssl)
        abort(); /* out of memory */
    SSL_set_accept_state(ssl);
    return ssl;
}
