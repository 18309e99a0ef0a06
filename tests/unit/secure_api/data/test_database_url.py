"""Which database URLs are taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from secure_api.data.database import Database
from secure_api.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secure-api.db",
        "sqlite:///secure-api.db",
        "postgresql://alice:s3cr3t@db.example.org/consortium",
        "mysql+asyncmy://alice:s3cr3t@db.example.org/consortium",
        "postgresql+asyncpg://alice:s3cr3t@db.example.org:port/consortium",
        "postgresql+asyncpg:/alice:s3cr3t@db.example.org/consortium",
    ],
)
def test_another_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Database(url)
    assert "sqlite+aiosqlite://" in refusal.value.detail
    assert "postgresql+asyncpg://" in refusal.value.detail
    assert "s3cr3t" not in refusal.value.detail
    assert "\n" not in refusal.value.detail


def test_postgresql_without_its_driver_names_the_extra() -> None:
    script = (
        "import sys\n"
        "sys.modules['asyncpg'] = None  # as if it were not installed: the import raises ModuleNotFoundError\n"
        "from secure_api.data.database import Database\n"
        "from secure_api.domain.errors import ConfigurationError\n"
        "try:\n"
        "    Database('postgresql+asyncpg://db.example.org/consortium')\n"
        "except ConfigurationError as error:\n"
        "    print(error.detail)\n"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout == "PostgreSQL needs the extra secure-api[postgres].\n"


def test_the_ssl_parameter_of_another_driver_is_named() -> None:
    with pytest.raises(ConfigurationError, match="must say ssl="):
        Database("postgresql+asyncpg://u:hunter2@db/x?sslmode=require")
