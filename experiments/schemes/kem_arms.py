"""The arms of a key encapsulation mechanism: making a key, encapsulating, decapsulating."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import Final

from crypto import CiphertextError, Encapsulation
from experiments.errors import CheckFailed
from experiments.experiment import Arm
from experiments.schemes.kem_scheme import Decapsulate, KemScheme
from experiments.subject import Operation, Setting

CIPHERTEXTS: Final = 16  # decapsulated in turn
MAKING: Final = 0.1  # seconds that making them may take; one is made however long it takes


def kem_arms(scheme: KemScheme) -> Iterator[Arm]:
    """Give the arms of a mechanism, named `ALGORITHM OPERATION PROVIDER`."""
    for operation, prepare in (("keygen", keygen), ("encaps", encaps), ("decaps", decaps)):
        yield Arm(
            f"{scheme.algorithm} {operation} {scheme.provider}",
            partial(prepare, scheme),
            {"kind": "kem", "operation": operation, "algorithm": scheme.algorithm, "provider": scheme.provider},
        )


def keygen(scheme: KemScheme, setting: Setting) -> Operation:
    """Prepare making a key pair: its secret key must open what is sent to its public key. Raises Unavailable."""
    library = scheme.load()

    def check(result: object) -> None:
        public_key, secret = result if isinstance(result, tuple) else (b"", None)
        if len(public_key) != scheme.public_key_bytes:
            raise CheckFailed(f"a public key has {len(public_key)} bytes, not {scheme.public_key_bytes}")
        check_encapsulation(scheme, secret, library.encapsulator(public_key)())
        if library.generate()[0] == public_key:
            raise CheckFailed("two key pairs are the same")

    return Operation(library.generate, check, _sizes(scheme))


def encaps(scheme: KemScheme, setting: Setting) -> Operation:
    """Prepare encapsulating to one public key, a fresh secret each time. Raises Unavailable."""
    library = scheme.load()
    public_key, secret = library.generate()
    encapsulate = library.encapsulator(public_key)

    def check(result: object) -> None:
        if not isinstance(result, Encapsulation):
            raise CheckFailed("nothing was encapsulated")
        check_encapsulation(scheme, secret, result)
        if encapsulate().shared_secret == result.shared_secret:
            raise CheckFailed("two encapsulations have one secret")

    return Operation(encapsulate, check, _sizes(scheme))


def decaps(scheme: KemScheme, setting: Setting) -> Operation:
    """Prepare decapsulating one ciphertext after the other; another library makes them, if there is one.

    Raises Unavailable.
    """
    library = scheme.load()
    public_key, secret = library.generate()
    decapsulate = library.decapsulator(secret)
    encapsulate = scheme.libraries()[-1].encapsulator(public_key)
    end = time.perf_counter() + MAKING
    made = [encapsulate()]
    while len(made) < CIPHERTEXTS and time.perf_counter() < end:
        made.append(encapsulate())
    following = cycle(made)

    def call() -> tuple[bytes, Encapsulation]:
        encapsulation = next(following)
        return decapsulate(encapsulation.ciphertext), encapsulation

    def check(result: object) -> None:
        found, encapsulation = result if isinstance(result, tuple) else (b"", made[0])
        if found != encapsulation.shared_secret:
            raise CheckFailed("the secret is not the one that was encapsulated")
        for other in made:
            check_encapsulation(scheme, secret, other, decapsulate)

    return Operation(call, check, _sizes(scheme))


def check_encapsulation(scheme: KemScheme, secret: object, made: Encapsulation, *more: Decapsulate) -> None:
    """Hold an encapsulation against its sizes, every library that has the mechanism, and `more`. Raises CheckFailed.

    Each must find the secret, and must not find it in a changed ciphertext.
    """
    sizes = len(made.ciphertext), len(made.shared_secret)
    if sizes != (scheme.ciphertext_bytes, scheme.shared_secret_bytes):
        raise CheckFailed(f"ciphertext and secret have {sizes[0]} and {sizes[1]} bytes")
    changed = bytes([made.ciphertext[0] ^ 1]) + made.ciphertext[1:]
    for decapsulate in (*(library.decapsulator(secret) for library in scheme.libraries()), *more):
        if decapsulate(made.ciphertext) != made.shared_secret:
            raise CheckFailed(f"what {scheme.provider} encapsulated by {scheme.algorithm} is another secret elsewhere")
        try:
            found = decapsulate(changed)
        except CiphertextError:
            continue
        if found == made.shared_secret:
            raise CheckFailed("a changed ciphertext gives the same secret")


def _sizes(scheme: KemScheme) -> dict[str, float]:
    return {"public_key_bytes": scheme.public_key_bytes, "ciphertext_bytes": scheme.ciphertext_bytes}
