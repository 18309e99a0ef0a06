"""Sealed bodies that were sealed for another message: each part that they are bound to, and bodies that moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.attacks.forgery import Forgery
from tests.attacks.handshake import open_session
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.attacks.seal import fresh_reply_key, open_reply, open_within, published, seal_to, seal_within
from tests.attacks.stage import Member

REJECTED = (400, "sealed-body-rejected")

#: What a sealed body is bound to, and what a liar could say instead.
PARTS = {
    "version": "secure-api sealed request v2",
    "method": "PUT",
    "authority": "api.example.org",
    "path": "/v1/organizations",
    "query": "?limit=1",
    "content_type": "application/json",
    "keyid": "A" * 43,
    "nonce": "another-nonce",
}


def within(scene: Scene, **told: Any) -> Forgery:
    """A request of the victim's sealed under its session's keys."""
    held = open_session(scene)
    return seal_within(held.forge(), held, **told)


def to_server(scene: Scene, member: Member | None = None, **told: str) -> Forgery:
    """A request of a member (the victim) sealed to the server's key."""
    return seal_to(scene.forge(member), published(scene), fresh_reply_key(), **told)


SEALS: dict[str, Callable[..., Forgery]] = {"within a session": within, "to the server": to_server}


@pytest.fixture(params=SEALS)
def sealed(request: pytest.FixtureRequest) -> Callable[..., Forgery]:
    """The two ways to seal."""
    return SEALS[request.param]


def test_what_they_begin_with_is_accepted_and_answered_sealed(scene: Scene) -> None:
    held = open_session(scene)
    plain = held.forge()
    request = seal_within(plain, held)
    assert plain.body not in request.body
    answer = open_within(scene.accept(request.message()), request, held)
    assert answer["name"].encode() in plain.body

    reply_key, plain = fresh_reply_key(), scene.forge()
    request = seal_to(plain, published(scene), reply_key)
    answer = open_reply(scene.accept(request.message()), request, reply_key)
    assert answer["name"].encode() in plain.body


@pytest.mark.parametrize("part", PARTS)
def test_another_message_than_the_one_it_is_bound_to(scene: Scene, sealed: Callable[..., Forgery], part: str) -> None:
    """Signed by who sealed it: the client itself is wrong, or somebody else who can sign moved the body."""
    scene.refuse(sealed(scene, **{part: PARTS[part]}).message(), *REJECTED, nonces=1)


@pytest.mark.parametrize("part", [part for part in PARTS if part != "version"])
def test_a_part_left_out(scene: Scene, sealed: Callable[..., Forgery], part: str) -> None:
    scene.refuse(sealed(scene, **{part: ""}).message(), *REJECTED, nonces=1)


def test_parts_that_ran_into_each_other(scene: Scene, sealed: Callable[..., Forgery]) -> None:
    """A line break moved from one part to the next would be the same bytes: no part can hold one."""
    scene.refuse(sealed(scene, path="/v1/datasets\n?", query="").message(), *REJECTED, nonces=1)


#: A sealed request, signed anew by who holds the key, with the body of a genuine one.
MOVES: dict[str, Callable[[Forgery], Forgery]] = {
    "another path": lambda request: request.but(target="/v1/organizations"),
    "the path in other letters": lambda request: request.but(target="/v1/%64atasets"),
    "a query": lambda request: request.but(target=request.target + "?dry=no"),
    "an empty query": lambda request: request.but(target=request.target + "?&"),
    "another method": lambda request: request.but(method="PUT"),
    "another authority": lambda request: request.but(authority="localhost:" + request.authority.partition(":")[2]),
    "another nonce": lambda request: request.giving(nonce='"another-nonce-of-mine"'),
    "another type inside": lambda request: request.but(
        content_type=(request.content_type or "").replace("application/json", "text/plain")
    ),
}


@pytest.mark.parametrize("name", MOVES)
def test_moved_and_signed_anew(scene: Scene, sealed: Callable[..., Forgery], name: str) -> None:
    request = MOVES[name](sealed(scene))
    scene.refuse(request.message(), *REJECTED, nonces=1)


def test_moved_to_another_client(scene: Scene) -> None:
    """Whoever records a sealed body cannot have it done, or answered, in their own name."""
    genuine = to_server(scene)
    for thief in (scene.analyst, scene.rival):
        stolen = scene.forge(thief, body=genuine.body, content_type=genuine.content_type)
        scene.refuse(stolen.message(), *REJECTED, nonces=1)
        with_nonce = stolen.giving(nonce=genuine.parameters["nonce"])
        scene.refuse(with_nonce.message(), *REJECTED, nonces=1)
    scene.accept(genuine.message())


@pytest.mark.parametrize("thief", ["victim", "analyst", "rival"])
def test_moved_to_another_session(scene: Scene, thief: str) -> None:
    held = open_session(scene)
    genuine = seal_within(held.forge(), held)
    for renamed in (False, True):
        other = open_session(scene, getattr(scene, thief))
        content_type = (genuine.content_type or "").replace(held.id, other.id if renamed else held.id)
        stolen = other.forge(body=genuine.body, content_type=content_type)
        scene.refuse(stolen.message(), *REJECTED, nonces=1)
        scene.refuse(stolen.giving(nonce=genuine.parameters["nonce"]).message(), *REJECTED, nonces=1)
    scene.accept(genuine.message())


def test_two_bodies_swapped_by_who_has_the_mac_key_alone(scene: Scene) -> None:
    held = open_session(scene)
    first, second = seal_within(held.forge(), held), seal_within(held.forge(target=RECORDS, body=RECORD), held)
    scene.refuse(first.but(body=second.body).message(), *REJECTED, nonces=1)
    scene.refuse(second.but(body=first.body).message(), *REJECTED, nonces=1)


def test_two_bodies_for_one_path_in_another_order(scene: Scene) -> None:
    held = open_session(scene)
    first, second = (seal_within(held.forge(), held) for _ in range(2))
    scene.refuse(first.but(body=second.body).message(), *REJECTED, nonces=1)
    scene.refuse(second.but(body=first.body).message(), *REJECTED, nonces=1)


def test_two_bodies_swapped_on_the_way(scene: Scene, sealed: Callable[..., Forgery]) -> None:
    first, second = sealed(scene).message(), sealed(scene).message()
    scene.disbelieve(replace(first, body=second.body), "digest-mismatch")
    swapped = replace(first, body=second.body).with_header("content-digest", second.header("content-digest"))
    scene.disbelieve(swapped, "invalid-signature")
    for message in (first, second):
        scene.accept(message)
