"""Reading the ledger, as far as a caller may see it."""

from dataclasses import dataclass

from secure_api.data.ledger import EntryFields, HeadFields, LedgerRepository, newest_head
from secure_api.domain.roles import Permission
from secure_api.services.work import View


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of entries, the sequence after which the next page begins, and the newest signed head."""

    entries: list[EntryFields]
    next: int | None
    head: HeadFields | None


async def page_ledger(view: View, after: int, limit: int) -> LedgerPage:
    """Read up to `limit` entries whose sequence is greater than `after`.

    Raises:
        Forbidden: the caller's role does not read the ledger.
    """
    view.caller.require(Permission.READ_LEDGER)
    rows = await LedgerRepository(view.session, view.caller).page(after, limit + 1)
    entries = rows[:limit]
    more = len(rows) > limit
    return LedgerPage(entries, entries[-1].sequence if more else None, await newest_head(view.session))
