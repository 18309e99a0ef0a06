"""Tables of what requests are protected with: algorithms, seals, stores of nonces."""

from collections.abc import Sequence
from typing import Final

from experiments.figures.markdown_table import in_bytes, measured, pivot, table, there, told
from experiments.result import ArmResult, Result

#: Algorithms of a document's tables, by how their names begin: standardized, or chosen to be. The report has all.
STANDARD: Final = ("ml-", "slh-", "falcon-", "hqc-", "ed25519", "ecdsa", "rsa", "x25519", "x-wing")
_KINDS: Final = {"signature": "signature", "kem": "key encapsulation"}
_SIZES: Final = (
    (
        "signature",
        "sign",
        {
            "public_key_bytes": "public key, B",
            "signature_bytes": "signature, B",
            "signature_base64_bytes": "in a header field, B",
        },
    ),
    ("kem", "encaps", {"public_key_bytes": "public key, B", "ciphertext_bytes": "ciphertext, B"}),
)


def primitives(result: Result) -> str:
    """Times of signatures and of key encapsulations, by algorithm and library."""
    experiment, known = measured(result, "primitives")
    parts = []
    for kind, operations in (("signature", ("keygen", "sign", "verify")), ("kem", ("keygen", "encaps", "decaps"))):
        arms = [arm for arm in there(experiment) if arm.factors.get("kind") == kind and _standard(arm)]
        cells: dict[tuple[str, str], dict[str, str]] = {}
        for arm in arms:
            key = str(arm.factors["algorithm"]), str(arm.factors["provider"])
            cells.setdefault(key, {})[str(arm.factors["operation"])] = told(known.of(arm.name, "cpu"))
        rows = [(*key, *(found.get(name, "") for name in operations)) for key, found in cells.items()]
        if rows:
            parts.append(table((f"{_KINDS[kind]}, µs of CPU time [95 %]", "library", *operations), rows))
    return "\n\n".join(parts)


def sizes(result: Result) -> str:
    """Bytes of keys, signatures and ciphertexts."""
    experiment, known = measured(result, "primitives")
    parts = []
    for kind, operation, quantities in _SIZES:
        rows: dict[str, Sequence[str]] = {}
        for arm in there(experiment):
            factors = arm.factors
            if factors.get("kind") == kind and factors.get("operation") == operation and _standard(arm):
                cells = [in_bytes(known.median(arm.name, quantity)) for quantity in quantities]
                rows.setdefault(str(factors["algorithm"]), cells)
        if rows:
            heads = (_KINDS[kind], *quantities.values())
            parts.append(table(heads, [(name, *cells) for name, cells in rows.items()]))
    return "\n\n".join(parts)


def sealing(result: Result) -> str:
    """What it takes to seal and to open, by the size of the body."""
    experiment, known = measured(result, "sealing")
    arms = [arm for arm in there(experiment) if "bytes" in arm.factors]
    return pivot(arms, known, ("method", "operation"), "bytes", "µs of CPU time")


def replay_store(result: Result) -> str:
    """What a spent nonce costs in each store."""
    experiment, known = measured(result, "replay-store")
    rows: dict[str, list[str]] = {}
    for arm in there(experiment):
        if arm.factors.get("of") == "nonce":
            cells = rows.setdefault(str(arm.factors["store"]), ["", "", "", ""])
            if arm.factors["concurrency"] == 1:
                cells[0] = told(known.of(arm.name, "total_cpu"))
                cells[2] = told(known.of(arm.name, "wall"))
                cells[3] = in_bytes(known.median(arm.name, "stored_bytes"))
            else:
                cells[1] = told(known.of(arm.name, "total_cpu"))
    heads = ("store", "CPU, µs [95 %]", "CPU, 16 at once, µs [95 %]", "wait, µs [95 %]", "kept, B")
    return table(heads, [(name, *cells) for name, cells in rows.items()])


def _standard(arm: ArmResult) -> bool:
    return str(arm.factors.get("algorithm", "")).startswith(STANDARD)
