"""A second client, from docs/protocol.md alone, with nothing but the standard library, cryptography and httpx."""

import hmac
import json
import os
import time
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha3_256, sha256, shake_256
from typing import Any

import httpx
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

COVERED = ('"@method"', '"@authority"', '"@path"', '"@query"', '"content-type"', '"content-digest"')
ANSWER = ('"@status"', *COVERED[4:], *(f"{name};req" for name in COVERED))
SEALED = 'application/vnd.secure-api.sealed;alg={};kid={};type="{}"'
HPKE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
INPUT = f'({" ".join(COVERED)});created={{}};expires={{}};nonce="{{}}";keyid="{{}}";alg="{{}}";tag="secure-api"'
JSON, CIPHERS, PARAMETERS = "application/json", ("aes-256-gcm", "hpke-x-wing"), '"@signature-params"'
ACCEPT = 'sig1=("@status");tag="secure-api"'
Answer = tuple[int, bytes, list[bytes]]  # status, body (believed, opened), signature bases of its request


def b64u(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def item(label: str, data: bytes) -> str:
    return f"{label}=:{b64encode(data).decode()}:"


def join(*lines: str, **values: str) -> bytes:
    return "\n".join([*lines, *map(": ".join, values.items())]).encode()


def thumbprint(jwk: Mapping[str, str]) -> str:
    members = {name: jwk[name] for name in (("alg", "kty", "pub") if jwk["kty"] == "AKP" else ("crv", "kty", "x"))}
    return b64u(sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


class Key:
    def __init__(self, alg: str, seed: bytes) -> None:
        ed, ml = ed25519.Ed25519PrivateKey.from_private_bytes, mldsa.MLDSA65PrivateKey.from_seed_bytes
        private = (ed if alg == "ed25519" else ml)(seed)
        public = b64u(private.public_key().public_bytes_raw())
        akp, okp = {"kty": "AKP", "alg": "ML-DSA-65", "pub": public}, {"kty": "OKP", "crv": "Ed25519", "x": public}
        self.alg, self.sign, self.jwk = alg, private.sign, okp if alg == "ed25519" else akp
        self.keyid = thumbprint(self.jwk)


class KemKey:
    def __init__(self, suite: str, seed: bytes = b"") -> None:
        both = shake_256(seed or os.urandom(32)).digest(96) if suite == "x-wing" else seed or os.urandom(64)
        large = mlkem.MLKEM1024PrivateKey if suite == "ml-kem-1024" else mlkem.MLKEM768PrivateKey
        self.lattice: Any = large.from_seed_bytes(both[:64])
        self.curve: Any = x25519.X25519PrivateKey.from_private_bytes(both[64:]) if both[64:] else None
        self.public = b"".join(half.public_key().public_bytes_raw() for half in (self.lattice, self.curve) if half)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        if not self.curve:
            return bytes(self.lattice.decapsulate(ciphertext))
        lattice, curve = self.lattice.decapsulate(ciphertext[:1088]), ciphertext[1088:]
        shared = self.curve.exchange(x25519.X25519PublicKey.from_public_bytes(curve))
        return sha3_256(lattice + shared + curve + self.public[1184:] + b"\\.//^\\").digest()


class Session:
    alg = "hmac-sha256"

    def __init__(self, name: str, parts: Sequence[bytes], material: bytes) -> None:
        transcript = b"secure-api session v1\n" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        self.secret, self.keyid = hmac.digest(sha256(transcript).digest(), material, "sha256"), name
        self.sign = partial(hmac.digest, self.key("client mac"), digest="sha256")

    def key(self, label: str) -> bytes:
        return hmac.digest(self.secret, f"secure-api session v1 {label}\x01".encode(), "sha256")

    def verify(self, signature: bytes, text: bytes) -> None:
        assert hmac.compare_digest(hmac.digest(self.key("server mac"), text, "sha256"), signature)


class Client:
    alg = "ml-dsa-65"  # and keyid: the server's

    def __init__(self, url: str, keys: Sequence[Key], server: Mapping[str, str]) -> None:
        self.url, self.keys, self.keyid = url, keys, thumbprint(server)
        self.verify = mldsa.MLDSA65PublicKey.from_public_bytes(urlsafe_b64decode(server["pub"] + "==")).verify

    def sealing_key(self) -> tuple[str, hpke.MLKEM768X25519PublicKey]:
        key = httpx.get(self.url + "/.well-known/secure-api").json()["sealing"]["keys"][0]
        raw, signature = (urlsafe_b64decode(text + "==") for text in (key["public_key"], key["signature"]["value"]))
        told = [b64u(sha256(raw).digest()), *(str(key[name]) for name in ("created", "retires", "expires"))]
        self.verify(signature, join("secure-api sealing key v1", "hpke-x-wing", *told))
        lattice = mlkem.MLKEM768PublicKey.from_public_bytes(raw[:1184])
        return told[0], hpke.MLKEM768X25519PublicKey(lattice, x25519.X25519PublicKey.from_public_bytes(raw[1184:]))

    def open(self, suite: str, old: Session | None = None) -> Session:
        pair = KemKey(suite)
        body = json.dumps({"suite": suite, "public_key": b64u(pair.public)}).encode()
        status, text, bases = self.call("POST", f"/v1/sessions/{old.keyid}/rekey" if old else "/v1/sessions", body, old)
        answer = json.loads(text)
        assert (status, answer["suite"]) == (201, suite)
        shared = pair.decapsulate(urlsafe_b64decode(answer["ciphertext"] + "==")) + (old.key("rekey") if old else b"")
        return Session(answer["id"], [(old.keyid if old else self.keyid).encode(), body, text, *bases], shared)

    def call(self, method: str, uri: str, body: bytes = b"", via: Session | None = None, seal: bool = False) -> Answer:
        signers: Sequence[Key | Session] = [via] if via else self.keys
        nonces, now, salt = [b64u(os.urandom(16)) for _ in signers], int(time.time()), os.urandom(12)
        kid, lock = self.sealing_key() if seal and not via else (via.keyid if via else "", None)
        kind, pair = SEALED.format(CIPHERS[not via], kid, JSON) if seal else JSON, KemKey("x-wing")
        path, _, query = uri.partition("?")
        head = [method, httpx.URL(self.url).netloc.decode(), path, "?" + query, kind]
        bound = ["secure-api sealed request v1", *head, signers[0].keyid, nonces[0]]
        if lock:
            body = HPKE.encrypt(pair.public + body, lock, join(*bound))
        elif seal and via:
            body = salt + AESGCM(via.key("client aead")).encrypt(salt, body, join(*bound))
        values = dict(zip(COVERED, [*head, item("sha-256", sha256(body).digest())], strict=True))
        inputs = {f"sig{n}": INPUT.format(now, now + 60, nonces[n], by.keyid, by.alg) for n, by in enumerate(signers)}
        bases = [join(**values | {PARAMETERS: parameters}) for parameters in inputs.values()]
        fields = {name.strip('"'): values[name] for name in COVERED[4:]} | {"accept-signature": ACCEPT}
        fields["signature-input"] = ", ".join(f"{label}={parameters}" for label, parameters in inputs.items())
        fields["signature"] = ", ".join(item(f"sig{n}", by.sign(bases[n])) for n, by in enumerate(signers))
        got = httpx.request(method, self.url + uri, content=body, headers=fields)
        status, kind, body = got.status_code, got.headers.get("content-type", ""), got.content
        if "signature" not in got.headers:
            assert status in {*range(300, 400), 401, 408, 413, 421, 429, 431, *range(500, 600)}
            return status, body, bases
        said = [str(status), kind, item("sha-256", sha256(body).digest()), *values.values()]
        values = dict(zip(ANSWER, said, strict=True))
        values |= {f'"signature-input";req;key="{label}"': parameters for label, parameters in inputs.items()}
        covered, _, parameters = got.headers["signature-input"].partition(");")
        assert covered == f"sig1=({' '.join(values)}"
        by = via or self
        assert {f'keyid="{by.keyid}"', f'alg="{by.alg}"', 'tag="secure-api"'} < set(parameters.split(";"))
        text = join(**values | {PARAMETERS: f"{covered[5:]});{parameters}"})
        by.verify(b64decode(got.headers["signature"][6:-1]), text)
        sealed = seal and kind.startswith(SEALED.format(CIPHERS[not via], kid if via else "reply", "")[:-1])
        assert sealed or not seal or status in {204, 400}
        info = join("secure-api sealed response v1", str(status), kind, *bound)
        if sealed and via:
            body = AESGCM(via.key("server aead")).decrypt(body[:12], body[12:], info)
        elif sealed:
            body = HPKE.decrypt(body, hpke.MLKEM768X25519PrivateKey(pair.lattice, pair.curve), info)
        return status, body, bases
