"""Where the tests find their fixtures, and what keeps them out of the environment of whoever runs them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

pytest_plugins = [
    "tests.services.fixtures.postgresql",
    "tests.services.fixtures.process",
    "tests.services.fixtures.redis",
    "tests.services.fixtures.secure_api_server",
]

_SERVICE_FIXTURES = {"own_redis", "postgresql_server", "redis_server"}
_FOREIGN_SETTINGS = ("SECURE_API_", "PG", "XDG_")
_OURS = {"SECURE_API_VECTORS"}


@pytest.fixture(autouse=True, scope="session")
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a home of their own: no profile, password file or setting of the user reaches them."""
    # A shell that runs the tests in the background has them ignore Ctrl-C, and every program that they start; nohup has
    # them ignore the end of a terminal.
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(_FOREIGN_SETTINGS) and name not in _OURS:
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for a server of somebody else's: `-m 'not services'` leaves them out."""
    for item in items:
        if _SERVICE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.services)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print a failure when it happens: a run that is cut off before its end still says what was wrong."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(
            f"\n{report.nodeid} failed in {report.when}, after {report.duration:.0f} s\n{report.longreprtext}\n"
        )
