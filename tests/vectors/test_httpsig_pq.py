"""C2SP httpsig-pq v1.0.0, RFC 9421 with ML-DSA: bases byte for byte, verdicts, every rule of its "Negative tests"."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from crypto import (
    ALGORITHMS,
    InvalidSignature,
    KeyFormatError,
    PrivateKey,
    PublicKey,
    Request,
    SignatureAlgorithm,
    SignatureInput,
    SignatureProvider,
    Verifier,
    parse_signature_input,
    signature_base,
)
from crypto.providers import oqs_library
from crypto.providers.openssl import native_private_key, native_public_key
from tests.vectors.conftest import ReadVectors

REQUEST = Request(
    method="GET",
    authority="example.com",
    path="/foo",
    query="param=Value&Pet=dog",
    headers=((b"host", b"example.com"), (b"date", b"Mon, 06 Jul 2026 20:00:00 GMT")),
)
ALGORITHMS_OF_THE_VECTORS = [algorithm for algorithm in SignatureAlgorithm if ALGORITHMS[algorithm].post_quantum]


@dataclass(frozen=True)
class Vector:
    """One vector: the field value is what follows `Signature-Input: `."""

    algorithm: SignatureAlgorithm
    seed: bytes
    public_key: bytes
    field: bytes
    base: bytes
    base_length: int
    base_sha256: str
    signature: bytes


@pytest.fixture(scope="module")
def vectors(read_vectors: ReadVectors) -> dict[SignatureAlgorithm, Vector]:
    document = read_vectors("httpsig-pq.json")
    return {
        SignatureAlgorithm(entry["algorithm"]): Vector(
            algorithm=SignatureAlgorithm(entry["algorithm"]),
            seed=bytes.fromhex(entry["private_key_seed_hex"]),
            public_key=b64decode(entry["public_key_base64"], validate=True),
            field=entry["serialized_signature_input"].removeprefix("Signature-Input: ").encode("ascii"),
            base=b64decode(entry["signature_base_base64"], validate=True),
            base_length=entry["signature_base_length"],
            base_sha256=entry["signature_base_sha256"],
            signature=b64decode(entry["deterministic_signature_base64"], validate=True),
        )
        for entry in document["vectors"]
    }


@pytest.fixture(params=ALGORITHMS_OF_THE_VECTORS)
def vector(request: pytest.FixtureRequest, vectors: dict[SignatureAlgorithm, Vector]) -> Vector:
    return vectors[request.param]


@dataclass(frozen=True)
class Check:
    """Verifications, by the key and by every provider, in which one thing may be another than the vector's."""

    vector: Vector
    providers: list[SignatureProvider]

    def verifiers(self, key: PublicKey | None = None) -> list[Verifier]:
        public = key or PublicKey.from_raw(self.vector.algorithm, self.vector.public_key)
        return [public, *(provider.verifier(public.algorithm, public.raw) for provider in self.providers)]

    def accepts(self, signature: bytes) -> None:
        for verifier in self.verifiers():
            verifier.verify(signature, self.vector.base)

    def refuses(
        self, *, base: bytes | None = None, signature: bytes | None = None, key: PublicKey | None = None
    ) -> None:
        assert (base, signature, key) != (None, None, None)
        assert base != self.vector.base
        assert signature != self.vector.signature
        for verifier in self.verifiers(key):
            with pytest.raises(InvalidSignature):
                verifier.verify(
                    self.vector.signature if signature is None else signature,
                    self.vector.base if base is None else base,
                )


@pytest.fixture
def check(vector: Vector, providers: list[SignatureProvider]) -> Check:
    check = Check(vector, providers)
    check.accepts(vector.signature)
    return check


def test_there_is_a_vector_for_each_parameter_set(vectors: dict[SignatureAlgorithm, Vector]) -> None:
    assert list(vectors) == ALGORITHMS_OF_THE_VECTORS


