import pickle

import pytest

from secure_api.domain import errors
from secure_api.domain.discrepancy import Discrepancy
from secure_api.domain.errors import AuthenticationFailed, DomainError, Invalid, JsonRejected, LedgerTampered


def every_class(root: type[DomainError] = DomainError) -> list[type[DomainError]]:
    return [root] + [below for child in root.__subclasses__() for below in every_class(child)]


def in_errors_module() -> list[type[DomainError]]:
    return [kind for kind in every_class() if kind.__module__ == errors.__name__]


def test_every_class_has_a_slug_of_its_own() -> None:
    slugs = [kind.__dict__["slug"] for kind in in_errors_module()]
    assert len(slugs) == len(set(slugs)) == 21
    assert all(slug == slug.lower() and " " not in slug for slug in slugs)


def test_the_docstring_draws_every_class() -> None:
    assert errors.__doc__ is not None
    drawn = set(errors.__doc__.replace("─", " ").split())
    assert {kind.__name__ for kind in in_errors_module()} <= drawn


def test_str_is_the_detail() -> None:
    assert str(errors.NotFound()) == errors.NotFound().detail == "There is no such resource."
    assert str(errors.Conflict("The name is taken.")) == "The name is taken."


@pytest.mark.parametrize("reason", ["expired", "unknown-key"])
def test_authentication_failures_look_alike_to_the_peer(reason: str) -> None:
    error = AuthenticationFailed(reason)
    assert error.reason == reason
    assert str(error) == error.detail == "The request could not be authenticated."
    assert reason not in repr(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.NotReady(),
        Invalid("No.", pointer="/a"),
        JsonRejected("empty", "", 1, 1, "Nothing."),
        AuthenticationFailed("expired"),
        LedgerTampered(7, "removed"),
        errors.StateTampered((Discrepancy("keys", "k", 7, "The key is another one."),)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_process_borders(error: DomainError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_tampering_names_the_entry() -> None:
    assert str(LedgerTampered(7, "removed")) == "Ledger entry 7 was removed."
    assert str(LedgerTampered(7, "removed", "Gone.")) == "Gone."
