# SPDX-License-Identifier: MIT
"""banter-cli admin user and admin stats: what administrators do with their own login."""
import pytest

from support import Account
from support.account import unique_handle
from support.erasure import wait_erased
from test_cli import cli, lines_of  # noqa: F401 (cli is a fixture)

pytestmark = pytest.mark.once


def test_administrators(banter, cli):  # noqa: F811
    root, bob = banter.signup("root"), banter.signup("bob")
    me = cli.log_in(root)
    phone = banter.device(bob)

    def user(action, handle, *words, status=0, **more):
        return cli(me, "admin", "user", action, handle, *words, status=status, **more)

    user("disable", bob.handle, status=1)
    assert "administrators" in cli.said
    banter.operate("users", "admin", root.handle)
    sessions, = lines_of(user("sessions", bob.handle, "--json"))
    assert sessions["connected"] == ["phone"] and len(sessions["logins"]) == 1
    lines = user("sessions", f"@{bob.handle}").splitlines()
    assert lines[0].startswith(sessions["logins"][0]["login"]) and lines[1] == "connected\tphone"
    assert user("kick", bob.handle, "--device", "phone") == ""
    phone.wait_closed(30)
    assert user("disable", bob.handle) == "1\n"
    assert lines_of(user("enable", bob.handle, "--json")) == [{}]

    made = unique_handle("made")
    handle, drawn = user("create", made).strip().split("\t")
    Account(banter, handle, drawn).login()
    made = unique_handle("made")
    assert lines_of(user("create", made, "--password", "--name", "Maud", "--json",
                         password="a password of mine")) == [{"user": made}]
    Account(banter, made, "a password of mine").login()
    user("create", made, status=1)

    assert user("export", made) == f"/v1/users/{made}/export\n"
    lines = lines_of(cli("none", "account", "export", root.handle, "--of", made,
                         password=root.password))
    assert lines[0]["name"] == "Maud" and lines[-1] == {"type": "end"}
    cli("none", "account", "export", root.handle, "--of", "../me", password=root.password, status=1)
    user("erase", made, status=1)
    assert "--yes" in cli.said
    assert wait_erased(banter, user("erase", made, "--yes").strip())
    user("dance", made, status=2)

    stats = dict(line.split("\t") for line in cli(me, "admin", "stats").splitlines())
    assert int(stats["users"]) >= 3 and stats["nodes"] == "1"
    assert lines_of(cli(me, "admin", "stats", "--json"))[0].keys() == stats.keys()