def test_the_signature_base_is_rebuilt_byte_for_byte(vector: Vector) -> None:
    entry = parse_signature_input(vector.field)["sig1"]
    base = signature_base(REQUEST, entry)
    assert base == vector.base
    assert len(base) == vector.base_length
    assert hashlib.sha256(base).hexdigest() == vector.base_sha256
    assert entry.components == ("@method", "@target-uri", "host", "date")
    assert (entry.created, entry.alg) == (1783368000, vector.algorithm)


def test_the_signature_input_is_read_and_written_byte_for_byte(vector: Vector) -> None:
    members = parse_signature_input(vector.field)
    assert list(members) == ["sig1"]
    entry = members["sig1"]
    assert entry.keyid == f"test-key-{vector.algorithm.value.replace('ml-dsa-', 'mldsa')}"
    assert (entry.expires, entry.nonce, entry.tag, entry.unknown) == (None, None, None, ())
    assert f"sig1={entry.text}".encode() == vector.field
    composed = SignatureInput.compose("sig1", entry.components, created=entry.created, keyid=entry.keyid, alg=entry.alg)
    assert composed == entry


def test_the_public_key_follows_from_the_seed(vector: Vector) -> None:
    assert PrivateKey.from_seed(vector.algorithm, vector.seed).public_key.raw == vector.public_key


def test_the_signature_is_valid(check: Check) -> None:
    check.accepts(check.vector.signature)


@pytest.mark.oqs
@pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine")
def test_liboqs_is_among_the_providers(providers: list[SignatureProvider]) -> None:
    assert [provider.name for provider in providers] == ["openssl", "oqs"]


def test_what_the_seed_signs_is_valid_and_hedged(check: Check) -> None:
    key = PrivateKey.from_seed(check.vector.algorithm, check.vector.seed)
    first, second = key.sign(check.vector.base), key.sign(check.vector.base)
    assert len({first, second, check.vector.signature}) == 3
    check.accepts(first)
    check.accepts(second)


# "Change any covered component value, remove a covered component line, change an LF to CRLF, or append a terminal LF."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"GET", b"PUT"),
        (b"GET", b"get"),
        (b"https:", b"http:"),
        (b"/foo?", b"/fop?"),
        (b"dog", b"cat"),
        (b'"host": example.com', b'"host": example.org'),
        (b"20:00:00", b"20:00:01"),
        (b"created=1783368000", b"created=1783368001"),
        (b"test-key", b"best-key"),
    ],
)
def test_a_changed_value_of_the_base_is_refused(check: Check, old: bytes, new: bytes) -> None:
    assert old in check.vector.base
    check.refuses(base=check.vector.base.replace(old, new))


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "POST"},
        {"scheme": "http"},
        {"authority": "example.org"},
        {"path": "/foo/"},
        {"query": "param=Value&Pet=cat"},
        {"query": ""},
        {"headers": ((b"host", b"example.org"), REQUEST.headers[1])},
        {"headers": (REQUEST.headers[0], (b"date", b"Mon, 06 Jul 2026 20:00:01 GMT"))},
        {"headers": (*REQUEST.headers, REQUEST.headers[1])},
    ],
    ids=["method", "scheme", "authority", "path", "query", "no-query", "host", "date", "date-twice"],
)
def test_a_changed_request_is_refused(check: Check, changes: dict[str, Any]) -> None:
    entry = parse_signature_input(check.vector.field)["sig1"]
    check.refuses(base=signature_base(replace(REQUEST, **changes), entry))


@pytest.mark.parametrize("line", range(5))
def test_a_removed_line_is_refused(check: Check, line: int) -> None:
    lines = check.vector.base.split(b"\n")
    assert len(lines) == 5
    check.refuses(base=b"\n".join(lines[:line] + lines[line + 1 :]))


@pytest.mark.parametrize("line", range(1, 5))
def test_crlf_for_one_lf_is_refused(check: Check, line: int) -> None:
    lines = check.vector.base.split(b"\n")
    check.refuses(base=b"\n".join(lines[:line]) + b"\r\n" + b"\n".join(lines[line:]))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\0", b" "])
def test_an_appended_line_ending_is_refused(check: Check, ending: bytes) -> None:
    check.refuses(base=check.vector.base + ending)


