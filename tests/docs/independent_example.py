"""The worked example of docs/protocol.md without the product: hashlib, hmac, cryptography, and the second client.

Only `given` and `randomized` of the document are read. What is random is put where it belongs, after it was checked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.interop.second_client import (
    ANSWER,
    COVERED,
    HPKE,
    INPUT,
    JSON,
    PARAMETERS,
    SEALED,
    KemKey,
    Key,
    Session,
    b64u,
    item,
    join,
)


@dataclass(frozen=True)
class Party:
    """Who signs: by a key, or by one of the MAC keys of a session."""

    keyid: str
    alg: str
    key: Key | bytes


@dataclass(frozen=True)
class Lock:
    """What a body is sealed with: the session's AEAD keys and their nonces, or two X-Wing keys."""

    request_type: str
    answer_type: str
    aead: tuple[tuple[bytes, bytes], tuple[bytes, bytes]] | None = None
    hpke: tuple[KemKey, KemKey] | None = None


class Recomputed:
    """The document again. Where a random value is wrong, InvalidSignature, InvalidTag or an AssertionError says so."""

    def __init__(self, given: Mapping[str, Any], randomized: Mapping[str, str]) -> None:
        self.given, self.randomized = given, {name: bytes.fromhex(value) for name, value in randomized.items()}
        self.seeds = {name: bytes.fromhex(value) for name, value in given["seeds"].items()}
        self.keys = {name: Key(name.split()[1], self.seeds[name]) for name in list(given["seeds"])[:3]}
        self.used: list[str] = []

    def document(self) -> dict[str, Any]:
        ml_dsa, ed25519, server = (Party(key.keyid, key.alg, key) for key in self.keys.values())
        client = [ml_dsa, ed25519]
        document: dict[str, Any] = {
            "keys": {name: {"jwk": key.jwk, "keyid": key.keyid} for name, key in self.keys.items()},
            "signed": self.exchange("signed", client, server),
        }
        document["handshake"], session = self.handshake("handshake", "x-wing", client, server, None)
        alg = "hmac-sha256"
        within = [Party(session.keyid, alg, session.key("client mac"))]
        answerer = Party(session.keyid, alg, session.key("server mac"))
        document["in_session"] = self.exchange("in_session", within, answerer)
        nonces = [bytes.fromhex(self.given["aead_nonces"][name]) for name in ("request", "answer")]
        sealed = SEALED.format("aes-256-gcm", session.keyid, JSON)
        aead = ((session.key("client aead"), nonces[0]), (session.key("server aead"), nonces[1]))
        document["sealed_in_session"] = self.exchange("sealed_in_session", within, answerer, Lock(sealed, sealed, aead))
        document["rekey"], _ = self.handshake("rekey", "ml-kem-768", within, answerer, session)
        document["sealing_key"], lock = self.sealing_key(server)
        document["sealed"] = self.exchange("sealed", client, server, lock)
        return document

    def drawn(self, name: str) -> bytes:
        """A recorded value; each is for one place."""
        assert name not in self.used
        self.used.append(name)
        return self.randomized[name]

    def signature(self, party: Party, name: str, message: bytes) -> bytes:
        if isinstance(party.key, bytes):
            return hmac.digest(party.key, message, "sha256")
        if party.alg == "ed25519":
            return party.key.sign(message)
        signature = self.drawn(f"signature of {name}")
        mldsa.MLDSA65PublicKey.from_public_bytes(raw(party.key.jwk["pub"])).verify(signature, message)
        return signature

    def sealed(self, name: str, lock: Lock, body: bytes, bound: bytes) -> bytes:
        side = ("request", "answer").index(name.split()[1])
        if lock.aead:
            key, nonce = lock.aead[side]
            return nonce + AESGCM(key).encrypt(nonce, body, bound)
        assert lock.hpke
        to, plaintext = lock.hpke[side], body if side else lock.hpke[1].public + body
        value = self.drawn(f"body of {name}")
        assert HPKE.decrypt(value, hpke.MLKEM768X25519PrivateKey(to.lattice, to.curve), bound) == plaintext
        return value

    def exchange(
        self,
        name: str,
        signers: Sequence[Party],
        answerer: Party,
        lock: Lock | None = None,
        said: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        given = self.given["exchanges"][name]
        inside, answer_inside = said or (given["body"], given["answer"])
        body, answer, types, bound, answer_bound = inside.encode(), answer_inside.encode(), (JSON, JSON), b"", b""
        head = [given["method"], self.given["authority"], given["path"], "?" + given["query"]]
        if lock:
            types = (lock.request_type, lock.answer_type)
            bound = join("secure-api sealed request v1", *head, types[0], signers[0].keyid, given["nonces"][0])
            answer_bound = join("secure-api sealed response v1", str(given["status"]), types[1]) + b"\n" + bound
            body = self.sealed(f"{name}: request", lock, body, bound)
            answer = self.sealed(f"{name}: answer", lock, answer, answer_bound)
        values = dict(zip(COVERED, [*head, types[0], digest(body)], strict=True))
        created, expires = self.given["created"], self.given["expires"]
        inputs = {
            f"sig{number}": INPUT.format(created, expires, nonce, party.keyid, party.alg)
            for number, (party, nonce) in enumerate(zip(signers, given["nonces"], strict=True), 1)
        }
        bases = [join(**values | {PARAMETERS: text}) for text in inputs.values()]
        signed = [
            item(label, self.signature(party, f"{name}: request, by {party.alg}", base))
            for label, party, base in zip(inputs, signers, bases, strict=True)
        ]
        told = [str(given["status"]), types[1], digest(answer), *values.values()]
        covered = dict(zip(ANSWER, told, strict=True))
        covered |= {f'"signature-input";req;key="{label}"': text for label, text in inputs.items()}
        parameters = (
            f"({' '.join(covered)});created={self.given['answered']}"
            f';keyid="{answerer.keyid}";alg="{answerer.alg}";tag="secure-api"'
        )
        base = join(**covered | {PARAMETERS: parameters})
        signature = self.signature(answerer, f"{name}: answer", base)
        request: dict[str, Any] = {part: given[part] for part in ("method", "path", "query")}
        request["fields"] = {
            "content-type": types[0],
            "content-digest": digest(body),
            "signature-input": ", ".join(f"{label}={text}" for label, text in inputs.items()),
            "signature": ", ".join(signed),
            "accept-signature": 'sig1=("@status");tag="secure-api"',
        }
        fields = {"content-type": types[1], "content-digest": digest(answer)}
        fields |= {"signature-input": f"sig1={parameters}", "signature": item("sig1", signature)}
        reply: dict[str, Any] = {"status": given["status"], "fields": fields}
        if lock:
            request |= {"body_hex": body.hex(), "inside": inside, "bound_to": bound.decode()}
            reply |= {"body_hex": answer.hex(), "inside": answer_inside, "bound_to": answer_bound.decode()}
        else:
            request["body"], reply["body"] = inside, answer_inside
        request["signature_bases"], reply["signature_bases"] = [text.decode() for text in bases], [base.decode()]
        return {"request": request, "answer": reply}

    def handshake(
        self, name: str, suite: str, signers: Sequence[Party], answerer: Party, old: Session | None
    ) -> tuple[dict[str, Any], Session]:
        drawn = self.drawn(f"ciphertext and shared secret of {name}")
        ciphertext, shared = drawn[:-32], drawn[-32:]
        pair = KemKey(suite, self.seeds[f"{name} {suite}"])
        assert pair.decapsulate(ciphertext) == shared
        session = self.given["exchanges"][name]["session"]
        body = compact({"suite": suite, "public_key": b64u(pair.public)})
        times = {"created": self.given["answered"], "expires": self.given["session_expires"]}
        start = {"id": session, "suite": suite, "ciphertext": b64u(ciphertext)}
        answer = compact(start | times | self.given["session"])
        document = self.exchange(name, signers, answerer, said=(body, answer))
        bases = [text.encode() for text in document["request"]["signature_bases"]]
        parts = [answerer.keyid.encode(), body.encode(), answer.encode(), *bases]
        new = Session(session, parts, shared + (old.key("rekey") if old else b""))
        transcript = b"secure-api session v1\n" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        labels = ("client mac", "server mac", "client aead", "server aead", "rekey")
        document |= {
            "public_key_hex": pair.public.hex(),
            "ciphertext_hex": ciphertext.hex(),
            "shared_secret_hex": shared.hex(),
            "transcript_hex": hashlib.sha256(transcript).hexdigest(),
            "secret_hex": new.secret.hex(),
            "keys_hex": {label: new.key(label).hex() for label in labels},
        }
        return document, new

    def sealing_key(self, server: Party) -> tuple[dict[str, Any], Lock]:
        key, reply = (KemKey("x-wing", self.seeds[f"{name} x-wing"]) for name in ("sealing", "reply"))
        kid, times = b64u(hashlib.sha256(key.public).digest()), self.given["sealing_key"]
        lines = ("secure-api sealing key v1", "hpke-x-wing", kid, *map(str, times.values()))
        signature = b64u(self.signature(server, "sealing_key: statement", join(*lines)))
        published = {"alg": "hpke-x-wing", "kid": kid, "public_key": b64u(key.public)} | times
        document = {
            "statement": "\n".join(lines),
            "published": published | {"signature": {"keyid": server.keyid, "value": signature}},
            "reply_public_key_hex": reply.public.hex(),
        }
        types = SEALED.format("hpke-x-wing", kid, JSON), SEALED.format("hpke-x-wing", "reply", JSON)
        return document, Lock(*types, hpke=(key, reply))


def digest(body: bytes) -> str:
    return item("sha-256", hashlib.sha256(body).digest())


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def compact(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
