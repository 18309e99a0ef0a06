"""Results on disk: `result.json`, written whole or not at all, and read with suspicion."""

import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import rfc8785
from pydantic import ValidationError

from experiments.anonymous import without_folders
from experiments.errors import ResultUnreadable
from experiments.result import SCHEMA, SCHEMA_VERSION, Result

NAME: Final = "result.json"
MOST_BYTES: Final = 256 << 20
_DIGEST: Final = "digest"


def save(result: Result, folder: Path) -> Path:
    """Write `result.json` into a folder, with the digest of its content; returns its path.

    Warnings, and why arms are unavailable, lose the folders of this machine. Raises OSError when it cannot be written,
    ResultUnreadable when it could not be read again: then nothing was replaced.
    """
    document = result.model_dump(mode="json", by_alias=True)
    _anonymize(document)
    document[_DIGEST] = digest(document)
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / NAME, folder / f".{NAME}.part"
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(_text(document))
            file.flush()
            os.fsync(file.fileno())
        load(part)  # what cannot be read again must not take the place of anything
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def load(path: Path) -> Result:
    """Read a result: a file, or the folder that holds its `result.json`.

    Raises ResultUnreadable: none of ours, of another version of the schema, incomplete, or changed since.
    """
    file = path / NAME if path.is_dir() else path
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ResultUnreadable(f"{file}: no file that a result could be in")
        if status.st_size > MOST_BYTES:
            raise ResultUnreadable(f"{file}: too large to be a result")
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultUnreadable(f"{file}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ResultUnreadable(f"{file}: not JSON, or cut off") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ResultUnreadable(f"{file}: not a result of secure-api experiments")
    if (version := document.get("schema_version")) != SCHEMA_VERSION:
        raise ResultUnreadable(f"{file}: version {version!r:.20} of the schema; this program reads {SCHEMA_VERSION}")
    stored = document.pop(_DIGEST, None)
    try:
        found = digest(document)
    except (ResultUnreadable, RecursionError) as error:
        raise ResultUnreadable(f"{file}: changed since it was written: it holds what no result holds") from error
    if stored != found:
        raise ResultUnreadable(f"{file}: changed since it was written: its digest is of another content")
    try:
        return Result.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(" ".join(str(part).split()) for part in first["loc"])
        raise ResultUnreadable(f"{file}: {where}: {first['msg']}") from error


def digest(document: Mapping[str, Any]) -> str:
    """Give the SHA-256 of a result's canonical JSON (RFC 8785), without its digest. It finds slips, not forgers.

    Raises ResultUnreadable for what has no canonical form: NaN, an integer beyond 2^53, half a surrogate pair.
    """
    try:
        return "sha-256:" + hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()
    except rfc8785.CanonicalizationError as error:
        raise ResultUnreadable(f"the result holds what cannot be written: {error}") from error


def _anonymize(document: dict[str, Any]) -> None:
    for part in (document, *document["experiments"]):
        part["warnings"] = [without_folders(text) for text in part["warnings"]]
    for arm in (arm for experiment in document["experiments"] for arm in experiment["arms"]):
        if arm["unavailable"] is not None:
            arm["unavailable"] = without_folders(arm["unavailable"])


def _text(document: Mapping[str, Any]) -> str:
    """Write JSON that differs line by line: a sample a line, everything else indented."""
    mark = secrets.token_hex(16)  # what no text of a result can hold
    samples: list[str] = []

    def marked(sample: Any) -> str:
        samples.append(json.dumps(sample, separators=(",", ":"), ensure_ascii=False))
        return f"{mark} {len(samples) - 1} {mark}"

    experiments = [
        {**one, "arms": [{**arm, "samples": [marked(sample) for sample in arm["samples"]]} for arm in one["arms"]]}
        for one in document["experiments"]
    ]
    text = json.dumps({**document, "experiments": experiments}, indent=1, ensure_ascii=False)
    return re.sub(rf'"{mark} (\d+) {mark}"', lambda found: samples[int(found[1])], text) + "\n"
