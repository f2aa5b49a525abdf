# SPDX-License-Identifier: MIT
"""What the bridge's program makes of its command line: what cannot be written is an error."""
import re
import subprocess


def run(banter, *arguments, stdout=subprocess.PIPE):
    """banter-bridge ARGUMENTS, with the settings of the running one."""
    return subprocess.run([banter.data / "bin" / "banter-bridge", *arguments, "--config",
                           banter.data / "bridge.conf"], stdout=stdout, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False)


def test_a_full_disk_is_an_error(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    erased = run(banter, "users", "erase", bob.handle)
    erasure = re.search("erasure ([0-9a-f-]{36})", erased.stderr)[1]
    assert erasure in erased.stdout
    for words in (("audit", "list"), ("push", "list"), ("keys", "list"), ("settings",),
                  ("users", "export", alice.handle), ("users", "receipt", erasure)):
        assert run(banter, *words).returncode == 0, words
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = run(banter, *words, stdout=full)
        assert done.returncode == 1, words
        assert "No space left" in done.stderr, words