# "Substitute another `alg` value in the `@signature-params` line."


def test_another_alg_is_refused(check: Check) -> None:
    own = f'alg="{check.vector.algorithm}"'.encode()
    assert check.vector.base.count(own) == 1
    for name in {*SignatureAlgorithm, "ML-DSA-65", ""} - {check.vector.algorithm}:
        check.refuses(base=check.vector.base.replace(own, f'alg="{name}"'.encode()))


# "Use another public key, including another key from the same parameter set."


def test_another_key_of_the_same_set_is_refused(check: Check) -> None:
    algorithm = check.vector.algorithm
    check.refuses(key=PrivateKey.generate(algorithm).public_key)
    changed = bytearray(check.vector.public_key)
    changed[-1] ^= 1
    check.refuses(key=PublicKey.from_raw(algorithm, bytes(changed)))


def test_the_keys_of_the_other_sets_are_refused(check: Check, vectors: dict[SignatureAlgorithm, Vector]) -> None:
    others = [other for other in vectors.values() if other.algorithm is not check.vector.algorithm]
    assert len(others) == 2
    for other in others:
        check.refuses(key=PublicKey.from_raw(other.algorithm, other.public_key))


# "Flip a signature bit, remove a signature octet, or append a signature octet."


def test_a_flipped_bit_is_refused_wherever_it_is(check: Check) -> None:
    signature = check.vector.signature
    places = sorted({*range(0, len(signature), 97), *range(64), *range(len(signature) - 96, len(signature))})
    for place in places:
        flipped = bytearray(signature)
        flipped[place] ^= 1 << place % 8
        check.refuses(signature=bytes(flipped))


@pytest.mark.parametrize(
    "change",
    [
        lambda signature: signature[:-1],
        lambda signature: signature[1:],
        lambda signature: signature[:100] + signature[101:],
        lambda signature: signature + b"\0",
        lambda signature: b"\0" + signature,
        lambda signature: b"",
        lambda signature: signature * 2,
    ],
    ids=["last-removed", "first-removed", "middle-removed", "appended", "prepended", "empty", "doubled"],
)
def test_another_number_of_octets_is_refused(check: Check, change: Callable[[bytes], bytes]) -> None:
    check.refuses(signature=change(check.vector.signature))


# "Use a public key or signature whose length differs from the selected parameter set's required length."


def test_a_key_of_another_length_is_refused(vector: Vector, vectors: dict[SignatureAlgorithm, Vector]) -> None:
    raw = vector.public_key
    foreign = [other.public_key for other in vectors.values() if other is not vector]
    for wrong in (raw[:-1], raw[1:], raw + b"\0", b"", *foreign):
        with pytest.raises(KeyFormatError, match="bytes, not"):
            PublicKey.from_raw(vector.algorithm, wrong)


def test_a_signature_of_another_set_is_refused(check: Check, vectors: dict[SignatureAlgorithm, Vector]) -> None:
    for other in vectors.values():
        if other is not check.vector:
            check.refuses(signature=other.signature)


# "Invoke ML-DSA verification with a non-empty context or with a digest of the signature base instead of [it]."


@pytest.mark.parametrize("context", [b"\0", b"ml-dsa-65", b"x" * 255])
def test_a_signature_under_a_context_is_refused(check: Check, context: bytes) -> None:
    algorithm, base = check.vector.algorithm, check.vector.base
    native = native_private_key(algorithm, check.vector.seed)
    public = native_public_key(algorithm, check.vector.public_key)
    signature = native.sign(base, context)  # type: ignore[call-arg]
    public.verify(signature, base, context)  # type: ignore[call-arg]
    check.refuses(signature=signature)


@pytest.mark.parametrize("name", ["sha256", "sha512", "sha3_512"])
def test_a_digest_instead_of_the_base_is_refused(check: Check, name: str) -> None:
    digest = hashlib.new(name, check.vector.base).digest()
    check.refuses(base=digest)
    check.refuses(signature=PrivateKey.from_seed(check.vector.algorithm, check.vector.seed).sign(digest))
