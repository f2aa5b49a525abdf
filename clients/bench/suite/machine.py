# SPDX-License-Identifier: MIT
"""What a result was measured on and with: machine, versions, commit."""
import os
import pathlib
import platform
import re
import subprocess

from suite.copy import REPOSITORY


def said_by(*command):
    """The first line of what a program says, or "" when it is not there."""
    try:
        done = subprocess.run(command, text=True, capture_output=True, timeout=30, check=False,
                              cwd=REPOSITORY)
    except OSError:
        return ""
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def _field(path, name):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return ""


def describe(data, mosquitto):
    return {
        "machine": {
            "cpu": _field("/proc/cpuinfo", "model name"),
            "cores": os.cpu_count(),
            "memory_mib": int(_field("/proc/meminfo", "MemTotal").split()[0]) // 1024,
            "kernel": platform.release(),
            "file_system": said_by("findmnt", "-no", "FSTYPE", "-T", str(data)),
        },
        "versions": {
            "banter": said_by(str(REPOSITORY / "banter"), "version"),
            "commit": said_by("git", "rev-parse", "--short", "HEAD"),
            "changed": bool(said_by("git", "status", "--porcelain", "--untracked-files=no")),
            "mosquitto": mosquitto_version(mosquitto),
            "postgresql": said_by("psql", "--version"),
            "compiler": said_by("gcc", "--version"),
            "system": _os_name(),
        },
    }


def mosquitto_version(path):
    found = re.search(r"\d+\.\d+\.\d+", said_by(path, "-h"))
    return found.group() if found else ""


def _os_name():
    text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.MULTILINE)
    return found.group(1) if found else ""
