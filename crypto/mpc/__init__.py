"""Multi-party computation: statistics of values that are secret-shared among three or five compute parties.

docs/multi-party.md has the protocol to the byte, what it is worth, and what it is not. numpy and MPyC are asked for
when something is computed; MPyC lives in a party's own process only.
"""

from crypto.mpc.abort import AbortReason
from crypto.mpc.boxes import SharedContribution, box_bytes, open_box, seal_contribution
from crypto.mpc.field import FIELDS, Field, field_for
from crypto.mpc.job import Deadlines
from crypto.mpc.local import run_local, run_locally
from crypto.mpc.party import MpcResult, run_party
from crypto.mpc.programs import PROGRAMS, program_of
from crypto.mpc.sharing import combine, share
from crypto.mpc.terms import MpcTerms
from crypto.mpc.transcript import Entry, Session

__all__ = [
    "FIELDS",
    "PROGRAMS",
    "AbortReason",
    "Deadlines",
    "Entry",
    "Field",
    "MpcResult",
    "MpcTerms",
    "Session",
    "SharedContribution",
    "box_bytes",
    "combine",
    "field_for",
    "open_box",
    "program_of",
    "run_local",
    "run_locally",
    "run_party",
    "seal_contribution",
    "share",
]
