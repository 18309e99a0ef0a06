"""One doorway for all arms of a process: it is opened for the first of them, and closed with the last."""

from dataclasses import dataclass
from pathlib import Path

from experiments.errors import DefinitionError
from experiments.gate.doorway import Doorway, Provider


@dataclass(slots=True)
class _Open:
    door: Doorway
    provider: Provider
    users: int


_open: list[_Open] = []


def enter(folder: Path, provider: Provider) -> Doorway:
    """Give the doorway of this process, made in `folder` if there is none.

    Raises Unavailable (no such provider here), DefinitionError (it is open with another provider).
    """
    if not _open:
        _open.append(_Open(Doorway(folder, provider), provider, 0))
    if _open[0].provider != provider:
        raise DefinitionError(f"arms of {provider} and {_open[0].provider} need processes of their own")
    _open[0].users += 1
    return _open[0].door


def leave(door: Doorway) -> None:
    """Give a doorway back that `enter` gave."""
    held = _open[0]
    held.users -= 1
    if held.users == 0:
        _open.clear()
        door.close()
