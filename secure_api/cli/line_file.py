"""Text files of lines that somebody else wrote: plain or gzip, from a path or stdin, each line bounded."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, Final, cast

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

MAX_LINE: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_STRIDE: Final = 500


class LineFile:
    """Lines of a file that is being read.

    Attributes:
        name: what to call it.
        size: bytes of the file; None for stdin.
    """

    def __init__(self, name: str, raw: BufferedReader, size: int | None) -> None:
        self.name = name
        self.size = size
        self._raw = raw
        self._read = 0
        self._packed = raw.peek(2)[:2] == _GZIP
        self._stream: BinaryIO = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if self._packed else raw

    def lines(self, progress: Callable[[int], None] | None = None) -> Iterator[str]:
        """Yield the lines without their ends; what is no UTF-8 is replaced.

        Of a line longer than 65,536 bytes only as much is given, which whoever parses it refuses.

        Args:
            progress: told now and then how many bytes of the file were read.

        Raises:
            CliError: the compressed data is damaged.
        """
        try:
            for number, line in enumerate(iter(self._line, b"")):
                if progress is not None and number % _STRIDE == 0:
                    progress(self._place())
                yield line.rstrip(b"\r\n").decode("utf-8", "replace")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CliError(f"{self.name}: damaged gzip data: {error}") from error

    def _line(self) -> bytes:
        line = self._stream.readline(MAX_LINE)
        self._read += len(line)
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := self._stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                self._read += len(rest)
        return line

    def _place(self) -> int:
        if self._packed and self.size is not None:
            return self._raw.tell()
        return self._read


@contextmanager
def open_lines(file: str) -> Iterator[LineFile]:
    """Open a file of lines; "-" is stdin. Compressed data is told by its first bytes, not by its name.

    Raises:
        CliError: it cannot be read.
    """
    with ExitStack() as stack:
        if file == "-":
            if sys.stdin is None:
                raise CliError("there is no stdin", ExitCode.USAGE)
            stdin = sys.stdin.buffer
            raw = stdin if isinstance(stdin, BufferedReader) else BufferedReader(cast(RawIOBase, stdin))
            yield LineFile("stdin", raw, None)
            return
        try:
            raw = stack.enter_context(Path(file).open("rb"))
            found = LineFile(file, raw, Path(file).stat().st_size or None)
        except OSError as error:
            raise CliError(f"cannot read {file}: {error.strerror}", ExitCode.USAGE) from error
        yield found
