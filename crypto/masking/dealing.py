"""Dealing: a client splits its secrets among all participants, and opens what they dealt to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crypto.errors import MaskingRefused
from crypto.masking.boxes import Box, Sharing
from crypto.masking.circle import Circle, Held
from crypto.masking.client_state import ClientState
from crypto.masking.messages import Advertisement
from crypto.masking.seeds import commitment, pair_key, pair_root, pair_seed
from crypto.sealing import SealingPrivateKey
from crypto.sharing import split
from crypto.signing import SigningKey

Randomness = Callable[[int], bytes]


def advertisement(state: ClientState) -> Advertisement:
    """Return the keys and the commitment of a client, not signed yet."""
    return Advertisement(
        state.index,
        SealingPrivateKey(state.shares_seed).public_key,
        pair_key(state.terms, state.root).public_key,
        commitment(state.terms, state.index, state.self_seed),
        signature=b"",
    )


def deal(
    state: ClientState, circle: Circle, everybody: Sequence[Advertisement], key: SigningKey, randomness: Randomness
) -> tuple[Sharing, Held]:
    """Return the boxes for all others, and what the client keeps of itself. Raises SharingError."""
    terms, index = state.terms, state.index
    indices = tuple(entry.index for entry in everybody)
    roots = split(state.root, terms.threshold, indices, randomness)
    masks = split(state.self_seed, terms.threshold, indices, randomness)
    chosen = pair_root(terms, state.root)
    boxes: list[Box] = []
    own: list[Held] = []
    for entry, root, mask in zip(everybody, roots, masks, strict=True):
        if entry.index == index:
            own.append(Held(index, root, mask, b""))
            continue
        seed = pair_seed(terms, chosen, index, entry.index) if index < entry.index else b""
        boxes.append(circle.pack(Held(index, root, mask, seed), entry, key))
    return Sharing(index, tuple(boxes)), own[0]


def open_all(state: ClientState, circle: Circle, boxes: Sequence[Box]) -> tuple[Held, ...]:
    """Return what the client holds of every member, itself included, by index. Raises MaskingRefused."""
    terms, index = state.terms, state.index
    shares_key, own_pair_key = SealingPrivateKey(state.shares_seed), pair_key(terms, state.root)
    chosen = pair_root(terms, state.root)
    held = list(state.held)
    for box in boxes:
        if box.sender not in state.participants:
            raise MaskingRefused(f"client {box.sender} does not take part")
        circle.verify(box)
        root, mask = circle.open_shares(box, shares_key)
        if box.sender < index:
            seed = circle.open_pair(box, own_pair_key)
        else:
            seed = pair_seed(terms, chosen, index, box.sender)
        held.append(Held(box.sender, root, mask, seed))
    return tuple(sorted(held, key=lambda entry: entry.subject))
