"""The ledger's entries: every state change, in one chain of hashes.

**The bytes that are hashed.** An entry's `hash` is the lower-case hexadecimal SHA-256 of the RFC 8785
canonical JSON of one object with exactly these members: `version` (the integer 1), `sequence`,
`previous_hash`, `time` (RFC 3339 in UTC as `domain.instant` writes it), `kind`, `organization_id` and
`actor` (a string or null), `payload` (an object). The first entry has sequence 1 and the `previous_hash`
`GENESIS_HASH`. Whoever holds the entries as `GET /v1/ledger` gives them can recompute the chain with any
RFC 8785 library.

**What it proves.** The chain alone shows that entries were altered by someone who did not recompute it;
whoever writes the database can recompute it all. A signed head (`LedgerHead`) pins the chain's tip, as the
signed tree head of a transparency log does (RFC 9162 §4.10): behind a head that somebody else holds,
nothing can be rewritten, cut off or forked unnoticed.

**How frozen is frozen.** Fields cannot be assigned or deleted, and the payload is frozen at every depth.
That protects from mistakes; code in the same process can always reach into `__dict__`. Hence nothing trusts
an entry for being an instance: `LedgerVerifier` computes every hash anew.
"""

from secure_api.domain.ledger_entry import ENTRY_VERSION, GENESIS_HASH, EntryContent, LedgerEntry, next_entry
from secure_api.domain.ledger_head import HEAD_CONTEXT, LedgerHead, head_statement
from secure_api.domain.ledger_verifier import LedgerVerifier

__all__ = [
    "ENTRY_VERSION",
    "GENESIS_HASH",
    "HEAD_CONTEXT",
    "EntryContent",
    "LedgerEntry",
    "LedgerHead",
    "LedgerVerifier",
    "head_statement",
    "next_entry",
]
