# SPDX-License-Identifier: MIT
"""A psql session that stays open: for transactions that hold their locks until the test says."""
import subprocess


class Session:
    """One connection to PostgreSQL, as a context manager; its transaction ends with it."""

    def __init__(self, system):
        self._psql = subprocess.Popen(["psql", "-XqAt", "-d", system.postgres_dsn], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, sql):
        """The lines of the answer."""
        self._psql.stdin.write(f"{sql};\n\\echo end of answer\n")
        self._psql.stdin.flush()
        lines = []
        for line in self._psql.stdout:
            if line.rstrip("\n") == "end of answer":
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("psql has ended")

    def lock(self, *conversations):
        """Locks the conversations' rows, as a writer or a change of members would."""
        self.run("BEGIN")
        for conversation in conversations:
            self.run(f"SELECT FROM banter.conversations WHERE id = '{conversation}' FOR UPDATE")

    def release(self):
        self.run("COMMIT")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._psql.stdin.close()
        self._psql.wait(10)
        self._psql.stdout.close()
