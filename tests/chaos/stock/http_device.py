# SPDX-License-Identifier: MIT
"""A device that knows HTTP alone: posts drafts, and reads the logs now and then, and at the end."""
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request

from stock.keeping import BACKOFF_S, SYNC_LIMIT, TURN_S, Member

HTTP_S = 10.0
READ_EVERY_S = 10.0
PASSING_STATUS = (429, 500, 502, 503)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HttpDevice(Member):
    """A device that knows HTTP alone. One request at a time, so its drafts keep their order."""

    connected = property(lambda self: True)
    storm = False

    def __init__(self, run, user, device, conversations):
        super().__init__(run, user, device, conversations)
        self.place = len(run.devices)  # of the node that it asks, among all

    def request(self, path, body=None):
        """(status, body), or raises OSError."""
        nodes = self.run.cast["http"]
        request = urllib.request.Request(
            nodes[self.place % len(nodes)] + path, json.dumps(body).encode() if body else None,
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        try:
            with OPENER.open(request, timeout=HTTP_S) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    read_at = 0.0

    def run_forever(self):
        while not self.run.over and not self.finished:
            self.open_drafts()
            try:
                for seat in self.seats.values():
                    self.post_next(seat)
                if self.run.finishing or time.monotonic() > self.read_at:
                    self.read_all(self.run.finishing)
                    self.read_at = time.monotonic() + READ_EVERY_S
            except (OSError, ValueError, KeyError) as error:
                self.log("X", repr(error))
                self.place += 1
                time.sleep(BACKOFF_S[0] + random.random())
            time.sleep(TURN_S)

    def post_next(self, seat):
        n = min(seat.outbox.drafts, default=None)
        if n is None:
            return
        draft = seat.outbox.drafts[n]
        again, draft[1] = draft[1] is not None, draft[1] or time.monotonic()
        self.log_publish(seat, n, again)
        status, body = self.request(f"/v1/conversations/{seat.id}/messages", json.loads(draft[0]))
        if status in (200, 201):
            self.stored(seat, n, body, time.monotonic())
            return
        if status == 401:
            # By the server's clock, which jumps, the token is not good now. It says nothing of
            # the draft.
            raise OSError("not authorized")
        self.log("N", seat.id, self.id_of(n), body["code"])
        self.run.count("refused")
        if status in PASSING_STATUS:
            time.sleep(BACKOFF_S[0] + random.random())
        else:
            seat.outbox.close(n, time.monotonic())

    def read_all(self, is_last):
        status, answer = self.request("/v1/sync", {"limit": 0})
        if status != 200:
            raise OSError(f"sync: {status}")
        self.run.count("syncs")
        whole = [self.read_log(conversation) for conversation in answer["conversations"]]
        self.finished = is_last and all(whole)

    def read_log(self, conversation):
        seat = self.seat(conversation["conversation"])
        more = True
        while more:
            query = urllib.parse.urlencode({"after": seat.position, "limit": SYNC_LIMIT})
            status, page = self.request(f"/v1/conversations/{seat.id}/messages?{query}")
            if status != 200:
                raise OSError(f"history: {status}")
            for entry in page["entries"]:
                self.entry(entry, "Y")
            more = page["more"]
        return self.judge(conversation)
