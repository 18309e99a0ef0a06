"""Masked sums: pairwise masks that cancel, after Bonawitz et al. (CCS 2017), with X-Wing for Diffie-Hellman.

The server adds contributions that each look random, and learns their sum. docs/masked-sums.md has the protocol to the
byte, what it is worth, and what it is not.
"""

from crypto.masking.boxes import Box, Delivery, Sharing
from crypto.masking.client import MaskingClient
from crypto.masking.client_state import MaskingClientStage
from crypto.masking.masks import add_mask, expand, subtract_mask
from crypto.masking.messages import (
    Advertisement,
    Confirmation,
    Confirmations,
    Contribution,
    Participants,
    Reveal,
    Survivors,
)
from crypto.masking.quantization import Quantization
from crypto.masking.roster import EnrolledKey, MaskingRoster
from crypto.masking.server import MaskingServer
from crypto.masking.server_state import MaskingServerStage
from crypto.masking.terms import MaskingTerms, least_masking_threshold
from crypto.masking.unmasking import MaskedSum

__all__ = [
    "Advertisement",
    "Box",
    "Confirmation",
    "Confirmations",
    "Contribution",
    "Delivery",
    "EnrolledKey",
    "MaskedSum",
    "MaskingClient",
    "MaskingClientStage",
    "MaskingRoster",
    "MaskingServer",
    "MaskingServerStage",
    "MaskingTerms",
    "Participants",
    "Quantization",
    "Reveal",
    "Sharing",
    "Survivors",
    "add_mask",
    "expand",
    "least_masking_threshold",
    "subtract_mask",
]
