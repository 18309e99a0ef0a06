"""The worked example of docs/protocol.md, every byte of it, made by the product's own functions from given values.

`python -m tests.docs.protocol_example` writes docs/protocol-example.json and the section of the page anew. What is
random by nature (ML-DSA signatures, encapsulations, HPKE) is recorded in the file, and kept as long as it holds.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crypto import (
    REPLY_KID,
    InvalidSignature,
    KemAlgorithm,
    KemPrivateKey,
    MacKey,
    PrivateKey,
    Request,
    Response,
    SealedType,
    SealingAlgorithm,
    SealingPrivateKey,
    SealingPublicKey,
    SessionKeys,
    SignatureAlgorithm,
    UnsealingError,
    parse_signature_input,
    request_context,
    response_context,
    seal_under,
    sealing_key_statement,
    sealing_kid,
    session_secret,
    session_transcript,
    sign_request,
    sign_response,
)
from tests.docs.protocol_given import GIVEN
from tests.docs.protocol_section import page_with_section
from tests.docs.recordings import Recordings, Scribe

DOCS = Path(__file__).parents[2] / "docs"
PAGE, FILE = DOCS / "protocol.md", DOCS / "protocol-example.json"
JSON, ACCEPT = "application/json", 'sig1=("@status");tag="secure-api"'
ML_DSA_65, ED25519 = SignatureAlgorithm.ML_DSA_65, SignatureAlgorithm.ED25519


@dataclass(frozen=True)
class Seal:
    """How the bodies of one exchange are sealed: the types of both, and what does it, given plaintext and context."""

    request_type: str
    answer_type: str
    lock_request: Callable[[bytes, bytes], bytes]
    lock_answer: Callable[[bytes, bytes], bytes]


class Example:
    """Builds the document step by step; `recorded` is `randomized` of the one before."""

    def __init__(self, recorded: Mapping[str, str]) -> None:
        self.recordings = Recordings(recorded)
        seeds = {name: bytes.fromhex(seed) for name, seed in GIVEN["seeds"].items()}
        self.seeds = seeds
        self.client = [
            PrivateKey.from_seed(ML_DSA_65, seeds["client ml-dsa-65"]),
            PrivateKey.from_seed(ED25519, seeds["client ed25519"]),
        ]
        self.server = PrivateKey.from_seed(ML_DSA_65, seeds["server ml-dsa-65"])

    def document(self) -> dict[str, Any]:
        """Give all of it, ready for JSON."""
        keys = {"client ml-dsa-65": self.client[0], "client ed25519": self.client[1], "server ml-dsa-65": self.server}
        signed, _ = self.exchange("signed", self.client, self.server)
        handshake, session = self.handshake("handshake", KemAlgorithm.X_WING, None)
        in_session, _ = self.exchange("in_session", [session.client_mac], session.server_mac)
        sealed_in_session, _ = self.exchange(
            "sealed_in_session", [session.client_mac], session.server_mac, seal=seal_under_session(session)
        )
        rekey, _ = self.handshake("rekey", KemAlgorithm.ML_KEM_768, session)
        sealing_key, seal = self.sealing_key()
        sealed, _ = self.exchange("sealed", self.client, self.server, seal=seal)
        return {
            "about": "The worked example of docs/protocol.md. Its seeds are public: never use them for anything.",
            "given": GIVEN,
            "randomized": self.recordings.kept,
            "keys": {name: {"jwk": key.public_key.jwk(), "keyid": key.keyid} for name, key in keys.items()},
            "signed": signed,
            "handshake": handshake,
            "in_session": in_session,
            "sealed_in_session": sealed_in_session,
            "rekey": rekey,
            "sealing_key": sealing_key,
            "sealed": sealed,
        }

    def exchange(
        self,
        name: str,
        signers: Sequence[PrivateKey | MacKey],
        answerer: PrivateKey | MacKey,
        *,
        seal: Seal | None = None,
        said: Mapping[str, str] | None = None,
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Give one request with its answer, and the request's signature bases."""
        given = GIVEN["exchanges"][name] | (said or {})
        body, answer, request_type, answer_type = given["body"].encode(), given["answer"].encode(), JSON, JSON
        request = Request(given["method"], GIVEN["authority"], given["path"], given["query"], headers=())
        inside: tuple[dict[str, str], ...] = ({}, {})
        if seal is not None:
            request_type, answer_type = seal.request_type, seal.answer_type
            bound = request_context(
                request, content_type=request_type, keyid=signers[0].keyid, nonce=given["nonces"][0]
            )
            answer_bound = response_context(bound, status=given["status"], content_type=answer_type)
            inside = (
                {"inside": body.decode(), "bound_to": bound.decode()},
                {"inside": answer.decode(), "bound_to": answer_bound.decode()},
            )
            body, answer = seal.lock_request(body, bound), seal.lock_answer(answer, answer_bound)
        request = replace(request, headers=((b"content-type", request_type.encode()),))
        scribes = [Scribe(key, f"{name}: request, by {key.algorithm}", self.recordings) for key in signers]
        fields = sign_request(request, body, scribes, created=GIVEN["created"], lifetime=60, nonces=given["nonces"])
        request = replace(
            request, headers=(*request.headers, *((key.encode(), value.encode()) for key, value in fields))
        )
        inputs = list(parse_signature_input(dict(fields)["signature-input"].encode()).values())
        response = Response(given["status"], ((b"content-type", answer_type.encode()),), answer)
        answering = Scribe(answerer, f"{name}: answer", self.recordings)
        answered = sign_response(response, request, inputs, answering, label="sig1", created=GIVEN["answered"])
        target = {part: given[part] for part in ("method", "path", "query")}
        bases = [base for scribe in scribes for base in scribe.signed]
        return {
            "request": target
            | {"fields": {"content-type": request_type} | dict(fields) | {"accept-signature": ACCEPT}}
            | spelled("body", body, hexadecimal=seal is not None)
            | inside[0]
            | {"signature_bases": [base.decode() for base in bases]},
            "answer": {"status": given["status"], "fields": {"content-type": answer_type} | dict(answered)}
            | spelled("body", answer, hexadecimal=seal is not None)
            | inside[1]
            | {"signature_bases": [base.decode() for base in answering.signed]},
        }, bases

    def handshake(self, name: str, suite: KemAlgorithm, old: SessionKeys | None) -> tuple[dict[str, Any], SessionKeys]:
        """Give a handshake or, of an old session, a rekey; and the keys of the session that it opens."""
        pair = KemPrivateKey.from_seed(suite, self.seeds[f"{name} {suite}"])

        def check(value: bytes) -> None:
            if pair.decapsulate(value[:-32]) != value[-32:]:
                raise InvalidSignature(detail="another shared secret")

        drawn = self.recordings.recall(
            f"ciphertext and shared secret of {name}", check, lambda: b"".join(pair.public_key.encapsulate())
        )
        ciphertext, shared = drawn[:-32], drawn[-32:]
        session = GIVEN["exchanges"][name]["session"]
        times = {"created": GIVEN["answered"], "expires": GIVEN["session_expires"]}
        start = {"id": session, "suite": suite.value, "ciphertext": b64u(ciphertext)}
        said = {
            "body": compact({"suite": suite.value, "public_key": b64u(pair.public_key.raw)}),
            "answer": compact(start | times | GIVEN["session"]),
        }
        signers: Sequence[PrivateKey | MacKey] = self.client if old is None else [old.client_mac]
        answerer = self.server if old is None else old.server_mac
        exchange, bases = self.exchange(name, signers, answerer, said=said)
        transcript = session_transcript(
            server_keyid=answerer.keyid,
            request_body=said["body"].encode(),
            response_body=said["answer"].encode(),
            request_bases=bases,
        )
        secret = session_secret(shared, transcript, old.rekey if old else b"")
        keys = SessionKeys.derive(session, secret)
        derived = {
            "public_key_hex": pair.public_key.raw.hex(),
            "ciphertext_hex": ciphertext.hex(),
            "shared_secret_hex": shared.hex(),
            "transcript_hex": transcript.hex(),
            "secret_hex": secret.hex(),
            "keys_hex": {
                "client mac": keys.client_mac._key.hex(),
                "server mac": keys.server_mac._key.hex(),
                "client aead": keys.client_aead.hex(),
                "server aead": keys.server_aead.hex(),
                "rekey": keys.rekey.hex(),
            },
        }
        return exchange | derived, keys

    def sealing_key(self) -> tuple[dict[str, Any], Seal]:
        """Give the server's sealing key with its statement, and how the last exchange is sealed to it."""
        key, reply = (SealingPrivateKey(self.seeds[f"{name} x-wing"]) for name in ("sealing", "reply"))
        times: dict[str, int] = GIVEN["sealing_key"]
        statement = sealing_key_statement(key.public_key, **times)
        signature = Scribe(self.server, "sealing_key: statement", self.recordings).sign(statement)
        kid = sealing_kid(key.public_key)
        published = {"alg": "hpke-x-wing", "kid": kid, "public_key": b64u(key.public_key)}
        document = {
            "statement": statement.decode(),
            "published": published | times | {"signature": {"keyid": self.server.keyid, "value": b64u(signature)}},
            "reply_public_key_hex": reply.public_key.hex(),
        }

        def locked(name: str, to: SealingPrivateKey, plaintext: bytes, context: bytes) -> bytes:
            def check(value: bytes) -> None:
                if to.open(value, context) != plaintext:
                    raise UnsealingError("something else is inside")

            return self.recordings.recall(name, check, lambda: SealingPublicKey(to.public_key).seal(plaintext, context))

        return document, Seal(
            SealedType(SealingAlgorithm.HPKE_X_WING, kid, JSON).text,
            SealedType(SealingAlgorithm.HPKE_X_WING, REPLY_KID, JSON).text,
            lambda body, context: locked("body of sealed: request", key, reply.public_key + body, context),
            lambda body, context: locked("body of sealed: answer", reply, body, context),
        )


def seal_under_session(keys: SessionKeys) -> Seal:
    """Seal under a session's keys, with the given nonces."""
    request, answer = (bytes.fromhex(GIVEN["aead_nonces"][name]) for name in ("request", "answer"))
    text = SealedType(SealingAlgorithm.AES_256_GCM, keys.session, JSON).text
    return Seal(
        text,
        text,
        lambda body, context: seal_under(keys.client_aead, body, context, request),
        lambda body, context: seal_under(keys.server_aead, body, context, answer),
    )


def b64u(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def compact(value: Mapping[str, Any]) -> str:
    """JSON as it is sent."""
    return json.dumps(value, separators=(",", ":"))


def spelled(name: str, data: bytes, *, hexadecimal: bool) -> dict[str, str]:
    """Bytes as text, or as hex under a name that says so."""
    return {f"{name}_hex": data.hex()} if hexadecimal else {name: data.decode()}


def written(document: Mapping[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file and the page."""
    recorded = json.loads(FILE.read_text())["randomized"] if FILE.exists() else {}
    document = Example(recorded).document()
    FILE.write_text(written(document))
    PAGE.write_text(page_with_section(PAGE.read_text(), document))


if __name__ == "__main__":
    main()
