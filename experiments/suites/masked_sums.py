"""What masked sums cost: masks, a client's steps, the server's adding and unmasking."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from experiments.experiment import Arm, Experiment, Finding, Plot
from experiments.published_figures import MASKED
from experiments.scale import Scale

if TYPE_CHECKING:
    from experiments.subject import Setting, Subject

SIZE: Final = 4_096
SIZES: Final = (SIZE, 100_000, 1_000_000)
ROUNDS: Final = (SIZE, 100_000)
STEPS: Final = ("advertise", "share", "receive", "contribute", "confirm", "reveal")
CLIENTS: Final = 20
DROPPING: Final = (0, 2, 6)


def mask(size: int, setting: Setting) -> Subject:
    """Prepare the product's mask."""
    from experiments.masked.subjects import mask

    return mask(size, setting)


def flower_mask(size: int, setting: Setting) -> Subject:
    """Prepare Flower's mask."""
    from experiments.masked.subjects import flower_mask

    return flower_mask(size, setting)


def collecting(size: int, masked: bool, setting: Setting) -> Subject:
    """Prepare a server's adding."""
    from experiments.masked.subjects import collecting

    return collecting(size, setting, masked=masked)


def stepping(name: str, size: int, setting: Setting) -> Subject:
    """Prepare a client's step."""
    from experiments.masked.subjects import stepping

    return stepping(name, size, setting)


def unmasking(size: int, dropping: int, setting: Setting) -> Subject:
    """Prepare a server's unmasking."""
    from experiments.masked.subjects import unmasking

    return unmasking(size, dropping, setting)


def arms(scale: Scale) -> Sequence[Arm]:
    """Build `mask WAY SIZE`, `collect WAY SIZE`, `client STEP SIZE` and `unmask SIZE dDROPPED`."""
    made = []
    for size in SIZES if scale.wide else (SIZE, SIZES[-1]):
        for way, prepare in (("ours", mask), ("Flower", flower_mask)):
            made.append(Arm(f"mask {way} {size}", partial(prepare, size), {"what": "mask", "way": way, "values": size}))
        for way, masked in (("ours", True), ("plaintext", False)):
            factors = {"what": "collect", "way": way, "values": size}
            made.append(Arm(f"collect {way} {size}", partial(collecting, size, masked), factors))
    for size in ROUNDS if scale.wide else (SIZE,):
        for step in STEPS:
            made.append(
                Arm(
                    f"client {step} {size}",
                    partial(stepping, step, size),
                    {"what": "client", "step": step, "values": size},
                )
            )
        for dropped in DROPPING:
            factors = {"what": "unmask", "dropped": dropped, "values": size}
            made.append(Arm(f"unmask {size} d{dropped}", partial(unmasking, size, dropped), factors))
    return made


def masks(size: int) -> Finding:
    """Set Flower's mask generation against the product's."""
    return Finding(
        f"flower-{size}",
        lambda of: of[f"mask Flower {size}"] / of[f"mask ours {size}"],
        f"A mask of {size:,} values takes Flower {{value}} times as long as the product."
        + (" The goal is 5 at least." if size == SIZE else ""),
        headline=size == SIZE,
    )


def collected(size: int) -> Finding:
    """Set the server's adding of a masked contribution against that of plain words."""
    return Finding(
        f"collect-{size}",
        lambda of: of[f"collect ours {size}"] / of[f"collect plaintext {size}"],
        f"A masked contribution of {size:,} values costs the server {{value}} times a plaintext sum of uint32."
        " The goal is 1.5 at most.",
        headline=size != SIZES[1],
        otherwise=f"A masked contribution of {size:,} values and a plaintext sum of uint32: no difference shown "
        "({value}).",
    )


def amount(name: str, arm: str, says: str, *, headline: bool = False) -> Finding:
    """Tell what an arm takes."""
    return Finding(name, lambda of: of[arm], says, "amount", "us", headline=headline)


EXPERIMENT = Experiment(
    name="masked-sums",
    title="Masked sums",
    question="What do masks cost a client and a server, and what do clients cost that drop out?",
    topic=22,
    held_fixed=(
        "masks: AES-256-CTR of a 256-bit seed against flwr 1.41, whose generator is written anew after its published "
        "source: numpy's RandomState of 32 bits, int64 words below 2^32 - 1; flwr's rounding is not part of it",
        "collect: one contribution as it comes from the network into a sum of 100, of as many bytes in memory; ours "
        "checks header, length, sender and repetition; plaintext: numpy adds the words, and checks nothing",
        f"client: one of {CLIENTS}, from its stored state (reading it is part of the step), ML-DSA-65 by OpenSSL; the "
        "threshold is the least that the product takes for any minority below one third",
        "unmask: shares put together and checked, masks taken away, for 0, 10 % and 30 % of the clients dropped out",
        "one process and one thread; neither HTTP nor the database is part of it",
    ),
    checked=(
        "A seed makes one mask and two seeds two; sums are those of numpy in wider words; unmasked sums are exact in "
        "levels, with and without dropouts."
    ),
    arms=arms,
    findings=(
        *(masks(size) for size in SIZES),
        *(collected(size) for size in SIZES),
        amount("collect", f"collect ours {SIZE}",
               f"A server adds a masked contribution of {SIZE:,} values in {{value}}."),
        *(
            amount(f"client-{step}", f"client {step} {SIZE}", f"A client among {CLIENTS} takes {{value}} to {step}.")
            for step in STEPS
        ),
        *(
            amount(f"unmask-{dropped}", f"unmask {SIZE} d{dropped}",
                   f"With {dropped} of {CLIENTS} clients dropped out, unmasking {SIZE:,} values takes {{value}}.",
                   headline=dropped == DROPPING[-1])
            for dropped in DROPPING
        ),
        Finding("bytes", lambda of: of[f"collect ours {SIZE}"], f"A value of {SIZE:,} takes {{value}}.", "amount", "B",
                "value_bytes", headline=False),
    ),
    answer=f"A mask of {SIZE:,} values takes Flower {{flower-{SIZE}}} times as long. A masked contribution costs the "
    f"server, of what a plaintext sum does: {{collect-{SIZE}}} at {SIZE:,} values, where looking at it takes longer "
    f"than adding; at {SIZES[-1]:,} values: {{collect-{SIZES[-1]}}}. Unmasking without {DROPPING[-1]} of {CLIENTS} "
    f"clients takes {{unmask-{DROPPING[-1]}}}.",
    published=MASKED,
    plots=(
        Plot("lines", "Making a mask", x="values", color="way", log=True, log_x=True, where={"what": ("mask",)}),
        Plot("lines", "Adding a contribution", x="values", color="way", log=True, log_x=True,
             where={"what": ("collect",)}),
        Plot("dots", "A client's steps", x="step", color="values", log=True, where={"what": ("client",)}),
        Plot("dots", "Unmasking, by clients that dropped out", x="dropped", color="values", log=True,
             where={"what": ("unmask",)}),
    ),
    seconds={"quick": 12, "full": 180},
)  # fmt: skip
