# SPDX-License-Identifier: MIT
"""Who takes part: users with one or two devices, direct conversations, groups and channels, made
over the API, and the cast file that tells the drivers.

Rule: guests, who are added to groups and removed while people chat (churn.py), post nothing there:
what a removed member had sent may be refused, and nobody could say whether rightly."""
import json
import random

from support.account import Account

ROLES = ("slow", "mute", "resend")
DIRECTS, GROUPS, CHANNELS = 40, 10, 2
_CHANNEL_POSTERS = 3
_ADDED_AT_ONCE = 50


def make(products, seed, users, shares, log_dir):
    """Returns (the cast, [(conversation, its owner, [guests])]). `products`: the nodes, among which
    devices are spread. `shares`: (driver, how many of the users are its, from the first on).
    Nobody talks before being told a rate."""
    rng = random.Random(seed)
    product = products[0]
    accounts = [Account(product, f"u{number}", "correct horse battery").signup()
                for number in range(users)]
    drivers = [name for name, count in shares for _ in range(count)]
    cast = {
        "seed": seed, "http": [f"http://{one.detour_http}" for one in products],
        "ws": [f"ws://{one.detour_http}/mqtt" for one in products],
        "mqtt": [way for one in products for way in (one.address(), one.detour_mqtt)],
        "rate": 0, "log_dir": str(log_dir), "conversations": [],
        "users": [_user(number, account, drivers[number], rng)
                  for number, account in enumerate(accounts)],
    }
    by_handle = {account.handle: account for account in accounts}
    guests = []
    cast["conversations"] += _directs(product, accounts, rng)
    cast["conversations"] += _groups(product, accounts, rng, guests)
    cast["conversations"] += _channels(product, accounts)
    churned = [(conversation, by_handle[owner], handles) for conversation, owner, handles in guests]
    return cast, churned


def write(cast, path):
    path.write_text(json.dumps(cast, indent=1))
    path.chmod(0o644)


def _user(number, account, driver, rng):
    """The C driver plays all roles over MQTT; the stock clients are normal, and with Paho each user
    has a device that knows HTTP alone."""
    devices = [{"name": "d0", "role": "normal"}]
    if number % 2:
        special = dict(enumerate(ROLES)) if driver == "c" else {}
        devices.append({"name": "d1", "role": special.get(number // 2 % 6, "normal")})
    if driver == "paho":
        devices.append({"name": "web", "role": "http"})
    rng.shuffle(devices)
    return {"handle": account.handle, "token": account.access_token, "driver": driver,
            "devices": devices}


def _directs(product, accounts, rng):
    pairs = set()
    while len(pairs) < min(DIRECTS, len(accounts)):
        pairs.add(tuple(sorted(rng.sample(range(len(accounts)), 2))))
    for pair in sorted(pairs):
        first, second = (accounts[number] for number in pair)
        answer = product.data_of(first, {"command": "createDirect", "user": second.handle})
        yield _conversation(answer["conversation"], "direct", [first, second], [first, second])


def _groups(product, accounts, rng, guests):
    for number in range(GROUPS):
        members = rng.sample(accounts, min(len(accounts) - 2, rng.randint(3, 20)))
        conversation = product.group(members[0], members[1:], f"Group {number}")
        if number < GROUPS // 2:
            others = rng.sample([one for one in accounts if one not in members], 2)
            guests.append((conversation, members[0].handle, [one.handle for one in others]))
        yield _conversation(conversation, "group", members, members)


def _channels(product, accounts):
    for number in range(CHANNELS):
        owner, *others = accounts[number:] + accounts[:number]
        conversation = product.data_of(owner, {"command": "createChannel", "posting": "all",
                                               "title": f"Channel {number}"})["conversation"]
        for begin in range(0, len(others), _ADDED_AT_ONCE):
            product.data_of(owner, {
                "command": "addMembers", "conversation": conversation,
                "members": [one.handle for one in others[begin:begin + _ADDED_AT_ONCE]]})
        yield _conversation(conversation, "channel", [owner, *others],
                            [owner, *others[:_CHANNEL_POSTERS - 1]])


def _conversation(conversation, kind, members, posters):
    return {"id": conversation, "type": kind, "members": [one.handle for one in members],
            "posters": [one.handle for one in posters]}
