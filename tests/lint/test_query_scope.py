"""Every query on behalf of a caller goes through the organization scope, and the rule that says so bites."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.lint.query_scope import Finding, findings

ROOT = Path(__file__).parents[2]
DATA = ROOT / "secure_api" / "data"
#: Where tables are described and changed, and transactions begun: nothing there is done for a caller.
FREE = [DATA / "models", DATA / "migrations.py", DATA / "database.py", ROOT / "secure_api" / "migrations"]
#: Drivers in other hands than the data layer's, and why.
EXCUSED = {"secure_api/cli/demo/play.py": "plays the intruder who changes the database's file"}

MODULES = sorted((ROOT / "secure_api").rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_free(path: Path) -> bool:
    return any(path == place or place in path.parents for place in FREE)


def test_the_rule_sees_the_whole_server() -> None:
    assert len(MODULES) > 60
    assert all(place.exists() for place in FREE)
    assert all((ROOT / path).exists() for path in EXCUSED)
    in_data = [path for path in MODULES if DATA in path.parents and not is_free(path)]
    assert {"records.py", "keys.py", "ledger.py", "nonce_table.py"} <= {path.name for path in in_data}


@pytest.mark.parametrize("path", [path for path in MODULES if not is_free(path)], ids=name)
def test_no_query_goes_round_the_scope(path: Path) -> None:
    found = findings(path.read_text(), in_data=DATA in path.parents)
    if name(path) in EXCUSED:
        assert found, "it needs no excuse any more"
    else:
        assert [f"{name(path)}:{finding.line}: {finding.what}" for finding in found] == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import sqlalchemy", "import of sqlalchemy"),
        ("import sqlalchemy.orm as orm", "import of sqlalchemy"),
        ("from sqlalchemy.ext.asyncio import AsyncSession", "import of sqlalchemy"),
        ("import sqlite3", "import of sqlite3"),
        ("from asyncpg import connect", "import of asyncpg"),
        ("def f():\n    import aiosqlite", "import of aiosqlite"),
        ("async def f(session): await session.execute(statement)", "execute"),
        ("async def f(work): return await work.session.scalar(statement)", "scalar"),
        ("async def f(view): return await view.session.stream_scalars(statement)", "stream_scalars"),
        ("async def f(view): return await view.session.get(Row, 1)", "session.get"),
        ("async def f(self): return await self._session.get_one(Row, 1)", "session.get_one"),
        ("async def f(work): await work.session.delete(row)", "session.delete"),
        ("async def f(connection): await connection.exec_driver_sql('SELECT 1')", "exec_driver_sql"),
        ("def f(store): store.execute('DELETE FROM records')", "execute of a string"),
        ("QUERY = 'SELECT 1'\ndef f(store): store.execute(QUERY)", "execute of a string"),
        ("def f(): return Row.__table__.select()", "__table__.select"),
    ],
)
def test_outside_the_data_layer_nothing_queries(source: str, what: str) -> None:
    assert what in [finding.what for finding in findings(source, in_data=False)]


@pytest.mark.parametrize("constructor", ["select", "update", "delete", "text", "exists", "union_all"])
@pytest.mark.parametrize(
    ("importing", "called"),
    [
        ("from sqlalchemy import {}", "{}"),
        ("from sqlalchemy import {} as made", "made"),
        ("from sqlalchemy.sql.expression import {}", "{}"),
        ("import sqlalchemy", "sqlalchemy.{}"),
        ("import sqlalchemy as sa", "sa.{}"),
        ("import sqlalchemy.sql", "sqlalchemy.sql.{}"),
        ("from sqlalchemy import sql", "sql.{}"),
    ],
)
def test_a_statement_that_does_not_say_why_is_found(constructor: str, importing: str, called: str) -> None:
    imported, call = importing.format(constructor), called.format(constructor)
    for body in (
        f"def f(session):\n    return session.execute({call}(Row))",
        f"async def f(session):\n    await session.execute({call}(Row))",
        f"class C(ScopedRepository):\n    def f(self):\n        return self._session.execute({call}(Row))",
        f"class C(ScopedRepository):\n    def f(self):\n        return self.select_own(Row).where({call}(Row))",
        f"class C:\n    @staticmethod\n    def f():\n        return lambda: {call}(Row)",
        f"STATEMENT = {call}(Row)",
        f"class C(ScopedRepository):\n    statement = {call}(Row)",
        f"def f(statement={call}(Row)):\n    return statement",
    ):
        found = findings(f"{imported}\n{body}", in_data=True)
        assert [finding.what for finding in found] == [constructor], body
    explained = f"{imported}\n@across_organizations('for a reason')\ndef f():\n    return {call}(Row)"
    assert findings(explained, in_data=True) == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("def f(session): return session.get(Row, 1)", "session.get"),
        ("def f(self): return self._session.get_one(Row, 1)", "session.get_one"),
        ("def f(session): return session.run_sync(lambda session: session.query(Row))", "session.query"),
        ("def f(session): session.merge(row)", "session.merge"),
        ("def f(connection): connection.exec_driver_sql('SELECT 1')", "exec_driver_sql"),
        ("def f(nonces): nonces.execute('DELETE FROM nonces')", "execute of a string"),
        ("def f(nonces): nonces.execute(f'SELECT {column} FROM records')", "execute of a string"),
        ("def f(nonces): nonces.executescript(script)", "executescript"),
        ("_ALL: Final = 'SELECT 1'\ndef f(nonces): nonces.execute(_ALL)", "execute of a string"),
        ("def f(): return Row.__table__.delete()", "__table__.delete"),
        ("def f(repository): return repository.select_own(Row)", "select_own outside a ScopedRepository"),
        ("class C:\n    def f(self): return self.select_own(Row)", "select_own outside a ScopedRepository"),
        (
            "class C(ScopedRepository):\n    def f(self, other): return other.select_own(Row)",
            "select_own outside a ScopedRepository",
        ),
        ("@across_organizations('')\ndef f(): pass", "across_organizations without a reason"),
        ("@across_organizations(reason)\ndef f(): pass", "across_organizations without a reason"),
    ],
)
def test_other_ways_round_are_found(body: str, what: str) -> None:
    assert what in [finding.what for finding in findings(body, in_data=True)]


def test_an_insert_from_a_select_is_found() -> None:
    source = """
        from sqlalchemy import insert, select

        class C(ScopedRepository):
            async def f(self):
                await self._session.execute(insert(Row).from_select(["a"], select(Other.a)))
    """
    assert findings(dedent(source), in_data=True) == [Finding(6, "select")]


def test_a_reason_covers_its_own_function_alone() -> None:
    source = """
        from sqlalchemy import select

        @across_organizations("one")
        def first():
            def inner():
                return select(Row)
            return inner

        def second():
            return select(Row)

        @across_organizations("three")
        class Third:
            def f(self):
                return select(Row)
    """
    assert findings(dedent(source), in_data=True) == [Finding(11, "select"), Finding(16, "select")]


def test_only_the_scope_itself_may_define_the_scope() -> None:
    source = """
        from sqlalchemy import select

        class ScopedRepository:
            def select_own(self, model):
                return select(model).where(model.organization_id == self._caller.organization_id)

        class Sly(ScopedRepository):
            def select_own(self, model):
                return select(model)

        def select_own(model):
            return select(model)
    """
    assert findings(dedent(source), in_data=True) == [Finding(10, "select"), Finding(13, "select")]


def test_the_way_through_the_scope_is_free() -> None:
    source = """
        from sqlalchemy import insert, select, tuple_

        class RecordRepository(ScopedRepository):
            async def add(self, row):
                self._session.add(row)
                await self._session.execute(insert(Row), [{}])

            async def page(self):
                statement = self.select_own_columns(Row, Row.id).where(tuple_(Row.time, Row.id) > (1, 2))
                return await self._session.execute(self.select_own(Row)), await self._session.scalars(statement)

            def lookup(self, mapping):
                return mapping.get("key"), self.cache.get("key")

        def configure(connection):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={level}")
            connection.execute("BEGIN IMMEDIATE")
    """
    assert findings(dedent(source), in_data=True) == []
    harmless = """
        def f(work, mapping, app):
            log.info("request")
            mapping.get("session"), mapping.update({}), app.delete("/keys")
            select = max
            return select(1, 2), work.session, digest.update(b"text")
    """
    assert findings(dedent(harmless), in_data=False) == []
