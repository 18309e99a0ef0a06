"""Domain errors over HTTP: each class has its answer, and what is ours alone stays ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from secure_api.api.error_map import MAX_ECHO, TYPE_PREFIX, answer_for, problem_of, problem_of_status
from secure_api.data.errors import DatabaseUnavailable
from secure_api.domain import errors
from secure_api.domain.discrepancy import Discrepancy
from secure_api.domain.errors import DomainError


def classes(kind: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Every class of the tree."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__.startswith("secure_api."):
            yield from classes(child)


def example(kind: type[DomainError]) -> DomainError:
    if kind is errors.JsonRejected:
        return errors.JsonRejected("syntax", "/a/0", 3, 7, "Expected a value.")
    if kind is errors.LedgerTampered:
        return errors.LedgerTampered(3, "changed")
    if kind is errors.StateTampered:
        return errors.StateTampered((Discrepancy("keys", "k", 3, "why"),))
    return kind("why")


EXPECTED = {
    "AuthenticationFailed": 401,
    "FreshSignatureRequired": 403,
    "Forbidden": 403,
    "NotFound": 404,
    "Conflict": 409,
    "JsonRejected": 400,
    "BadCursor": 400,
    "Invalid": 422,
    "PayloadTooLarge": 413,
    "HeadersTooLarge": 431,
    "UnsupportedMediaType": 415,
    "SealedBodyRejected": 400,
    "RequestTimeout": 408,
    "Throttled": 429,
    "NotReady": 503,
    "DatabaseUnavailable": 503,
    "LedgerTampered": 500,
    "StateTampered": 500,
    "ConfigurationError": 500,
    "BehaviorMissing": 500,
    "KeyUnusable": 500,
    "DomainError": 500,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_error_has_its_status_and_type(name: str) -> None:
    kind = next(kind for kind in classes() if kind.__name__ == name)
    problem, headers = problem_of(example(kind))
    status = EXPECTED[name]
    assert problem.status == status
    document = problem.marshal()
    assert document["type"] == TYPE_PREFIX + ("internal" if status == 500 else kind.slug)
    assert ("Retry-After" in headers) is (status in {429, 503})
    assert ("WWW-Authenticate" in headers) is (status == 401)


def test_every_class_of_the_server_is_here() -> None:
    known = {
        kind.__name__ for kind in classes() if not kind.__module__.startswith(("secure_api.cli", "secure_api.client"))
    }
    assert known == set(EXPECTED)


def test_a_class_without_an_answer_has_its_nearest_ancestors() -> None:
    class Peculiar(errors.Conflict):
        """A conflict of some kind."""

        slug = "peculiar"

    assert answer_for(Peculiar()) is answer_for(errors.Conflict())
    problem, _ = problem_of(Peculiar("so"))
    assert (problem.status, problem.marshal()["type"]) == (409, TYPE_PREFIX + "peculiar")


def test_places_are_told() -> None:
    problem, _ = problem_of(errors.JsonRejected("duplicate-key", "/a", 2, 5, "Twice."))
    (finding,) = problem.marshal()["errors"]
    assert finding == {"reason": "duplicate-key", "detail": "Twice.", "pointer": "/a", "line": 2, "column": 5}
    problem, _ = problem_of(errors.Invalid("No.", pointer="/keys/0"))
    assert problem.marshal()["errors"] == [{"pointer": "/keys/0", "detail": "No."}]
    problem, _ = problem_of(errors.Invalid("No."))
    assert "errors" not in problem.marshal()


def test_what_echoes_a_member_is_cut() -> None:
    long = "/" + "x" * 1_000_000
    for error in (errors.JsonRejected("duplicate-key", long, 1, 1, long), errors.Invalid(long, pointer=long)):
        problem, _ = problem_of(error)
        (finding,) = problem.marshal()["errors"]
        for text in (finding["pointer"], finding["detail"], problem.marshal()["detail"]):
            assert text == "/" + "x" * (MAX_ECHO - 1) + "..."
    exactly, _ = problem_of(errors.Invalid("x" * MAX_ECHO))
    assert exactly.marshal()["detail"] == "x" * MAX_ECHO


def test_what_is_ours_alone_is_not_told() -> None:
    for error in (
        errors.LedgerTampered(3, "changed", "s3cr3t"),
        errors.ConfigurationError("s3cr3t"),
        DomainError("s3cr3t"),
    ):
        problem, headers = problem_of(error)
        assert "s3cr3t" not in repr(problem.marshal())
        assert headers == {}
    problem, _ = problem_of(errors.AuthenticationFailed("expired"))
    assert "expired" not in repr(problem.marshal())
    problem, _ = problem_of(DatabaseUnavailable("for a reason that may be told"))
    assert problem.marshal()["detail"] == "for a reason that may be told"


@pytest.mark.parametrize(
    ("status", "slug"), [(404, "not-found"), (405, "method-not-allowed"), (400, "bad-request"), (500, "internal")]
)
def test_a_bare_status_has_a_problem(status: int, slug: str) -> None:
    document = problem_of_status(status).marshal()
    assert document["type"] == TYPE_PREFIX + slug
    assert document["status"] == status
    assert document["detail"]
