# SPDX-License-Identifier: MIT
"""What the two configuration files say, and whether they say the same."""
import os
import pathlib

from .finding import error, ok, warning
from .probe import tool


# Variables of ./banter and of the containers, which are no settings of the bridge.
OTHER_VARIABLES = {f"BANTER_{name}" for name in (
    "BUILD_DIR", "DATA", "HANG_SECONDS", "LISTEN", "METRICS_AT", "MOSQUITTO", "PLUGIN", "PORT_BASE",
    "RECOVERY_SECONDS", "RING_BYTES", "RUN")}
SECRET_KEYS = ("database", "replica_database", "migrate_database", "link_key", "operator_key",
               "redis", "registry")


def check_variables(inst):
    """No variable of the environment looks like a setting and is none."""
    known = {f"BANTER_{key.upper()}" for key in inst.settings} | OTHER_VARIABLES
    known |= {f"BANTER_{key.upper()}_FILE" for key in SECRET_KEYS}
    for name in sorted(inst.environment().keys() - known):
        yield warning(f"{name} is in the bridge's environment and means nothing",
                      "If it is to be a setting, its name is wrong: see docs/configuration.md")


def check_configuration(inst):
    """Both files can be read, and the bridge starts with its own."""
    for problem in inst.setting_errors:
        yield error(problem, f"Mend it in {inst.bridge_conf} or in the environment (BANTER_<KEY>); "
                    f"{inst.bridge_program} --help lists the keys")
    if not inst.setting_errors:
        yield ok(f"{inst.bridge_conf} and {inst.broker_conf} can be read")


def _real(path):
    return os.path.realpath(path) if path else None


def _differences(inst, options):
    """(what, the bridge's value, the broker's value)"""
    settings = inst.settings
    places = {listener.place for listener in inst.broker.listeners}
    yield "link_socket", _real(settings["link_socket"]), _real(options.get("link_socket"))
    yield "issuer", settings["issuer"], options.get("issuer")
    yield "audience", settings["audience"], options.get("audience")
    yield "keys", _real(f"{settings['keys_dir']}/jwks.json"), _real(options.get("jwks_file"))
    for setting in ("mqtt_socket", "broker"):
        place = settings[setting]
        same_port = {p for p in places if not place.startswith("/")
                     and p.rsplit(":", 1)[-1] == place.rsplit(":", 1)[-1]}
        if place not in places and not same_port:
            yield setting, place, "no such listener"


def check_agreement(inst):
    """Bridge and broker meet at the same sockets, and know the same secret and keys."""
    path, options = inst.plugin()
    if not path:
        yield error(f"{inst.broker_conf} loads no Banter plugin",
                    "It needs a line: plugin /usr/lib/banter/banter_plugin.so")
        return
    count = 0
    for what, ours, theirs in _differences(inst, options):
        if ours != theirs:
            count += 1
            yield error(f"{what}: the bridge has {ours}, the broker {theirs or 'nothing'}",
                        f"Make {inst.bridge_conf} and {inst.broker_conf} agree")
    if inst.broker.settings.get("allow_anonymous", "false") != "false":
        yield warning("allow_anonymous is on", f"Turn it off in {inst.broker_conf}")
    try:
        secret = pathlib.Path(options.get("link_key_file", "")).read_text("utf-8").strip()
    except OSError as problem:
        yield error(f"the broker's link_key_file cannot be read: {problem.strerror}",
                    "It must hold the bridge's link_key; run this as root or as their user")
        return
    if secret != inst.settings["link_key"]:
        yield error("bridge and broker have different link keys",
                    f"Name one file as link_key_file in {inst.bridge_conf} and as "
                    f"plugin_opt_link_key_file in {inst.broker_conf}")
    elif count == 0:
        yield ok("bridge and broker name the same sockets, keys and secret")


def check_plugin_file(inst):
    """The plugin is there, and has the libraries that it needs."""
    path, _ = inst.plugin()
    if not path:
        return  # said by check_agreement
    if not pathlib.Path(path).is_file():
        yield error(f"the plugin {path} is not there", "Install it, or correct the line `plugin`")
        return
    done = tool("ldd", path)
    lacking = [line.split()[0] for line in (done[1].splitlines() if done else [])
               if "not found" in line]
    if lacking:
        yield error(f"{path} lacks {', '.join(lacking)}", "Install the packages that have them")
    else:
        yield ok(f"the plugin {path} has what it needs")


def check_exposure(inst):
    """Passwords and tokens do not cross a network in clear text unnoticed."""
    open_ones = [listener.place for listener in inst.broker.listeners
                 if not listener.is_socket and listener.speaks_plain_mqtt]
    if inst.settings["http_listen"] != "off":
        open_ones.append(inst.settings["http_listen"])
    far = [place for place in open_ones if not place.startswith(("127.", "[::1]", "localhost:"))]
    if far:
        yield warning(f"without TLS for everybody who reaches this machine: {', '.join(far)}",
                      "Unless something in front ends TLS, give a certificate "
                      "(tls_certificate_file) and listen on 127.0.0.1 there")
    else:
        yield ok("what has no TLS listens on this machine only")
