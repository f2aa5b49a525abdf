# SPDX-License-Identifier: MIT
"""Who took part: the cast file."""
import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Conversation:
    id: str
    type: str
    members: frozenset


class Cast:
    def __init__(self, data):
        self.seed = data.get("seed")
        self.drivers = sorted({user["driver"] for user in data["users"]})
        self.roles = {}       # handle/name -> role
        self.driver_of = {}   # handle/name -> driver
        for user in data["users"]:
            for device in user["devices"]:
                name = f"{user['handle']}/{device['name']}"
                self.roles[name] = device.get("role", "normal")
                self.driver_of[name] = user["driver"]
        self.conversations = {
            one["id"]: Conversation(one["id"], one["type"], frozenset(one["members"]))
            for one in data["conversations"]}
        self.posters = {handle for one in data["conversations"] for handle in one["posters"]}
        self.conversations_of = {}  # handle -> ids, as the run begins
        for one in self.conversations.values():
            for handle in one.members:
                self.conversations_of.setdefault(handle, []).append(one.id)


def read(path):
    with open(path, encoding="utf-8") as file:
        return Cast(json.load(file))
