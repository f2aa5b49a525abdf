/* SPDX-License-Identifier: MIT */
/* app_rates.c - see app_rates.h. The front door has its own limit, of connections. */
#include "app_rates.h"

#include "config.h"
#include "core/rates.h"

struct rates *app_create_rates(const struct config *config, const struct networks *trusted_proxies)
{
    const struct rates_config rates_config = {
        .on = config->rate_limits,
        .address_http = config->rate_address_http,
        .user_http = config->rate_user_http,
        .address_signups = config->rate_address_signups,
        .address_logins = config->rate_address_logins,
        .user_exports = config->rate_user_exports,
        .trusted_proxies = trusted_proxies,
    };

    return rates_create(&rates_config);
}
