"""What encrypted sums cost: by the product, by libraries as they are shipped, and not encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.scale import Scale

if TYPE_CHECKING:
    from experiments.subject import Setting, Subject

SIZE: Final = 4_096
#: The most CKKS values that fill one ciphertext, as one of its 4,096 slots is the canary's.
ONE: Final = 4_095
SIZES: Final = (256, ONE, SIZE, 16_384)
QUICK_SIZES: Final = (ONE, SIZE)
CONTRIBUTORS: Final = 100
COHORTS: Final = (10, CONTRIBUTORS, 1_000)
PARAMETERS: Final = {"ckks": "ckks-8192", "bfv": "bfv-8192"}
OURS: Final = "ours"
ACCEPTING: Final = "ours, accepting too"
WAYS: Final = (OURS, ACCEPTING, "TenSEAL", "seal-python", "plaintext")
CLIENT_WAYS: Final = (OURS, "TenSEAL", "seal-python")


def adding(way: str, parameters: str, size: int, count: int, setting: Setting) -> Subject:
    """Prepare a server's adding."""
    from experiments.homomorphic.summing import adding

    return adding(way, parameters, size, count, setting)


def encrypting(way: str, parameters: str, size: int, setting: Setting) -> Subject:
    """Prepare a contributor's encrypting."""
    from experiments.homomorphic.summing import encrypting

    return encrypting(way, parameters, size, setting)


def decrypting(way: str, parameters: str, size: int, setting: Setting) -> Subject:
    """Prepare the analyst's decrypting."""
    from experiments.homomorphic.summing import decrypting

    return decrypting(way, parameters, size, setting)


def arms(scale: Scale) -> Sequence[Arm]:
    """Build `OPERATION SCHEME WAY SIZE`, and for adding the number of contributors behind it."""
    made = []
    for scheme, parameters in PARAMETERS.items():
        for size in SIZES if scale.wide else QUICK_SIZES:
            for count in COHORTS if scale.wide and size == SIZE else (CONTRIBUTORS,):
                for way in WAYS if scale.wide or scheme == "ckks" or size == SIZE else ():
                    factors = {"scheme": scheme, "way": way, "values": size, "operation": "add", "contributors": count}
                    prepare = partial(adding, way, parameters, size, count)
                    made.append(Arm(f"add {scheme} {way} {size} n{count}", prepare, factors))
            for operation, client in (("encrypt", encrypting), ("decrypt", decrypting)):
                for way in CLIENT_WAYS if scale.wide or size == SIZE else ():
                    factors = {"scheme": scheme, "way": way, "values": size, "operation": operation}
                    made.append(
                        Arm(f"{operation} {scheme} {way} {size}", partial(client, way, parameters, size), factors)
                    )
    return made


def _add(of: Round, scheme: str, way: str, size: int = SIZE, count: int = CONTRIBUTORS) -> float:
    return of[f"add {scheme} {way} {size} n{count}"]


def cost(name: str, scheme: str, way: str, size: int, says: str, *, headline: bool = False) -> Finding:
    """Tell what a contribution costs the worker that adds."""
    return Finding(name, lambda of: _add(of, scheme, way, size), says, "amount", "us", headline=headline)


def against(scheme: str, way: str, *, headline: bool = False) -> Finding:
    """Set the product's adding of 4,096 values against another way's."""
    return Finding(
        f"{scheme}-{way.lower()}",
        lambda of: _add(of, scheme, OURS) / _add(of, scheme, way),
        f"Adding a {scheme.upper()} contribution of {SIZE:,} values takes {{value}} times what it takes by {way}"
        + (", whose bytes are an eighth of CKKS' and a quarter of BFV's." if way == "plaintext" else "."),
        headline=headline,
    )


