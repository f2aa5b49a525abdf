# SPDX-License-Identifier: MIT
"""Reads mosquitto.conf, as far as Banter is concerned: listeners, the plugin and its options."""
import dataclasses


@dataclasses.dataclass
class Listener:
    place: str  # path of a Unix socket, or HOST:PORT
    options: dict

    @property
    def is_socket(self):
        return self.place.startswith("/")

    @property
    def speaks_plain_mqtt(self):
        return self.options.get("protocol", "mqtt") == "mqtt" and "certfile" not in self.options


@dataclasses.dataclass
class BrokerConf:
    settings: dict
    listeners: list
    plugins: list  # (path, {option: value}), one for each `plugin`


def read(path):
    """What follows a `listener` line is the listener's, what follows `plugin` the plugin's."""
    conf = BrokerConf({}, [], [])
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.strip().partition(" ")
        value = value.strip()
        if not key or key.startswith("#"):
            continue
        if key == "listener":
            conf.listeners.append(Listener(_place(value.split()), {}))
        elif key in ("plugin", "auth_plugin"):
            conf.plugins.append((value, {}))
        elif key.startswith(("plugin_opt_", "auth_opt_")) and conf.plugins:
            conf.plugins[-1][1][key.split("_opt_", 1)[1]] = value
        else:
            conf.settings[key] = value
            if conf.listeners:
                conf.listeners[-1].options[key] = value
    return conf


def _place(words):
    """`listener 0 PATH` is a Unix socket, `listener PORT` listens on all addresses."""
    if len(words) > 1 and words[1].startswith("/"):
        return words[1]
    return f"{words[1] if len(words) > 1 else '0.0.0.0'}:{words[0] if words else '?'}"
