# SPDX-License-Identifier: MIT
"""Files: who may read keys and open sockets, how much room there is, how long certificates last."""
import os
import pathlib
import ssl
import stat

from .finding import error, ok, warning
from .probe import may_read, split_address, tool

DISK_ERROR_BYTES = 256 << 20
DISK_WARNING_BYTES = 2 << 30
DISK_WARNING_SHARE = 0.05
INODES_ERROR_SHARE = 0.02
CERTIFICATE_WARNING_DAYS = 14
SOCKET_SETTINGS = ("link_socket", "http_socket", "mqtt_socket", "broker")


def _secrets(inst):
    """(path, services that read it)"""
    keys = pathlib.Path(inst.settings["keys_dir"])
    for path in (*sorted(keys.glob("*.pem")), keys / "vapid.key"):
        if path.exists():
            yield path, ("bridge",)
    _, options = inst.plugin()
    if options.get("link_key_file"):
        yield pathlib.Path(options["link_key_file"]), ("bridge", "broker")
    for setting in ("tls_key_file", "push_fcm_account", "push_apns_key", "push_vapid_key",
                    "redis_key_file"):
        if inst.settings[setting]:
            yield pathlib.Path(inst.settings[setting]), ("bridge",)


def check_secrets(inst):
    """Keys are there for those who need them, and for nobody else."""
    count = 0
    problems = 0
    for path, readers in _secrets(inst):
        count += 1
        for problem in _secret_problems(inst, path, readers):
            problems += 1
            yield problem
    keys = pathlib.Path(inst.settings["keys_dir"])
    if keys.is_dir() and keys.stat().st_mode & 0o002:
        problems += 1
        yield error(f"everybody may put keys into {keys}", f"chmod o-w {keys}")
    if not list(keys.glob("*.pem")):
        yield error(f"no key in {keys} that signs tokens, or you may not look",
                    "The bridge makes one at its start; a restored installation needs its old ones")
    elif problems == 0:
        yield ok(f"{count} files with secrets are closed to others")


def _secret_problems(inst, path, readers):
    try:
        mode = path.stat().st_mode
    except OSError as problem:
        yield error(f"{path}: {problem.strerror}", "Put it there, or correct the setting")
        return
    if mode & 0o007:
        yield error(f"{path} is open to everybody (mode {stat.S_IMODE(mode):04o})",
                    f"chmod o= {path}; who has read it knows the secret, so change that, too")
    for service in readers:
        if not may_read(path, inst.identity_of(service)):
            yield error(f"the {service}'s user cannot read {path}",
                        "Give it the file, or a group that may read it (chown, chmod g+r)")


def check_public_keys(inst):
    """The broker can read the keys with which it checks tokens."""
    _, options = inst.plugin()
    path = pathlib.Path(options.get("jwks_file", ""))
    if not may_read(path, inst.identity_of("broker")):
        yield error(f"the broker's user cannot read {path}",
                    "The bridge writes it at its start; its directory must let the broker in")
    else:
        yield ok(f"the broker can read {path}")


def _is_open_to_all(path):
    """Whether a stranger reaches the socket: it and every directory above it let them."""
    if not path.stat().st_mode & 0o002:
        return False
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def check_sockets(inst):
    """They are there while their processes run, and strangers cannot reach them."""
    owners = {"link_socket": "bridge", "http_socket": "bridge", "mqtt_socket": "broker",
              "broker": "broker"}
    problems = 0
    for setting in SOCKET_SETTINGS:
        path = pathlib.Path(inst.settings[setting])
        if not path.is_absolute():
            continue
        owner = owners[setting]
        try:
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise FileNotFoundError
            if _is_open_to_all(path):
                problems += 1
                yield error(f"everybody on this machine can open {path}",
                            f"chmod o-x {path.parent}")
        except FileNotFoundError:
            if inst.pid_of(owner):
                problems += 1
                yield error(f"{setting}: there is no socket {path}",
                            f"{inst.how_to('restart', owner)}, and do not delete it")
        except PermissionError:
            problems += 1
            yield warning(f"{path}: you may not look", "Run this as root or as the bridge's user")
    if problems == 0:
        yield ok("strangers cannot reach the sockets")


def check_disk(inst):
    """There is room for what is written."""
    places = {}
    directories = (*inst.directories, inst.settings["keys_dir"], inst.settings["blobs_dir"])
    for directory in map(pathlib.Path, directories):
        try:
            places.setdefault(directory.stat().st_dev, directory)
        except OSError:
            continue  # where a process needs it, another check says so
    for directory in places.values():
        room = os.statvfs(directory)
        free, size = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
        text = f"{free >> 20} MiB free for {directory}"
        remedy = "Make room: without it messages wait, then are refused"
        if free < DISK_ERROR_BYTES:
            yield error(text, remedy)
        elif room.f_files and room.f_favail < INODES_ERROR_SHARE * room.f_files:
            yield error(f"only {room.f_favail} more files fit into {directory}", remedy)
        elif free < DISK_WARNING_BYTES or free < DISK_WARNING_SHARE * size:
            yield warning(text, remedy)
        else:
            yield ok(text)


def check_certificate(inst):
    """It fits its key, is not about to end, and is the one that clients see."""
    certificate = inst.settings["tls_certificate_file"]
    key = inst.settings["tls_key_file"]
    if not certificate:
        yield ok("no certificate: no TLS")
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ValueError) as problem:
        yield error(f"{certificate} and {key} cannot be used: {problem}",
                    "Both must be PEM and belong together; the bridge keeps what it has loaded")
        return
    if not may_read(certificate, inst.identity_of("bridge")):
        yield error(f"the bridge's user cannot read {certificate}", "chmod or chown it")
    yield from _expiry(certificate)
    yield from _served(inst, certificate)


def _expiry(certificate):
    done = tool("openssl", "x509", "-in", certificate, "-noout", "-enddate")
    if not done or done[0] != 0:
        yield warning("the end of the certificate is not known", "apt-get install openssl")
        return
    until = done[1].partition("=")[2]
    seconds = CERTIFICATE_WARNING_DAYS * 86400
    if tool("openssl", "x509", "-in", certificate, "-noout", "-checkend", "0")[0] != 0:
        yield error(f"{certificate} has expired: {until}", "Renew it, then send the bridge SIGHUP")
    elif tool("openssl", "x509", "-in", certificate, "-noout", "-checkend", str(seconds))[0] != 0:
        yield warning(f"{certificate} ends on {until}", "Renew it, then send the bridge SIGHUP")
    else:
        yield ok(f"the certificate is good until {until}")


def _served(inst, certificate):
    if not inst.listens("https_listen") or not inst.pid_of("bridge"):
        return
    try:
        served = ssl.get_server_certificate(split_address(inst.settings["https_listen"]), timeout=3)
    except (OSError, ValueError) as problem:
        yield error(f"no TLS at {inst.settings['https_listen']}: {problem}", f"See {inst.logs}")
        return
    text = pathlib.Path(certificate).read_text(encoding="ascii", errors="replace")
    if ssl.PEM_cert_to_DER_cert(served) != ssl.PEM_cert_to_DER_cert(_first(text)):
        yield warning("clients see another certificate than the file's",
                      f"Have it read: kill -HUP {inst.pid_of('bridge')}")


def _first(text):
    """The first certificate of a chain, as PEM."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + text.partition(begin)[2].partition(end)[0] + end + "\n"
