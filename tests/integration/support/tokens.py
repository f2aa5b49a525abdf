# SPDX-License-Identifier: MIT
"""Forges access tokens: takes real ones apart, changes them, and signs them with any key.

Rule: the forger knows JWT from its RFCs alone, not from our code."""
import base64
import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives import serialization


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token):
    """(header, claims) as dicts."""
    header, claims, _signature = token.split(".")
    return json.loads(unb64(header)), json.loads(unb64(claims))


def as_json(value):
    """Raw bytes stay as they are, so that a test can write what json.dumps would not."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def sign(key, header, claims):
    signed = f"{b64(as_json(header))}.{b64(as_json(claims))}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def sign_hs256(secret, header, claims):
    signed = f"{b64(as_json(header))}.{b64(as_json(claims))}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def raw_public(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw,
                                         serialization.PublicFormat.Raw)


def pem_public(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def key_paths(system):
    return sorted((pathlib.Path(system.data) / "keys").glob("*.pem"))


def server_key(system):
    """The private key that signs the system's tokens: with it, a forgery fails for one reason
    only, the one under test."""
    paths = key_paths(system)
    assert len(paths) == 1, f"expected one key, found {paths}"
    return serialization.load_pem_private_key(paths[0].read_bytes(), None)
