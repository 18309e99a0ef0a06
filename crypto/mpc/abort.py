"""Why a session of the compute parties ended without a result."""

from enum import StrEnum


class AbortReason(StrEnum):
    """One reason; the value stands in messages between parties, in results and in the ledger."""

    UNREACHABLE = "unreachable"  # a party was not there before the connect deadline
    WRONG_CERTIFICATE = "wrong-certificate"  # somebody had another certificate than the study pins for that party
    OTHER_SESSION = "other-session"  # whoever answered in a party's place was in another session
    DISAGREEMENT = "disagreement"  # a party is of another mind about study, program, order or inputs
    PARTY_LOST = "party-lost"  # the connection to a party broke
    SILENT = "silent"  # a party kept the others waiting beyond the round deadline
    MALFORMED = "malformed"  # a party sent what no party sends
    RESULT_DIFFERS = "result-differs"  # parties came to different results: shares or messages were false
    TOO_LATE = "too-late"  # the session took longer than its total deadline
    STOPPED = "stopped"  # a party's operator stopped it
    FAILED = "failed"  # a party's own computation failed
