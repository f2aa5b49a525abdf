# SPDX-License-Identifier: MIT
"""Access tokens that must not let anybody in."""
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import tokens


def forgeries(genuine, key):
    """Name and token of everything that must not get in. The key is the server's own, so that each
    one is wrong in exactly one way."""
    header, claims = tokens.parts(genuine)
    stranger = Ed25519PrivateKey.generate()
    now = int(time.time())
    head, body, signature = genuine.split(".")
    public = tokens.raw_public(key)

    def claim(**changes):
        return tokens.sign(key, header, {**claims, **changes})

    def without(name):
        return tokens.sign(key, header, {k: v for k, v in claims.items() if k != name})

    def headed(changes=None, drop=()):
        changed = {k: v for k, v in {**header, **(changes or {})}.items() if k not in drop}
        return tokens.sign(key, changed, claims)

    def es256():
        p256 = ec.generate_private_key(ec.SECP256R1())
        signed = f"{tokens.b64(tokens.as_json({**header, 'alg': 'ES256'}))}.{body}"
        r, s = decode_dss_signature(p256.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{tokens.b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    yield "empty", ""
    yield "nonsense", "nonsense"
    yield "only dots", ".."
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{genuine}.{signature}"
    yield "no signature", f"{head}.{body}."
    yield "space before", " " + genuine
    yield "newline after", genuine + "\n"
    yield "padded", genuine + "=="
    yield "Bearer", "Bearer " + genuine
    yield "signature of zeros", f"{head}.{body}.{tokens.b64(bytes(64))}"
    yield "signature cut", genuine[:-8]
    yield "another signature bit", f"{head}.{body}.{flip(signature)}"
    yield "not canonical base64url", f"{head}.{body}.{noncanonical(signature)}"
    changed = tokens.b64(tokens.as_json({**claims, "x": 1}))
    yield "body changed after signing", f"{head}.{changed}.{signature}"
    yield "stranger's key", tokens.sign(stranger, header, claims)
    yield "stranger's key and kid", tokens.sign(stranger, {**header, "kid": "stranger"}, claims)
    yield "stranger's key in the header", tokens.sign(stranger, {**header, "jwk": {
        "kty": "OKP", "crv": "Ed25519", "x": tokens.b64(tokens.raw_public(stranger))}}, claims)
    yield "alg none", f"{tokens.b64(tokens.as_json({**header, 'alg': 'none'}))}.{body}."
    yield "alg None with signature", headed({"alg": "None"})
    yield "alg HS256 keyed with the public key", tokens.sign_hs256(
        public, {**header, "alg": "HS256"}, claims)
    yield "alg HS256 keyed with the PEM", tokens.sign_hs256(
        tokens.pem_public(key), {**header, "alg": "HS256"}, claims)
    yield "alg HS256 keyed with the JWK's x", tokens.sign_hs256(
        tokens.b64(public).encode(), {**header, "alg": "HS256"}, claims)
    yield "EdDSA said, HS256 done", tokens.sign_hs256(public, header, claims)
    yield "alg ES256", es256()
    yield "alg RS256", headed({"alg": "RS256"})
    yield "alg eddsa", headed({"alg": "eddsa"})
    yield "alg an array", headed({"alg": ["EdDSA"]})
    yield "no alg", headed(drop=["alg"])
    yield "no kid", headed(drop=["kid"])
    yield "empty kid", headed({"kid": ""})
    yield "kid a path", headed({"kid": "../../../../dev/null"})
    yield "kid of SQL", headed({"kid": "x' OR '1'='1"})
    yield "kid a number", headed({"kid": 1})
    yield "crit", headed({"crit": ["exp"]})
    yield "jku", headed({"jku": "https://example.org/jwks.json"})
    yield "x5u", headed({"x5u": "https://example.org/cert.pem"})
    yield "two algs", tokens.sign(
        key, json.dumps(header).encode()[:-1] + b',"alg":"EdDSA"}', claims)
    yield "two subs", tokens.sign(
        key, header, json.dumps(claims).encode()[:-1] + b',"sub":"root"}')
    yield "header an array", tokens.sign(key, b"[]", claims)
    yield "claims an array", tokens.sign(key, header, b"[]")
    yield "claims not JSON", tokens.sign(key, header, b"{")
    yield "claims not UTF-8", tokens.sign(key, header, b'{"sub":"\xff"}')
    yield "expired", claim(exp=now - 120)
    yield "expired long ago", claim(exp=1)
    yield "exp negative", claim(exp=-1)
    yield "exp a string", claim(exp=str(now + 600))
    yield "exp a fraction", claim(exp=now + 600.5)
    yield "exp beyond 64 bits", claim(exp=2 ** 63)
    yield "exp 1e400", tokens.sign(key, header, json.dumps(claims).encode().replace(
        str(claims["exp"]).encode(), b"1e400"))
    yield "no exp", without("exp")
    yield "not yet", claim(nbf=now + 600)
    yield "another issuer", claim(iss="https://example.org")
    yield "no issuer", without("iss")
    yield "another audience", claim(aud="other")
    yield "audience a list", claim(aud=[claims["aud"]])
    yield "no audience", without("aud")
    yield "no sub", without("sub")
    yield "sub a number", claim(sub=7)
    yield "no uid", without("uid")
    yield "uid 0", claim(uid=0)
    yield "uid negative", claim(uid=-1)
    yield "uid a string", claim(uid=str(claims["uid"]))
    yield "too long", claim(filler="x" * 5000)


def flip(signature):
    raw = bytearray(tokens.unb64(signature))
    raw[10] ^= 1
    return tokens.b64(bytes(raw))


def noncanonical(signature):
    """The same 64 bytes: only the unused bits of the last character differ."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert tokens.unb64(changed) == tokens.unb64(signature)
    return changed
