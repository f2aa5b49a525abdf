/* SPDX-License-Identifier: MIT */
/* web.h - Web Push: what push.c needs of it besides its type. */
#ifndef BANTER_PUSH_WEB_H
#define BANTER_PUSH_WEB_H

/* The provider's key in base64url; valid as long as the provider. */
const char *web_public_key(const void *provider);

#endif
