"""What an unfinished run has measured so far: `journal.jsonl` in its folder, one finished step a line.

Every line reaches the disk before the run goes on, so nothing but a power cut in the middle of a round costs more than
that round. A last line that was cut off is ignored.
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, Self

from pydantic import ValidationError

from experiments.errors import NotTheSameRun, ResultUnreadable
from experiments.journal_entry import ENTRY, Begun, Entry, Finished, Head, RoundDone, Void
from experiments.result import ExperimentResult

NAME: Final = "journal.jsonl"


class Journal:
    """An open journal: what it holds already, and the file that new lines go to."""

    def __init__(self, path: Path, entries: Sequence[Entry], stream: IO[bytes]) -> None:
        self.path, self._stream = path, stream
        self.finished: dict[str, ExperimentResult] = {}
        self.begun: dict[str, Begun] = {}
        self.rounds: dict[str, list[RoundDone]] = {}
        for entry in entries:
            self._take(entry)

    @classmethod
    def begin(cls, folder: Path, head: Head) -> Self:
        """Begin the journal of a new run. Raises NotTheSameRun when the folder holds another one's."""
        if interrupted(folder):
            raise NotTheSameRun(
                f"{folder} holds an interrupted run: resume it, remove its {NAME}, or choose another folder"
            )
        stream = (folder / NAME).open("ab")
        _hold(stream, folder)
        stream.truncate(0)
        journal = cls(folder / NAME, (), stream)
        journal.add(head)
        return journal

    @classmethod
    def resume(cls, folder: Path, head: Head) -> tuple[Self, Head]:
        """Go on with a run; gives its own head. Raises NotTheSameRun, ResultUnreadable."""
        first = head_of(folder)
        first.refuse(head)
        stream = (folder / NAME).open("r+b")
        _hold(stream, folder)
        entries, length = _read(folder)
        stream.truncate(length)
        stream.seek(length)
        return cls(folder / NAME, entries, stream), first

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; it stays where it is."""
        self._stream.close()

    def add(self, entry: Entry) -> None:
        """Append a line, and wait until it is on the disk."""
        self._stream.write(entry.model_dump_json().encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._take(entry)

    def remove(self) -> None:
        """Remove the file: the run is finished, and its result says it all."""
        self._stream.close()
        self.path.unlink()

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, Begun):
            self.begun[entry.experiment], self.rounds[entry.experiment] = entry, []
        elif isinstance(entry, RoundDone):
            self.rounds[entry.experiment].append(entry)
        elif isinstance(entry, Void):
            del self.begun[entry.experiment], self.rounds[entry.experiment]
        elif isinstance(entry, Finished):
            self.finished[entry.result.name] = entry.result


def _hold(stream: IO[bytes], folder: Path) -> None:
    """Keep every other run out of this journal until the file is closed. Raises NotTheSameRun."""
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        raise NotTheSameRun(f"the run in {folder} is still going on") from None


def interrupted(folder: Path) -> bool:
    """Tell whether a folder holds a run that one can go on with."""
    path = folder / NAME
    return path.is_file() and b"\n" in path.read_bytes()


def head_of(folder: Path) -> Head:
    """Read what an interrupted run was to measure. Raises NotTheSameRun, ResultUnreadable."""
    entries, _ = _read(folder)
    if not entries or not isinstance(entries[0], Head):
        raise ResultUnreadable(f"{folder / NAME} does not begin as a journal does")
    return entries[0]


def _read(folder: Path) -> tuple[list[Entry], int]:
    """Give the entries of a journal, and the bytes that they take."""
    path = folder / NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotTheSameRun(f"{folder} holds no interrupted run") from error
    length = content.rfind(b"\n") + 1
    entries: list[Entry] = []
    for number, line in enumerate(content[:length].split(b"\n")[:-1], 1):
        try:
            entries.append(ENTRY.validate_json(line))
        except ValidationError as error:
            raise ResultUnreadable(f"{path}: line {number} is no line of a journal") from error
    return entries, length
