/* SPDX-License-Identifier: MIT */
/* tls.c - see tls.h. TLS 1.2 and 1.3; no server gets in that the CA did not vouch for. */
#include "bus/tls.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* A key with a passphrase: nobody is here to be asked for it. */
static int no_passphrase(char *out, int size, int writing, void *owner)
{
    (void)out, (void)size, (void)writing, (void)owner;
    return -1;
}

static bool set_up(SSL_CTX *context)
{
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

static bool load(SSL_CTX *context, const struct bus_tls *t)
{
    if (SSL_CTX_load_verify_locations(context, t->ca_file, NULL) != 1)
        return false;
    return t->certificate_file[0] == '\0' ||
           (SSL_CTX_use_certificate_chain_file(context, t->certificate_file) == 1 &&
            SSL_CTX_use_PrivateKey_file(context, t->key_file, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(context) == 1);
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool expect(SSL *ssl, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static void explain(const struct bus_tls *t, char reason[BUS_TLS_REASON_MAX])
{
    char words[256];

    ERR_error_string_n(ERR_get_error(), words, sizeof words);
    ERR_clear_error();
    (void)snprintf(reason, BUS_TLS_REASON_MAX, "no TLS with %s, %s and %s: %s", t->ca_file,
                   t->certificate_file, t->key_file, words);
}

struct ssl_st *bus_tls_open(const struct bus_tls *t, const char *host,
                            char reason[BUS_TLS_REASON_MAX])
{
    SSL_CTX *context;
    SSL *ssl = NULL;

    if (t->key_file[0] != '\0' && !file_is_private(t->key_file)) {
        (void)snprintf(reason, BUS_TLS_REASON_MAX, "%s can be read by everybody: chmod o= it",
                       t->key_file);
        return NULL;
    }
    context = SSL_CTX_new(TLS_client_method());
    ERR_clear_error();
    if (!context || !set_up(context))
        abort(); /* out of memory, or an OpenSSL without what every one has */
    if (load(context, t)) {
        ssl = SSL_new(context); /* holds the context */
        if (!ssl || !expect(ssl, host))
            abort(); /* out of memory */
    } else {
        explain(t, reason);
    }
    SSL_CTX_free(context);
    return ssl;
}