EXPERIMENT = Experiment(
    name="homomorphic",
    title="Encrypted sums",
    question="What does it cost to add numbers that the server cannot read, and how wrong are the sums?",
    topic=20,
    held_fixed=(
        "N = 8,192, modulus 60 + 60 bits, CKKS scale 2^48, BFV t = 17179754497, for all libraries alike; public-key "
        "encryption; uniform values in [-100, 100], 32 distinct contributions in turn",
        "one of a ciphertext's slots is the canary's, for all ways alike: 4,096 values of CKKS need two ciphertexts, "
        "4,095 need one; BFV has 8,192 slots and one ciphertext for both",
        "add: one contribution as it comes from the network into the sum, with its share of beginning and finishing a "
        "sum; ours checks every residue against the prime, accepting too: once more, as the request does it",
        "TenSEAL as shipped: context parsed before, ckks_vector_from or bfv_vector_from and +=; seal-python: "
        "load_bytes of uncompressed ciphertexts and add_inplace",
        "decrypt, ours: reads the key's file, counts the decryption in it, parses the secret context, checks the "
        "canary and adds CKKS' noise; TenSEAL and seal-python: decrypt alone, with the context in memory",
        "plaintext: float64 by numpy; one process and one thread; neither HTTP nor signatures are part of it",
    ),
    checked=(
        "Every sum decrypts to what numpy computes of the same values within the bound of its way: for the product the "
        "bound that it tells itself; the worst absolute error is kept as a quantity."
    ),
    arms=arms,
    findings=(
        cost("ckks-one", "ckks", OURS, ONE, f"Adding {ONE:,} CKKS values, a ciphertext of 4,096 slots, takes "
             "{value} of worker CPU; the goal is 45 µs at most.", headline=True),
        cost("ckks-accepting", "ckks", ACCEPTING, ONE,
             f"Accepting {ONE:,} CKKS values and adding them takes {{value}}."),
        cost("ckks-4096", "ckks", OURS, SIZE, f"Adding {SIZE:,} CKKS values, two ciphertexts, takes {{value}}."),
        cost("bfv-4096", "bfv", OURS, SIZE, f"Adding {SIZE:,} BFV values, one ciphertext, takes {{value}}.",
             headline=True),
        cost("ckks-shipped", "ckks", "TenSEAL", ONE, f"TenSEAL as shipped takes {{value}} for {ONE:,} CKKS values."),
        *(against(scheme, way, headline=way == "TenSEAL") for scheme in PARAMETERS for way in WAYS[2:]),
        *(
            Finding(
                f"{scheme}-{operation}",
                partial(lambda name, of: of[name], f"{operation} {scheme} {OURS} {SIZE}"),
                f"To {operation} {SIZE:,} {scheme.upper()} values takes {{value}} by the product.",
                "amount",
                "us",
                headline=False,
            )
            for scheme in PARAMETERS
            for operation in ("encrypt", "decrypt")
        ),
        *(
            Finding(
                f"{scheme}-bytes",
                partial(lambda name, of: of[name], f"add {scheme} {OURS} {SIZE} n{CONTRIBUTORS}"),
                f"A value of {SIZE:,} takes {{value}} in {scheme.upper()} (plaintext: 8).",
                "amount",
                "B",
                "value_bytes",
                headline=False,
            )
            for scheme in PARAMETERS
        ),
        *(
            Finding(
                f"{scheme}-error",
                partial(lambda name, of: of[name], f"add {scheme} {OURS} {SIZE} n{CONTRIBUTORS}"),
                f"The worst absolute error of a sum of {CONTRIBUTORS} {scheme.upper()} contributions of {SIZE:,} "
                "values in [-100, 100] is {value}, noise on purpose included.",
                "amount",
                "",
                "worst_error",
                headline=False,
            )
            for scheme in PARAMETERS
        ),
    ),
    answer="To add one ciphertext of 4,096 slots takes a worker {ckks-one}, and {bfv-4096} for 4,096 exact values of "
    "BFV: {ckks-tenseal} and {bfv-tenseal} times what TenSEAL takes as it is shipped. What encryption costs is bytes.",
    plots=(
        Plot("lines", "A contribution's adding, by its values", x="values", color="way", panel="scheme", log=True,
             log_x=True, where={"operation": ("add",), "contributors": (CONTRIBUTORS,)}),
        Plot("dots", "A contribution's adding, by contributors", x="contributors", color="way", panel="scheme",
             log=True, where={"operation": ("add",), "values": (SIZE,)}),
        Plot("dots", "Encrypting and decrypting", x="operation", color="way", panel="scheme", log=True,
             where={"operation": ("encrypt", "decrypt"), "values": (SIZE,)}),
    ),
    seconds={"quick": 15, "full": 300},
)  # fmt: skip
