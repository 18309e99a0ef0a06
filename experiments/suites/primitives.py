"""What the algorithms themselves cost: keys, signatures, key encapsulations, of every library."""

from collections.abc import Sequence

from experiments.experiment import Arm, Experiment, Finding, Plot
from experiments.published_figures import PRIMITIVES
from experiments.scale import Scale
from experiments.schemes.kem_arms import kem_arms
from experiments.schemes.kems import kem_schemes
from experiments.schemes.signature_arms import signature_arms
from experiments.schemes.signatures import signature_schemes


def arms(scale: Scale) -> Sequence[Arm]:
    """Build three arms a scheme, named `ALGORITHM OPERATION PROVIDER`."""
    signatures = signature_schemes(wide=scale.wide)
    kems = kem_schemes(wide=scale.wide)
    return [
        *(arm for scheme in signatures for arm in signature_arms(scheme)),
        *(arm for scheme in kems for arm in kem_arms(scheme)),
    ]


EXPERIMENT = Experiment(
    name="primitives",
    title="Signatures and key encapsulations",
    question="What do post-quantum signatures and key encapsulations cost, in time and bytes, over what they replace?",
    topic=19,
    held_fixed=(
        "messages: 300 bytes, as long as the signature base of a request; 64 of them signed in turn, as the number of "
        "tries that ML-DSA takes depends on the message and on random numbers (hedged signing)",
        "up to 16 signatures or ciphertexts in turn, each of its own message or secret",
        "keys are parsed and expanded before, as a server has those that it knows; keygen makes both halves",
        "one process and one thread for all arms: the libraries share no state, and so a ratio of two of them holds no "
        "difference of two processes",
        "ML-DSA by liboqs signs with a key of its own making; the product signs from a seed, as only OpenSSL can, and "
        "takes liboqs for verifying",
        "RSA keys are made before: the search for primes takes as long as chance has it",
        "x25519: a fresh key and Diffie-Hellman as encaps, Diffie-Hellman as decaps, no hash behind it",
    ),
    checked=(
        "Every signature is accepted by every library that has the algorithm, and refused when it or its message is "
        "changed; every encapsulated secret is found by every library, and not in a changed ciphertext; fresh keys and "
        "secrets differ; all sizes are those of the standards."
    ),
    arms=arms,
    findings=(
        Finding(
            "verify-to-ed25519",
            lambda r: r["ml-dsa-65 verify openssl"] / r["ed25519 verify openssl"],
            "Within OpenSSL, verifying ML-DSA-65 takes {value} times as long as Ed25519.",
        ),
        Finding(
            "oqs-verify",
            lambda r: r["ml-dsa-65 verify oqs"] / r["ml-dsa-65 verify openssl"],
            "liboqs verifies ML-DSA-65 in {value} of the time of OpenSSL, which has no vector code for it.",
        ),
        Finding(
            "oqs-sign",
            lambda r: r["ml-dsa-65 sign oqs"] / r["ml-dsa-65 sign openssl"],
            "liboqs signs by ML-DSA-65 in {value} of OpenSSL's time.",
        ),
        Finding(
            "oqs-verify-to-ed25519",
            lambda r: r["ml-dsa-65 verify oqs"] / r["ed25519 verify openssl"],
            "Verifying ML-DSA-65 by liboqs takes {value} of the time of Ed25519 by OpenSSL.",
        ),
        Finding(
            "oqs-verify-to-ecdsa",
            lambda r: r["ml-dsa-65 verify oqs"] / r["ecdsa-p256 verify openssl"],
            "Verifying ML-DSA-65 by liboqs takes {value} of the time of ECDSA P-256 by OpenSSL.",
            otherwise="Verifying ML-DSA-65 by liboqs and ECDSA P-256 by OpenSSL: no difference shown ({value}).",
            headline=False,
        ),
        Finding(
            "oqs-verify-to-rsa",
            lambda r: r["ml-dsa-65 verify oqs"] / r["rsa-2048-pss verify openssl"],
            "Verifying ML-DSA-65 by liboqs takes {value} times as long as RSA-2048 by OpenSSL.",
            otherwise="Verifying ML-DSA-65 by liboqs and RSA-2048 by OpenSSL: no difference shown ({value}).",
            headline=False,
        ),
        Finding(
            "sign-to-ed25519",
            lambda r: r["ml-dsa-65 sign openssl"] / r["ed25519 sign openssl"],
            "Within OpenSSL, signing by ML-DSA-65 takes {value} times as long as by Ed25519.",
        ),
        Finding(
            "x-wing-to-x25519",
            lambda r: (
                (r["x-wing encaps openssl"] + r["x-wing decaps openssl"])
                / (r["x25519 encaps openssl"] + r["x25519 decaps openssl"])
            ),
            "Encapsulating and decapsulating by X-Wing (ML-KEM-768 and X25519 together) takes {value} times as long as "
            "X25519 alone.",
        ),
        Finding(
            "signature-size",
            lambda r: r["ml-dsa-65 sign openssl"] / r["ed25519 sign openssl"],
            "A signature by ML-DSA-65 is {value} times as long as one by Ed25519.",
            quantity="signature_bytes",
        ),
    ),
    answer=(
        "Within OpenSSL, verifying ML-DSA-65 takes {verify-to-ed25519} times as long as Ed25519, and X-Wing "
        "{x-wing-to-x25519} times as long as X25519; what everybody pays is bytes: a signature is {signature-size} "
        "times as long. By liboqs, verifying ML-DSA-65 takes {oqs-verify-to-ed25519} of the time of Ed25519 by OpenSSL."
    ),
    published=PRIMITIVES,
    plots=(
        Plot(
            "dots",
            "Signatures: CPU time of an operation",
            x="algorithm",
            color="provider",
            panel="operation",
            where={"kind": ("signature",)},
            log=True,
        ),
        Plot(
            "dots",
            "Key encapsulation: CPU time of an operation",
            x="algorithm",
            color="provider",
            panel="operation",
            where={"kind": ("kem",)},
            log=True,
        ),
        Plot(
            "dots",
            "Size of a signature",
            "signature_bytes",
            x="algorithm",
            where={"operation": ("sign",)},
            log=True,
            unit="B",
        ),
        Plot(
            "dots",
            "Size of a ciphertext",
            "ciphertext_bytes",
            x="algorithm",
            where={"operation": ("encaps",)},
            log=True,
            unit="B",
        ),
    ),
    seconds={"quick": 15, "full": 180},
)
