"""The restrictions that hold, as one worker knows them: looked up before every request, a dictionary's cost."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from secure_api.domain.alerts import GRAVITY, Action, Finding, Restriction, Subject
from secure_api.domain.errors import AuthenticationFailed, FreshSignatureRequired, Throttled

#: Requests a second that a throttled client has, and how many it may have saved up.
RATE: Final = 1.0
BURST: Final = 5.0
#: Clients, and networks, that are restricted at a time.
MAX_HELD: Final = 10_000


def restriction_of(finding: Finding, organization_id: str = "") -> Restriction:
    """Give the restriction that follows from a finding."""
    return Restriction(finding.subject, finding.key, organization_id, finding.action, finding.until, finding.id)


class _Held:
    """A restriction in force, and the throttle's bucket."""

    __slots__ = ("at", "restriction", "tokens")

    def __init__(self, restriction: Restriction, now: float) -> None:
        self.restriction = restriction
        self.tokens = BURST
        self.at = now


class Restrictions:
    """What holds for clients (by id) and networks (by pseudonym).

    Written by the scoring thread and by the task that reads the database, read by the event loop: every change is one
    assignment or one item.

    Args:
        enforce: whether anything ever holds.
        monotonic: gives the seconds that a throttle counts.
    """

    def __init__(self, *, enforce: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.enforce = enforce
        self._monotonic = monotonic
        self._clients: dict[str, _Held] = {}
        self._networks: dict[str, _Held] = {}

    @property
    def any_network(self) -> bool:
        """Whether any network is restricted."""
        return bool(self._networks)

    def __len__(self) -> int:
        return len(self._clients) + len(self._networks)

    def put(self, restriction: Restriction, now: float) -> None:
        """Put a restriction into force at once; a graver one that holds stays."""
        if restriction.action is Action.OBSERVE or not self.enforce:
            return
        table = self._table(restriction.subject)
        held = table.get(restriction.key)
        if held is not None and held.restriction.until > now:
            if GRAVITY[held.restriction.action] > GRAVITY[restriction.action]:
                return
            if held.restriction.action is restriction.action:
                held.restriction = restriction
                return
        table[restriction.key] = _Held(restriction, self._monotonic())
        while len(table) > MAX_HELD:  # until the next reading of the database
            table.pop(next(iter(table)), None)

    def replace(self, restrictions: Iterable[Restriction]) -> None:
        """Let exactly these hold; throttled clients keep what is left of their allowance."""
        tables: dict[Subject, dict[str, _Held]] = {Subject.CLIENT: {}, Subject.NETWORK: {}}
        for restriction in restrictions:
            if restriction.subject not in tables or restriction.action is Action.OBSERVE:
                continue
            held = self._table(restriction.subject).get(restriction.key)
            if held is None or held.restriction.action is not restriction.action:
                held = _Held(restriction, self._monotonic())
            held.restriction = restriction
            tables[restriction.subject][restriction.key] = held
        self._clients, self._networks = tables[Subject.CLIENT], tables[Subject.NETWORK]

    def blocks(self, network: str) -> bool:
        """Tell whether a network counts as blocked here."""
        held = self._networks.get(network)
        return held is not None and held.restriction.action is Action.BLOCK

    def check_network(self, network: str, now: float, *, shared: bool) -> None:
        """Check the network of a request that is not authenticated yet.

        Raises:
            AuthenticationFailed: it is blocked, and no client signed from there of late.
        """
        held = self._networks.get(network)
        if held is None or held.restriction.until <= now:
            return
        if held.restriction.action is Action.BLOCK and not shared:
            raise AuthenticationFailed("blocked")

    def check_client(self, client: str, now: float, *, network: str | None, in_session: bool) -> None:
        """Check the client of an authenticated request.

        Raises:
            AuthenticationFailed: it is blocked: the peer is told no more than when its key is not believed.
            Throttled: it has used up its requests of the moment.
            FreshSignatureRequired: a session's HMAC is not enough for now; its keys must sign.
        """
        held = self._clients.get(client)
        if held is not None and held.restriction.until > now:
            if held.restriction.action is Action.BLOCK:
                raise AuthenticationFailed("blocked")
            if held.restriction.action is Action.THROTTLE:
                self._take(held)
            if in_session:
                raise FreshSignatureRequired
        if in_session and network is not None:
            held = self._networks.get(network)
            if held is not None and held.restriction.until > now:
                raise FreshSignatureRequired

    def _take(self, held: _Held) -> None:
        now = self._monotonic()
        tokens = min(BURST, held.tokens + (now - held.at) * RATE)
        held.at = now
        if tokens < 1.0:
            held.tokens = tokens
            raise Throttled
        held.tokens = tokens - 1.0

    def _table(self, subject: Subject) -> dict[str, _Held]:
        return self._clients if subject is Subject.CLIENT else self._networks
