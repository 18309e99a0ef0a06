from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import crypto
from crypto import errors, http_signatures

PACKAGE = Path(crypto.__path__[0])


def test_every_public_name_is_there_once() -> None:
    for module in (crypto, http_signatures):
        assert [name for name in module.__all__ if not hasattr(module, name)] == []
        assert len(set(module.__all__)) == len(module.__all__)


def test_every_name_that_the_package_imports_is_public() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported == set(crypto.__all__)


def test_every_error_is_public() -> None:
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert defined <= set(crypto.__all__)


def test_everything_of_http_signatures_is_public() -> None:
    assert set(http_signatures.__all__) <= set(crypto.__all__)
    for name in http_signatures.__all__:
        assert getattr(crypto, name) is getattr(http_signatures, name)


@pytest.mark.parametrize("name", sorted(set(crypto.__all__)))
def test_every_public_class_and_function_says_what_it_does(name: str) -> None:
    value = getattr(crypto, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_the_package_loads_no_framework_and_no_module_of_ours_above_it() -> None:
    program = "import sys, crypto; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-W", "error", "-c", program]
    loaded = subprocess.run(command, cwd=PACKAGE.parent, check=True, capture_output=True, text=True).stdout.split()
    packages = {name.split(".")[0] for name in loaded}
    assert "cryptography" in packages
    assert packages & {"fastapi", "starlette", "pydantic", "httpx", "sqlalchemy", "secure_api", "typer", "oqs"} == set()
