# SPDX-License-Identifier: MIT
"""A webhook on loopback that remembers what it was told, and answers as the test wants."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

from .waiting import wait_until

SECRET = "correct horse battery staple"


class Telling:
    """One request: its JSON, its headers in lower case, its path, and when it came."""

    def __init__(self, path, headers, body):
        self.at = time.monotonic()
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self.json = json.loads(body)

    def is_signed(self, secret=SECRET):
        text = b".".join((self.headers["webhook-id"].encode(),
                          self.headers["webhook-timestamp"].encode(), self.body))
        digest = hmac.new(secret.encode(), text, hashlib.sha256).digest()
        return self.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


class Webhook:
    """`plan(telling)` returns a status, or (status, headers), or None: no answer."""

    def __init__(self):
        self.tellings = []
        self.plan = lambda telling: 204
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                telling = Telling(self.path, self.headers, body)
                owner.tellings.append(telling)
                answer = owner.plan(telling)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 512

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def of(self, account):
        """What came for this user, oldest first."""
        return [t for t in self.tellings if t.path == f"/{account.handle}"]

    def wait(self, account, count=1, timeout=10):
        return wait_until(lambda: len(self.of(account)) >= count and self.of(account), timeout,
                          f"push {count} for {account.handle}")

    def close(self):
        self._server.shutdown()
        self._server.server_close()
