"""Values of a contribution from a file: CSV, NDJSON or .npy, read line by line, refused with the line's number."""

import csv
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from tokenize import TokenError
from typing import IO, Any, Final

from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

MAX_FILE_BYTES: Final = 1 << 30
MAX_LINE: Final = 1 << 16  # characters
_NPY: Final = b"\x93NUMPY"


def read_values(path: Path, column: str | None, dimension: int | None, progress: Any = iter) -> Any:
    """Read `dimension` numbers (None: as many as there are, at least one); returns a numpy array of float64.

    `column` is the name of a CSV column or of a member of NDJSON objects; a file of one column needs none. `progress`
    wraps the lines that are read.

    Raises:
        CliError: the file cannot be read, holds another number of values, or something that is no number.
        LibraryMissing: numpy is not installed.
    """
    from crypto.libraries import library

    numpy = library("contributions", "numpy")
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):
            raise _refused(path, "is no regular file: write the values to one first")
        if found.st_size > MAX_FILE_BYTES:
            raise _refused(path, f"has more than {MAX_FILE_BYTES} bytes")
        with path.open("rb") as stream:
            head = stream.read(len(_NPY))
        if head == _NPY:
            if column is not None:
                raise _refused(path, "is .npy and has no columns: leave --column out")
            values = _npy(path, numpy)
        else:
            with path.open(encoding="utf-8-sig", newline="") as text:
                numbers = _ndjson if path.suffix.lower() in {".ndjson", ".jsonl"} else _csv
                values = numpy.fromiter(numbers(path, progress(text), column, text), dtype=numpy.float64)
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}", ExitCode.USAGE) from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is neither text in UTF-8 nor .npy") from error
    if values.shape != (dimension or max(1, values.size),):
        raise _refused(
            path, f"holds {values.size} values; a contribution to this study has {dimension or 'one at least'}"
        )
    return values


def read_rows(path: Path, columns: str | None, rows: int | None, progress: Any = iter) -> Any:
    """Read `rows` rows (None: as many as there are) of several columns, named with commas between.

    Returns an array of shape rows x columns. Raises CliError, LibraryMissing: as `read_values`.
    """
    from crypto.libraries import library

    if columns is None:
        raise CliError("a contribution to this study has several columns", ExitCode.USAGE, "--column age,stay")
    numpy = library("contributions", "numpy")
    read: list[Any] = []
    for name in columns.split(","):
        read.append(read_values(path, name.strip(), read[0].size if read else rows, progress))
    return numpy.column_stack(read)


def _npy(path: Path, numpy: Any) -> Any:
    try:
        values = numpy.load(path, mmap_mode="r", allow_pickle=False)  # a shape that is not there takes no memory
    except (ValueError, EOFError, OverflowError, MemoryError, RecursionError, SyntaxError, TokenError) as error:
        raise _refused(path, f"cannot be read as .npy: {str(error).partition(chr(10))[0]}") from error
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise _refused(path, f"holds an array of {values.dtype} with {values.ndim} dimensions, not one row of numbers")
    values = values.astype(numpy.float64)
    if not numpy.isfinite(values).all():
        raise _refused(path, "holds what is no number (NaN, or infinity)")
    return values


def _csv(path: Path, lines: Iterable[str], column: str | None, _: IO[str]) -> Iterator[float]:
    rows = csv.reader(_short(path, lines), strict=True)
    try:
        first = next(filter(None, rows), None)
        if first is None:
            raise _refused(path, "is empty")
        place, width = 0, len(first)
        if column is not None:
            if first.count(column) != 1:
                count = "two columns" if column in first else "no column"
                raise _refused(path, f"has {count} {column!r}; it has {', '.join(first)[:200]}")
            place = first.index(column)
        elif width > 1:
            raise CliError(f"{path} has {width} columns", ExitCode.USAGE, f"--column NAME: {', '.join(first)[:200]}")
        elif not _is_name(first[0]):
            yield _number(path, rows.line_num, first[0])
        for row in rows:
            if not row:
                continue
            if len(row) != width:
                raise _refused(path, f"line {rows.line_num} has {len(row)} columns, the first one {width}")
            yield _number(path, rows.line_num, row[place])
    except csv.Error as error:
        raise _refused(path, f"line {rows.line_num}: {error}") from error


def _ndjson(path: Path, lines: Iterable[str], column: str | None, _: IO[str]) -> Iterator[float]:
    for number, line in enumerate(_short(path, lines), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_members)
        except (ValueError, RecursionError) as error:
            raise _refused(path, f"line {number} is not JSON") from error
        if isinstance(value, dict):
            if column is None:
                raise CliError(f"{path}: line {number} is an object", ExitCode.USAGE, "--column NAME says which member")
            if column not in value:
                raise _refused(path, f"line {number} has no member {column!r}")
            value = value[column]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _refused(path, f"line {number}: {json.dumps(value)[:40]} is no number")
        yield _number(path, number, str(value))


def _short(path: Path, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise _refused(path, f"line {number} has more than {MAX_LINE} characters")
        yield line


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members


def _is_name(text: str) -> bool:
    """Tell whether the first line of a file of one column is the column's name."""
    try:
        float(text)
    except ValueError:
        return bool(text.strip())
    return False


def _number(path: Path, line: int, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # Python takes 1_000 and digits of all scripts, too; whoever has such a file may mean something else.
    if not math.isfinite(number) or "_" in text or not text.isascii():
        raise _refused(path, f"line {line}: {text[:40]!r} is no number")
    return number


def _refused(path: Path, why: str) -> CliError:
    return CliError(f"{path} {why}", ExitCode.USAGE)
