"""The arms of a signature scheme: making a key, signing, verifying."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from typing import Final

from crypto import InvalidSignature
from experiments.errors import CheckFailed
from experiments.experiment import Arm
from experiments.refusing import Inputs, RefusingOperation
from experiments.schemes.signature_scheme import SignatureScheme, Verify
from experiments.subject import Operation, Setting

MESSAGE_BYTES: Final = 300  # about what a request's signature base has
MESSAGES: Final = 64  # signed in turn: how often ML-DSA has to try depends on the message
SIGNATURES: Final = 16  # verified in turn
SIGNING: Final = 0.1  # seconds that making them may take; one is made however long it takes


def signature_arms(scheme: SignatureScheme) -> Iterator[Arm]:
    """Give the arms of a scheme, named `ALGORITHM OPERATION PROVIDER`."""
    for operation, prepare in (("keygen", keygen), ("sign", sign), ("verify", verify)):
        if operation == "keygen" and not scheme.steady_keygen:
            continue
        yield Arm(
            f"{scheme.algorithm} {operation} {scheme.provider}",
            partial(prepare, scheme),
            {
                "kind": "signature",
                "operation": operation,
                "algorithm": scheme.algorithm,
                "provider": scheme.provider,
            },
        )


def keygen(scheme: SignatureScheme, setting: Setting) -> Operation:
    """Prepare making a key pair: its public key must verify what its secret key signs. Raises Unavailable."""
    library, message = scheme.load(), setting.random.randbytes(MESSAGE_BYTES)

    def check(result: object) -> None:
        public_key, secret = result if isinstance(result, tuple) else (b"", None)
        if len(public_key) != scheme.public_key_bytes:
            raise CheckFailed(f"a public key has {len(public_key)} bytes, not {scheme.public_key_bytes}")
        check_signature(scheme, public_key, library.signer(secret)(message), message)
        if library.generate()[0] == public_key:
            raise CheckFailed("two key pairs are the same")

    return Operation(library.generate, check, {"public_key_bytes": scheme.public_key_bytes})


def sign(scheme: SignatureScheme, setting: Setting) -> Operation:
    """Prepare signing one message after the other. Raises Unavailable."""
    library = scheme.load()
    public_key, secret = library.generate()
    signer = library.signer(secret)
    messages = [setting.random.randbytes(MESSAGE_BYTES) for _ in range(MESSAGES)]
    following = cycle(messages)

    def call() -> tuple[bytes, bytes]:
        message = next(following)
        return signer(message), message

    def check(result: object) -> None:
        signature, message = result if isinstance(result, tuple) else (b"", b"")
        check_signature(scheme, public_key, signature, message)

    lengths = [len(signature) for signature, _ in _as_many_as_fit(call)]
    return Operation(call, check, _sizes(scheme, lengths))


def verify(scheme: SignatureScheme, setting: Setting) -> Operation:
    """Prepare verifying one signature after the other, each of a message of its own. Raises Unavailable."""
    library = scheme.load()
    public_key, secret = library.generate()
    signer, verifier = library.signer(secret), library.verifier(public_key)

    def signed() -> tuple[bytes, bytes]:
        message = setting.random.randbytes(MESSAGE_BYTES)
        return signer(message), message

    pairs = _as_many_as_fit(signed)
    inputs = Inputs(pairs)
    signature, message = pairs[0]

    def check(_result: object) -> None:
        for pair in pairs:
            check_signature(scheme, public_key, *pair)

    return RefusingOperation(
        lambda: verifier(*next(inputs.following)),
        check,
        _sizes(scheme, [len(signature) for signature, _ in pairs]),
        inputs=inputs,
        refusal=InvalidSignature,
        forged={
            "a changed message": (signature, _changed(message, 0)),
            "a changed signature": (_changed(signature, len(signature) // 2), message),
            "a signature that is cut short": (signature[:-1], message),
        },
    )


def check_signature(scheme: SignatureScheme, public_key: bytes, signature: bytes, message: bytes) -> None:
    """Hold a signature against its size, and against every library that has the algorithm.

    Each must accept it, and refuse it for another message, and a changed signature. Raises CheckFailed.
    """
    if not scheme.has_size(signature):
        raise CheckFailed(f"a signature has {len(signature)} bytes, not {scheme.signature_bytes}")
    for verifier in scheme.verifiers(public_key):
        try:
            verifier(signature, message)
        except InvalidSignature as error:
            raise CheckFailed(f"what {scheme.provider} signed by {scheme.algorithm} is refused") from error
        _must_refuse(verifier, signature, _changed(message, 0), "a changed message")
        _must_refuse(verifier, _changed(signature, len(signature) // 2), message, "a changed signature")


def _changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _must_refuse(verifier: Verify, signature: bytes, message: bytes, what: str) -> None:
    try:
        verifier(signature, message)
    except InvalidSignature:
        return
    raise CheckFailed(f"{what} is accepted")


def _as_many_as_fit(make: Callable[[], tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    end = time.perf_counter() + SIGNING
    made = [make()]
    while len(made) < SIGNATURES and time.perf_counter() < end:
        made.append(make())
    return made


def _sizes(scheme: SignatureScheme, lengths: list[int]) -> dict[str, float]:
    """Sizes in bytes: the mean where signatures vary in length, and in base64 as a header field carries them."""
    mean = sum(lengths) / len(lengths)
    base64 = sum(4 * -(-length // 3) for length in lengths) / len(lengths)
    return {
        "public_key_bytes": scheme.public_key_bytes,
        "signature_bytes": mean,
        "signature_base64_bytes": base64,
    }
