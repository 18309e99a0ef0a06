"""The rule that no query goes round the organization scope, as a function over source text.

Outside `secure_api.data` nothing queries: no SQLAlchemy, no database driver, no statement run on a session.

Inside, whatever is built with `select`, `update`, `delete` or `text`, read by `get` or `query`, or handed to a driver
as a string, stands in a function that says why it looks across organizations:

    @across_organizations("authentication asks who a keyid belongs to; the caller is its answer")

Everything else begins with `self.select_own(...)` or `self.select_own_columns(...)` in a method of a
`ScopedRepository`.
Inserting rows is free: a row says whose it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

#: What SQLAlchemy builds statements with that read, change or remove rows. An insert is none, unless from a select.
CONSTRUCTORS = {
    "select", "update", "delete", "text", "exists", "union", "union_all", "except_", "intersect", "table",
    "literal_column", "TextClause", "Select", "Update", "Delete", "Query",
}  # fmt: skip
#: Methods that read or change rows by themselves, whatever they are called on.
ALWAYS = {"exec_driver_sql", "executescript", "from_statement"}
#: The same on a session or connection; elsewhere the names are everybody's.
ON_SESSION = {"get", "get_one", "query", "merge", "refresh", "delete", "bulk_update_mappings"}
#: Methods that run a statement. Outside the data layer nobody does; inside, a statement is no string.
RUNNING = {"execute", "executemany", "scalar", "scalars", "scalar_one", "stream", "stream_scalars", "fetch", "fetchrow"}
#: Methods of a table that build a statement.
ON_TABLE = {"select", "update", "delete"}
DRIVERS = {"sqlalchemy", "sqlite3", "aiosqlite", "asyncpg"}
SESSION = re.compile(r"(?i)(session|connection|conn|cursor)$")
#: What a driver may be told anywhere in the data layer: it touches no row.
HARMLESS = re.compile(r"(?i)\s*(PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b")
SCOPED = {"select_own", "select_own_columns"}


@dataclass(frozen=True, order=True)
class Finding:
    """One line that goes round the scope."""

    line: int
    what: str


def findings(source: str, *, in_data: bool) -> list[Finding]:
    """Look for queries that go round the scope, in a module inside or outside the data layer."""
    tree = ast.parse(source)
    module = _Module(tree)
    visitor = _Inside(module) if in_data else _Outside(module)
    visitor.visit(tree)
    return sorted(visitor.found)


class _Module:
    """What the names of a module stand for."""

    def __init__(self, tree: ast.Module) -> None:
        self.constructors: dict[str, str] = {}  # local name -> SQLAlchemy's
        self.packages: set[str] = set()  # local names of SQLAlchemy's modules
        self.constants: dict[str, str] = {}  # names of string constants
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and _root(node.module) == "sqlalchemy":
                for alias in node.names:
                    if alias.name in CONSTRUCTORS:
                        self.constructors[alias.asname or alias.name] = alias.name
                    else:
                        self.packages.add(alias.asname or alias.name)
            elif isinstance(node, ast.Import):
                self.packages |= {
                    alias.asname or _root(alias.name) for alias in node.names if _root(alias.name) == "sqlalchemy"
                }
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                text = _text(node.value)
                if text is not None:
                    self.constants |= {target.id: text for target in targets if isinstance(target, ast.Name)}

    def query(self, call: ast.Call) -> str | None:
        """Give the name of the query that a call makes; None when it makes none."""
        function = call.func
        if isinstance(function, ast.Name):
            return self.constructors.get(function.id)
        if not isinstance(function, ast.Attribute):
            return None
        name, receiver = function.attr, function.value
        if name in CONSTRUCTORS and _leftmost(receiver) in self.packages:
            return name
        if name in ALWAYS:
            return name
        if name in ON_SESSION and SESSION.search(_last(receiver)):
            return f"session.{name}"
        if name in ON_TABLE and "__table__" in ast.unparse(receiver):
            return f"__table__.{name}"
        if name in RUNNING and call.args:
            text = _text(call.args[0])
            if text is None and isinstance(call.args[0], ast.Name):
                text = self.constants.get(call.args[0].id)
            if text is not None and not HARMLESS.match(text):
                return f"{name} of a string"
        return None


class _Outside(ast.NodeVisitor):
    """Nothing queries here."""

    def __init__(self, module: _Module) -> None:
        self.module = module
        self.found: set[Finding] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if _root(alias.name) in DRIVERS:
                self.found.add(Finding(node.lineno, f"import of {_root(alias.name)}"))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if _root(node.module) in DRIVERS and node.level == 0:
            self.found.add(Finding(node.lineno, f"import of {_root(node.module)}"))

    def visit_Call(self, node: ast.Call) -> None:
        query = self.module.query(node)
        function = node.func
        if query is None and isinstance(function, ast.Attribute) and function.attr in RUNNING:
            query = function.attr if SESSION.search(_last(function.value)) else None
        if query is not None:
            self.found.add(Finding(node.lineno, query))
        self.generic_visit(node)


class _Inside(ast.NodeVisitor):
    """Queries begin with `select_own`, or say why they do not."""

    def __init__(self, module: _Module) -> None:
        self.module = module
        self.found: set[Finding] = set()
        self.explained = False  # inside a function that says why
        self.classes: list[ast.ClassDef] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.classes.append(node)
        self.generic_visit(node)
        self.classes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before = self.explained
        self.explained = before or self._says_why(node) or self._is_the_scope(node)
        self.generic_visit(node)
        self.explained = before

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Call(self, node: ast.Call) -> None:
        query = self.module.query(node)
        if query is not None and not self.explained:
            self.found.add(Finding(node.lineno, query))
        if isinstance(node.func, ast.Attribute) and node.func.attr in SCOPED and not self._is_scoped(node.func):
            self.found.add(Finding(node.lineno, f"{node.func.attr} outside a ScopedRepository"))
        self.generic_visit(node)

    def _says_why(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and _last(decorator.func) == "across_organizations":
                reason = _text(decorator.args[0]) if decorator.args else None
                if reason is not None and reason.strip():
                    return True
                self.found.add(Finding(decorator.lineno, "across_organizations without a reason"))
        return False

    def _is_the_scope(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """The two methods that every other one builds on, where they are defined."""
        return node.name in SCOPED and bool(self.classes) and self.classes[-1].name == "ScopedRepository"

    def _is_scoped(self, function: ast.Attribute) -> bool:
        own = isinstance(function.value, ast.Name) and function.value.id == "self"
        return own and any(_last(base) == "ScopedRepository" for kind in self.classes for base in kind.bases)


def _root(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _leftmost(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr | None) -> str | None:
    """Give the text of a string; of an f-string, what is known of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_pieces(node))
    return None


def _pieces(node: ast.JoinedStr) -> Iterator[str]:
    for value in node.values:
        yield (_text(value) or "") if isinstance(value, ast.Constant) else "?"
