# SPDX-License-Identifier: MIT
"""A program in a real terminal: tmux, which keeps the screen that the program drew."""
import os
import shlex
import subprocess

from .waiting import Timeout, wait_until

PATIENCE = 60


class Terminal:
    """Runs a shell line; what is left on the screen when it ends stays there, as the shell does."""

    def __init__(self, directory, command, columns=100, rows=24, **environment):
        self._socket = str(directory / "tmux")
        configuration = directory / "tmux.conf"
        configuration.write_text("set -g default-terminal tmux-256color\nset -sg escape-time 0\n")
        words = " ".join(shlex.quote(str(word)) for word in command)
        inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        settings = {**inherited, "LC_ALL": "C.UTF-8", "TZ": "UTC", **environment}
        self._tmux("-f", str(configuration), "new-session", "-d", "-x", str(columns),
                   "-y", str(rows), f"{words}; echo status $?; exec cat", env=settings)

    def _tmux(self, *words, env=None):
        done = subprocess.run(["tmux", "-u", "-S", self._socket, *words], text=True, env=env,
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def screen(self, *options):
        return self._tmux("capture-pane", "-p", *options)

    def rows(self):
        return self.screen().split("\n")[:-1]

    def tell(self, what):
        """What tmux knows, such as "pane_title" or "alternate_on"."""
        return self._tmux("display-message", "-p", f"#{{{what}}}").strip()

    def press(self, *keys):
        """Keys as tmux names them: "Enter", "C-n", "M-u"."""
        self._tmux("send-keys", *keys)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def paste(self, text):
        """As a terminal pastes: in brackets, when the program has asked for them."""
        self._tmux("set-buffer", text)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait(self, *texts, absent=()):
        """Until all of these are on the screen, and none of `absent`; returns the screen."""
        seen = [""]

        def fits():
            seen[0] = self.screen()
            return (all(text in seen[0] for text in texts)
                    and not any(text in seen[0] for text in absent))
        try:
            wait_until(fits, PATIENCE, interval=0.03)
        except Timeout as late:
            raise Timeout(f"{texts}, without {absent}, is not on the screen:\n{seen[0]}") from late
        return seen[0]

    def child(self):
        """The program's process; None when it has ended."""
        shell = self.tell("pane_pid")
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as file:
            children = file.read().split()
        return int(children[0]) if children else None

    def close(self):
        """Hangs up, and waits for the program's end."""
        program = self.child()
        self._tmux("kill-server")
        wait_until(lambda: program is None or not os.path.exists(f"/proc/{program}"), PATIENCE,
                   "the program's end")
