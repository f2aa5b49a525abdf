# SPDX-License-Identifier: MIT
"""mosquitto_pub and mosquitto_sub, as a reader of the README would run them."""
import subprocess
import threading

from .waiting import wait_until


def _connection(system, account, name):
    return ["-h", system.mqtt_host, "-p", str(system.mqtt_port), "-u", account.handle,
            "-P", account.access_token, "-i", f"{account.handle}/{name}"]


def mosquitto_pub(system, account, topic, payload, *options, name="pub", timeout=20):
    """Runs mosquitto_pub once; the finished process with its output as text."""
    return subprocess.run(["mosquitto_pub", *_connection(system, account, name), "-t", topic,
                           "-s", *options], input=payload, text=True, capture_output=True,
                          timeout=timeout, check=False)


class MosquittoSub:
    """A running mosquitto_sub; prints `topic payload` lines (-v)."""

    def __init__(self, system, account, *filters, name="sub", options=()):
        subscriptions = [part for f in filters for part in ("-t", f)]
        self._command = ["mosquitto_sub", *_connection(system, account, name), "-v",
                         *subscriptions, *options]
        self._lines = []

    def __enter__(self):
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            self._lines.append(line.rstrip("\n"))

    def lines(self):
        return list(self._lines)

    def wait_line(self, predicate, timeout=10):
        """The first line for which `predicate` holds."""
        return wait_until(lambda: next((l for l in self.lines() if predicate(l)), None), timeout,
                          f"a line of mosquitto_sub (so far: {self.lines()[-5:]})")

    def __exit__(self, *_error):
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self._reader.join(10)
