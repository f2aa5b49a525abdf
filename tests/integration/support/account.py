# SPDX-License-Identifier: MIT
"""One user of the system under test, with the tokens of its last login."""
import secrets


def unique_handle(name):
    """A handle nobody has: tests share one database and must not meet by accident."""
    return f"{name}-{secrets.token_hex(4)}"


class Account:
    def __init__(self, system, handle, password):
        self.system = system
        self.handle = handle
        self.password = password
        self.access_token = None
        self.refresh_token = None

    def accept(self, answer):
        """Keeps the tokens of a signup, login or refresh answer."""
        self.access_token = answer["access_token"]
        self.refresh_token = answer["refresh_token"]
        return self

    def signup(self):
        return self.accept(self._post("/v1/signup"))

    def login(self, device=None):
        """Named after the device, if there is one."""
        return self.accept(self._post("/v1/login", **({"device": device} if device else {})))

    def another_login(self, device=None, system=None):
        """One more login of the same user, as an Account of its own; perhaps at another node."""
        return Account(system or self.system, self.handle, self.password).login(device)

    def _post(self, path, **fields):
        body = {"handle": self.handle, "password": self.password, **fields}
        return self.system.request("POST", path, body).ok()

    def __repr__(self):
        return f"Account({self.handle})"
