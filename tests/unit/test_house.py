"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import functools
import re
import statistics
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [name for name in ("crypto", "anomaly", "secure_api", "experiments") if (ROOT / name).is_dir()]
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))

SHEDS = {"base", "common", "core", "helper", "helpers", "misc", "shared", "util", "utils"}
MAX_LINES = 400
MAX_MEDIAN_LINES = 150
# Written in halves, so that this file does not name them.
REGISTRY_HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "registry.yarn" + "pkg.com",
    "crates" + ".io",
    "deb.debian" + ".org",
    "proxy.golang" + ".org",
    "repo.maven" + ".apache.org",
]
MACHINE_PATH = re.compile(r"(?<![\w./~-])/wo" + "rk/")
BRITISH = re.compile(
    r"\b(?:authoris|behaviour|catalogue|centralis|colour|defence|enrol(?:s|ment)?\b|favour|honour|"
    r"initialis|licence|neighbour|normalis|optimis|organisation|recognis|serialis|summaris|synchronis|unauthoris)",
    re.IGNORECASE,
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@functools.cache
def _tracked_texts() -> dict[str, str]:
    """The text of every file that git tracks, by its path; binary files are left out."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    texts = {}
    for name in filter(None, listing.stdout.decode().split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in data:
            texts[name] = data.decode()
    return texts


def _calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def _exception_classes(path: Path) -> list[str]:
    """The classes of a module that are errors by their name, or by the name of what they derive from."""
    return [
        node.name
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef)
        and node.bases
        and any(re.search(r"(Error|Exception)$", name) for name in (node.name, *map(ast.unparse, node.bases)))
    ]


def test_no_file_is_a_shed() -> None:
    named = [_name(path) for path in SOURCES if SHEDS & {part.strip("_") for part in path.with_suffix("").parts}]
    assert named == []


def test_no_file_is_long() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
    assert statistics.median(lengths.values()) < MAX_MEDIAN_LINES


def test_only_the_cli_prints_or_exits() -> None:
    loud = {"print", "exit", "quit", "sys.exit", "os._exit", "SystemExit", "sys.stdout.write", "sys.stderr.write"}
    found = [
        f"{_name(path)}:{line}: {call}"
        for path in SOURCES
        if not _name(path).startswith(("secure_api/cli/", "secure_api/__main__.py"))
        for line, call in _calls(path)
        if call in loud
    ]
    assert found == []


def test_errors_are_defined_in_errors_modules() -> None:
    """A class named ...Error is for others to catch; a private signal has another name and stays in its package."""
    found = {
        _name(path): classes
        for path in SOURCES
        if path.name != "errors.py"
        and (classes := [name for name in _exception_classes(path) if re.search(r"(Error|Exception)$", name)])
    }
    assert found == {}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "errors.py"], ids=_name)
def test_every_error_is_in_the_tree_drawn_above_it(path: Path) -> None:
    drawn = ast.get_docstring(_tree(path)) or ""
    defined = [node.name for node in _tree(path).body if isinstance(node, ast.ClassDef)]
    assert [name for name in defined if not re.search(rf"\b{name}\b", drawn)] == []


def test_what_is_raised_has_a_meaning() -> None:
    """KeyError, RuntimeError and bare Exception say nothing; ValueError is how a Pydantic validator refuses."""
    vague = {"Exception", "BaseException", "RuntimeError", "KeyError", "IndexError", "AssertionError"}
    found = [
        f"{_name(path)}:{node.lineno}: {raised}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Raise) and node.exc is not None
        for raised in [ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)]
        if raised in vague
    ]
    assert found == []


def test_no_pattern_has_a_possessive_group() -> None:
    """Before CPython 3.11.5 `(...)*+` matches too much (gh-106052); `(?>(...)*)` means the same and is right."""
    possessive_group = re.compile(r"\)(?:[*+?]|\{[0-9,]*\})\+")
    found = [
        f"{_name(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if possessive_group.search(line)
    ]
    assert found == []


def test_every_package_is_typed_and_under_the_contracts() -> None:
    assert [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()] == []
    assert [name for name in PACKAGES if name not in PYPROJECT["tool"]["importlinter"]["root_packages"]] == []


def test_every_part_of_the_server_has_a_layer() -> None:
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    placed = {name.strip(" ()") for layer in layers for name in re.split(r"[|:]", layer)}
    parts = {
        f"secure_api.{path.stem}"
        for path in (ROOT / "secure_api").iterdir()
        if (path.suffix == ".py" and not path.stem.startswith("__")) or (path / "__init__.py").is_file()
    }
    assert parts - placed == set(), "give it a layer in [tool.importlinter]"


def test_no_tracked_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in _tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) or any(host in line for host in REGISTRY_HOSTS)
    ]
    assert found == []


def test_the_spelling_is_american() -> None:
    found = [
        f"{name}:{number}: {match[0]}"
        for name, text in _tracked_texts().items()
        if name.endswith((".py", ".md", ".toml")) and name != _name(Path(__file__))
        for number, line in enumerate(text.splitlines(), 1)
        for match in BRITISH.finditer(line)
    ]
    assert found == []


def _requirements(path: Path) -> dict[str, set[str]]:
    """The hashes of a requirement file by `name==version ; marker`; anything else in it fails the test."""
    pinned: dict[str, set[str]] = {}
    lines = [line.split(" #")[0] for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    for requirement in "\n".join(lines).replace("\\\n", " ").splitlines():
        pin, *hashes = re.split(r"\s+--hash=", requirement.strip())
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", pin.strip()), requirement
        assert hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), pin
        pinned[pin.strip()] = set(hashes)
    return pinned


@pytest.mark.parametrize("path", REQUIREMENTS, ids=_name)
def test_requirements_are_hashed_and_name_no_index(path: Path) -> None:
    assert _requirements(path)
    assert not re.search(r"^\s*-{1,2}(?!hash=)\w", path.read_text(), re.MULTILINE)
    assert "://" not in path.read_text()


def test_the_requirement_files_agree() -> None:
    core, test = (_requirements(ROOT / "requirements" / name) for name in ("core.txt", "test.txt"))
    assert {pin: hashes for pin, hashes in core.items() if test.get(pin) != hashes} == {}


def test_every_dependency_is_pinned() -> None:
    project = PYPROJECT["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    group = [entry for entry in PYPROJECT["dependency-groups"]["test"] if isinstance(entry, str)]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}

    def pinned(file: str) -> set[str]:
        return {pin.split("==")[0] for pin in _requirements(ROOT / "requirements" / file)}

    assert names(project["dependencies"]) - pinned("core.txt") == set()
    ours = {project["name"]}  # an extra may name others of our own
    assert names([*project["dependencies"], *extras, *group]) - pinned("test.txt") - ours == set()


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listing = (folder / "README.md").read_text()
    assert [path.name for path in sorted(folder.glob("0*.md")) if f"({path.name})" not in listing] == []
