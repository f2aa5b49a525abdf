/* SPDX-License-Identifier: MIT */
/* pem.h - private keys as they are stored. */
#ifndef BANTER_TOKEN_PEM_H
#define BANTER_TOKEN_PEM_H

#include "base/compiler.h"
#include "base/slice.h"

#include <openssl/types.h>

/* The private key in `pem`, to be freed by EVP_PKEY_free(). NULL: there is none, or one with a
 * password, which nobody is asked for; OpenSSL's queue of errors is left as it was filled. */
EVP_PKEY *pem_read_private_key(struct slice pem) MUST_USE;

#endif
