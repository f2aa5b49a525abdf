#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The devices of a few users with Eclipse Paho's client: stock_paho.py CAST.json NAME LOG.

Cast, orders, status lines and log are those of the driver in C (driver/README.md). Each device has
a thread, and a new client object for each connection: one that is used again sends what it had in
flight before we can send what is older, and that would change the order of the drafts."""
import json
import random
import sys
import time

import paho.mqtt.client as mqtt

from stock.http_device import HttpDevice
from stock.keeping import BACKOFF_S, SYNC_LIMIT, TURN_S, Member
from stock.run import Run

KEEP_ALIVE_S = 20
CONNECT_S = 5.0
READY_S = 30.0
SYNC_ANSWER_S = 15.0
SLOW_S = 0.1  # between two packets
MUTE_S = (8.0, 12.0)  # listens, then does not
PASSING = ("unavailable", "rate_limited", "internal")


class Syncing:
    def __init__(self):
        self.due = None
        self.must = False
        self.asked = None  # when an answer, or a page of it, was last waited for
        self.last = False
        self.whole = self.progressed = True
        self.asked_after = set()
        self.pages, self.torn = 0, False  # of the answer; one of them was lost
        self.refusals = 0


class Device(Member):
    """A device over MQTT."""

    def __init__(self, run, user, device, conversations, index):
        super().__init__(run, user, device, conversations)
        self.protocol = mqtt.MQTTv5 if index % 2 else mqtt.MQTTv311
        addresses = [a.rsplit(":", 1) for a in run.cast["mqtt"]]
        first = index % len(addresses)
        self.addresses = addresses[first:] + addresses[:first]
        self.failures = 0
        self.client = None
        self.storm = False
        self.forget()

    def forget(self):
        """What does not outlive a connection."""
        self.connected = self.ready = False
        self.why = None
        self.leave_at = float("inf")
        self.syncing = Syncing()
        for seat in self.seats.values():
            seat.live = 0

    # ---- the connection

    def run_forever(self):
        while not self.run.over:
            try:
                self.live()
            except (OSError, ValueError) as error:
                self.why = self.why or str(error)
            if self.run.over:
                return
            self.log("X", self.why or "lost")
            self.run.count("reconnects", self.connected)
            if not self.ready:
                self.addresses.append(self.addresses.pop(0))
            self.forget()
            least, most = BACKOFF_S
            time.sleep(least + random.random() * min(most, least * 2 ** self.failures))
            self.failures = min(self.failures + 1, 5)

    def live(self):
        clean = {"clean_session": True} if self.protocol == mqtt.MQTTv311 else {}
        client = mqtt.Client(self.name, protocol=self.protocol, **clean)
        client.username_pw_set(self.handle, self.token)
        client.on_connect = self.on_connect
        client.on_message = self.on_message
        self.client, self.storm = client, False
        host, port = self.addresses[0]
        client.connect(host, int(port), KEEP_ALIVE_S)
        self.deadline = time.monotonic() + CONNECT_S
        try:
            while not self.why and not self.run.over:
                self.rest()
                if client.loop(TURN_S) != mqtt.MQTT_ERR_SUCCESS:
                    self.why = self.why or "closed by the peer"
                elif self.storm:
                    self.why = "storm"
                else:
                    self.turn(time.monotonic())
        finally:
            if client.socket():
                client.socket().close()

    def rest(self):
        """Slow and mute devices let what comes wait."""
        if self.role == "slow" and self.ready and not self.run.stopped:
            time.sleep(SLOW_S)
        listens, rests = MUTE_S
        while (self.role == "mute" and self.ready and not self.run.stopped and not self.storm
               and (time.monotonic() - self.deadline) % (listens + rests) > listens):
            time.sleep(TURN_S)

    def turn(self, now):
        if now > self.leave_at:
            self.why = "left, as the server is going away"
        if not self.ready and now > self.deadline:
            self.why = "no me/ready" if self.connected else "no answer to CONNECT"
        if self.connected:
            self.open_drafts()
            self.publish_all(now)
        if self.ready:
            self.sync_turn(now)

    def on_connect(self, client, _userdata, _flags, code, *_properties):
        if code != 0:
            self.why = f"CONNACK {code}"
            return
        self.connected, self.deadline = True, time.monotonic() + READY_S
        self.log("C")
        for seat in self.seats.values():
            seat.outbox.restart()
            seat.outbox.owed = None
        client.subscribe([("chat/#", 0), ("me/#", 0)])

    def on_message(self, _client, _userdata, message):
        try:
            self.hear(message.topic, json.loads(message.payload))
        except (KeyError, TypeError, ValueError) as error:
            self.log("E", repr(error), message.topic, message.payload[:300])
            self.run.count("violations")
            self.why = "violation"

    def hear(self, topic, body):
        now = time.monotonic()
        if topic.startswith("chat/"):
            if topic.count("/") == 1:
                self.on_entry(topic, body, now)
        elif topic == "me/receipt":
            self.on_receipt(body, now)
        elif topic == "me/sync":
            self.on_page(body, now)
        elif topic == "me/ready":
            self.ready, self.failures = True, 0
            self.log("R")
            self.wish(now, must=True)
        elif topic == "me/event":
            self.on_event(body, now)
        elif topic == "me/heads":
            for conversation, head in body.items():
                seat = self.seat(conversation)
                seat.head = max(seat.head, head)
            self.wish(now)

    # ---- drafts

    def publish(self, seat, n, payload, again):
        self.log_publish(seat, n, again)
        self.client.publish(f"send/{seat.id}", payload.encode(), qos=1)

    def publish_all(self, now):
        for seat in self.seats.values():
            if not seat.posts:
                continue
            seat.outbox.check_silence(now)
            while taken := seat.outbox.take(now):
                self.publish(seat, *taken)
                for _ in range(self.random.randrange(3) if self.role == "resend" else 0):
                    self.publish(seat, *taken[:2], True)

    def on_receipt(self, body, now):
        seat, n = self.seats[body["conversation"]], self.number_of(body["id"])
        if "seq" in body:
            self.stored(seat, n, body, now)
            seat.mark(body["seq"])
            if self.role == "resend" and self.random.random() < 0.2 and not seat.outbox.retry:
                self.publish(seat, *self.random.choice(seat.late), True)
            return
        code = body["error"]["code"]
        self.log("N", seat.id, body["id"], code)
        self.run.count("refused")
        if code in PASSING or code == "out_of_order":
            payload = seat.outbox.drafts.get(n, (dict(seat.late).get(n),))[0]
            wait = body["error"].get("retry_after_ms", 0) / 1000
            seat.outbox.refuse(n, payload if code in PASSING else None, now, wait)
        else:
            seat.outbox.close(n, now)

    # ---- what comes in

    def on_entry(self, topic, entry, now):
        if topic != f"chat/{entry['conversation']}":
            raise ValueError("an entry of another conversation")
        seat = self.seat(entry["conversation"])
        hole = max(seat.hole_before(entry["seq"]), seat.live + 1)
        self.entry(entry, "D")
        if hole < entry["seq"] and seat.live:
            self.log("G", seat.id, hole, entry["seq"] - 1)
            self.run.count("gaps")
            self.wish(now, must=True)
        elif hole < entry["seq"]:
            self.wish(now + 1)
        seat.live = max(seat.live, entry["seq"])

    def on_event(self, event, now):
        if event.get("reason") == "going_away":
            self.leave_at = now + random.random() * event["within_ms"] / 2000
        elif event["event"] == "removed":
            self.seat(event["conversation"]).member = False
        elif event["event"] == "added":
            self.seat(event["conversation"]).member = True
            self.wish(now, must=True)

    # ---- syncs

    def wish(self, due, must=False):
        syncing = self.syncing
        syncing.due = due if syncing.due is None else min(due, syncing.due)
        syncing.must = syncing.must or must

    def wish_again(self, now):
        syncing = self.syncing
        syncing.asked, syncing.must = None, True
        syncing.due = now + 0.1 * 2 ** syncing.refusals * (1 + random.random())
        syncing.refusals = min(syncing.refusals + 1, 4)

    def sync_turn(self, now):
        syncing = self.syncing
        if self.run.finishing and not syncing.last and syncing.asked is None:
            self.wish(now, must=True)
        if syncing.asked is not None:
            if now > syncing.asked + SYNC_ANSWER_S:
                self.why = "no answer to a sync"  # driver/syncing.c says why
        elif syncing.due is not None and now >= syncing.due:
            if syncing.must or self.is_behind():
                self.ask(now)
            else:
                syncing.due = None

    def ask(self, now):
        refusals, self.syncing = self.syncing.refusals, Syncing()
        self.syncing.asked, self.syncing.refusals = now, refusals
        self.syncing.last, self.syncing.progressed = self.run.finishing, False
        cursors = {s.id: s.position for s in self.seats.values() if s.member}
        self.syncing.asked_after = set(cursors)
        self.run.count("syncs")
        self.client.publish("send/me/sync",
                            json.dumps({"cursors": cursors, "limit": SYNC_LIMIT}), qos=1)

    def on_page(self, page, now):
        syncing = self.syncing
        if "error" in page:
            self.wish_again(now)
            return
        for conversation in page["conversations"]:
            asked_after = conversation["conversation"] in syncing.asked_after
            # Otherwise these are the newest, with a hole before them.
            for entry in conversation["entries"] if asked_after else []:
                syncing.progressed |= self.entry(entry, "Y")
            syncing.whole &= self.judge(conversation)
            syncing.asked_after.discard(conversation["conversation"])
        if syncing.asked is None:
            return
        syncing.pages += 1
        syncing.torn |= page["page"] != syncing.pages
        syncing.asked = None if not page["more"] else now
        if page["more"]:
            return
        if syncing.torn:
            self.wish_again(now)
            return
        for gone in syncing.asked_after:  # not in the answer
            self.seats[gone].member = False
        if syncing.whole:
            syncing.refusals = 0
            self.finished = self.finished or (syncing.last and not self.is_behind())
            syncing.last = self.finished
        elif syncing.progressed:
            self.wish(now, must=True)
        else:
            self.wish_again(now)


def make_device(run, user, device, conversations, index):
    if device["role"] == "http":
        return HttpDevice(run, user, device, conversations)
    return Device(run, user, device, conversations, index)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: stock_paho.py CAST.json NAME LOG")
    sys.exit(0 if Run(*sys.argv[1:], make_device).play() else 1)
