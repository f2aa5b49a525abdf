/* SPDX-License-Identifier: MIT */
/* pem.c - see pem.h. */
#include "token/pem.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

/* Stands in for OpenSSL's default, which would ask on the terminal. */
static int refuse_password(char *text, int size, int writing, void *owner)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)owner;
    return -1;
}

EVP_PKEY *pem_read_private_key(struct slice pem)
{
    EVP_PKEY *key = NULL;
    BIO *bio;

    if (pem.length == 0 || pem.length > INT_MAX)
        return NULL;
    bio = BIO_new_mem_buf(pem.data, (int)pem.length);
    if (bio)
        key = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, NULL);
    BIO_free(bio);
    return key;
}
