"""All or nothing: what a command makes is taken back when it fails half-way."""

from pathlib import Path

from crypto import write_secret_file


class Undo:
    """Remembers what was made, and takes it back unless the block ends well.

    Only what this command made itself is named to it, so that two commands that meet do not remove each other's files.
    """

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._folders: list[Path] = []
        self._kept: list[tuple[Path, bytes]] = []

    def __enter__(self) -> "Undo":
        """Begin."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """End: take everything back if there was an error."""
        if kind is None:
            return
        for file in self._files:
            file.unlink(missing_ok=True)
        for file, content in self._kept:
            write_secret_file(file, content, force=True)
        for folder in reversed(self._folders):
            try:
                folder.rmdir()
            except OSError:
                continue  # somebody put something in it: it is theirs now

    def made(self, *files: Path) -> None:
        """Remember files that this command makes; they may not be there yet, but nobody else's are."""
        self._files += files

    def folder(self, folder: Path) -> None:
        """Make a folder (mode 0700) and those above it that are missing.

        Raises:
            OSError: it cannot be made.
        """
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            self._folders.append(path)
        folder.mkdir(exist_ok=True)

    def will_change(self, file: Path) -> None:
        """Keep a private file as it is now; one that is not there is removed again.

        Raises:
            OSError: it cannot be read.
        """
        if file.exists():
            self._kept.append((file, file.read_bytes()))
        else:
            self._files.append(file)
