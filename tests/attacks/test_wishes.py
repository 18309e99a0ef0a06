"""`Accept-Signature` as nobody honest writes it: the wish is met, passed over or refused, and never a server error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crypto import MacKey, PublicKey, Response, parse_signature_input, verify_response
from crypto.response_signatures import RESPONSE_COMPONENTS
from tests.attacks.forgery import Forgery
from tests.attacks.handshake import offer, open_session
from tests.attacks.scene import Scene
from tests.attacks.seal import open_within, seal_within
from tests.attacks.wire import Reply
from tests.consortium import Message, server_key

STATUS = '("@status")'

#: Wishes that cannot be met, by what the answer is like: these get one that is not signed.
PASSED_OVER = {
    "another tag": f'sig1={STATUS};tag="other"',
    "another key": f'sig1={STATUS};keyid="x";tag="secure-api"',
    "another algorithm": f'sig1={STATUS};alg="rsa-pss-sha512";tag="secure-api"',
    "no algorithm": f'sig1={STATUS};alg="none";tag="secure-api"',
    "an unknown component": 'sig1=("@status" "x-unknown");tag="secure-api"',
    "an unknown derived component": 'sig1=("@secret");tag="secure-api"',
    "a trailer": 'sig1=("content-type";tr);tag="secure-api"',
    "bytes of a component": 'sig1=("content-type";bs);tag="secure-api"',
    "a component of the request that is none of ours": 'sig1=("authorization";req);tag="secure-api"',
    "the signature of a label that is not there": 'sig1=("signature-input";req;key="sig7");tag="secure-api"',
    "a nonce that we do not give": f'sig1={STATUS};nonce="x";tag="secure-api"',
    "an expiry that we do not give": f'sig1={STATUS};expires;tag="secure-api"',
    "a parameter that nobody knows": f'sig1={STATUS};x=1;tag="secure-api"',
    "the algorithm as a token": f'sig1={STATUS};alg=ml-dsa-65;tag="secure-api"',
    "the key as bytes": f'sig1={STATUS};keyid=:AAAA:;tag="secure-api"',
    "one component forty times": "sig1=(" + " ".join(['"@status"'] * 40) + ")",
    "sixteen wishes of others": ", ".join(f'p{number}={STATUS};tag="other"' for number in range(16)),
}

#: Fields that are no wishes: the request is believed, and refused for its form.
MALFORMED = {
    "nothing": "",
    "a token": "please",
    "no parentheses": 'sig1="@status"',
    "components that are tokens": "sig1=(@status)",
    "an open list": 'sig1=("@status"',
    "a comma too many": f"sig1={STATUS},",
    "a label twice": f"sig1={STATUS}, sig1={STATUS}",
    "a label in capitals": f"SIG1={STATUS}",
    "a label of nothing": f"={STATUS}",
    "two spaces": 'sig1=("@status"  "content-type")',
    "seventeen labels": ", ".join(f"p{number}={STATUS}" for number in range(17)),
    "sixty-five components": "sig1=(" + " ".join(['"x"'] * 65) + ")",
    "thirty-three parameters": f"sig1={STATUS}" + "".join(f";p{number}" for number in range(33)),
    "a parameter twice": f'sig1={STATUS};tag="secure-api";tag="secure-api"',
    "a number too large": f"sig1={STATUS};created=1234567890123456",
    "a fraction": f"sig1={STATUS};created=1.5",
    "a date": f"sig1={STATUS};created=@1",
    "base64 that is not canonical": f"sig1={STATUS};keyid=:AB==:",
    "letters beyond ASCII": f'sig1={STATUS};keyid="\xe9"',
    "five thousand bytes": f'sig1={STATUS};keyid="{"x" * 5_000}"',
    "five thousand bytes of commas": "," * 5_000,
    "five thousand parentheses": "(" * 4_000,
}

#: Wishes that are met, however odd they look.
MET = {
    "nothing in particular": "sig1=()",
    "the status": f"sig1={STATUS}",
    "an odd label": f"*={STATUS}",
    "a long label": f"{'a' * 3_000}={STATUS}",
    "everything": f'x=({" ".join(RESPONSE_COMPONENTS)});created;tag="secure-api"',
    "one that is ours among others": f'a={STATUS};tag="other", b={STATUS};keyid="x", c={STATUS}',
}


def within(scene: Scene) -> tuple[Forgery, PublicKey | MacKey, str]:
    """A request within a session."""
    held = open_session(scene)
    return held.forge(), held.keys.server_mac, held.id


#: A request, and the key that signs the answer to it, with its name.
Sender = Callable[[Scene], tuple[Forgery, PublicKey | MacKey, str]]
SENDERS: dict[str, Sender] = {
    "signed by a key": lambda scene: (scene.forge(), server_key().public_key, server_key().keyid),
    "within a session": within,
}


@pytest.fixture(params=SENDERS)
def sender(request: pytest.FixtureRequest) -> Sender:
    """The two ways to sign."""
    return SENDERS[request.param]


def wishing(forgery: Forgery, wish: str) -> Message:
    """The request with a wish beside it, which no signature covers."""
    return forgery.message().with_header("accept-signature", wish)


@pytest.mark.parametrize("name", PASSED_OVER)
def test_a_wish_that_cannot_be_met_is_passed_over(scene: Scene, sender: Sender, name: str) -> None:
    forgery, _, _ = sender(scene)
    reply = scene.accept(wishing(forgery, PASSED_OVER[name]))
    assert not {"signature", "signature-input"} & {key.lower() for key, _ in reply.headers}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_wish_that_is_none_is_refused(scene: Scene, sender: Sender, name: str) -> None:
    forgery, _, _ = sender(scene)
    scene.refuse(wishing(forgery, MALFORMED[name]), 422, "validation-failed", nonces=1)


@pytest.mark.parametrize("name", MET)
def test_a_wish_that_looks_odd_is_met(scene: Scene, sender: Sender, name: str) -> None:
    forgery, key, keyid = sender(scene)
    reply = scene.accept(wishing(forgery, MET[name]))
    label = reply.header("signature-input").partition("=")[0]
    assert f"{label}=" in MET[name]
    verify(reply, forgery, key, keyid, label)


def verify(reply: Reply, forgery: Forgery, key: PublicKey | MacKey, keyid: str, label: str) -> None:
    """Verify the signature of an answer."""
    message = forgery.message()
    inputs = tuple(parse_signature_input(message.header("signature-input").encode()).values())
    response = Response(
        reply.status, tuple((name.lower().encode(), value.encode()) for name, value in reply.headers), reply.body
    )
    verify_response(response, forgery.request(), inputs, key, keyid=keyid, label=label)


@pytest.mark.parametrize("name", [*PASSED_OVER, *MET])
def test_the_answer_to_a_handshake_is_signed_whatever_was_wished(scene: Scene, name: str) -> None:
    handshake = offer(scene)
    wish = (PASSED_OVER | MET)[name]
    reply = scene.accept(handshake.message().with_header("accept-signature", wish))
    label = reply.header("signature-input").partition("=")[0]
    assert label == "sig1" or name in MET
    verify(reply, handshake.requests[0], server_key().public_key, server_key().keyid, label)


@pytest.mark.parametrize("name", ["a token", "five thousand bytes", "a long label", "everything"])
def test_a_wish_of_nobody_is_not_even_read(scene: Scene, name: str) -> None:
    """Who is not believed gets the one refusal, and no signature: the server signs nothing for strangers."""
    message = wishing(scene.forge(), (MALFORMED | MET)[name])
    scene.disbelieve(message.with_header("signature", scene.forge().message().header("signature")), "invalid-signature")
    held = open_session(scene)
    forged = held.forge()
    unbelieved = forged.message(bytes(32)).with_header("accept-signature", (MALFORMED | MET)[name])
    scene.disbelieve(unbelieved, "invalid-signature")


def test_a_wish_on_several_lines(scene: Scene) -> None:
    forgery = scene.forge()
    message = forgery.message()
    wishes = tuple(("accept-signature", f"p{number}={STATUS}") for number in range(3))
    reply = scene.accept(Message(message.method, message.target, (*message.headers, *wishes), message.body))
    verify(reply, forgery, server_key().public_key, server_key().keyid, "p0")


def test_a_wish_that_is_too_large_for_any_field(scene: Scene) -> None:
    message = wishing(scene.forge(), f'sig1={STATUS};keyid="{"x" * 40_000}"')
    scene.refuse(message, 431, "header-fields-too-large")


def test_what_is_wrong_with_the_wish_of_a_sealed_request_is_told_under_the_seal(scene: Scene) -> None:
    held = open_session(scene)
    forgery = seal_within(held.forge(), held)
    problem = open_within(scene.send(wishing(forgery, MALFORMED["a token"])), forgery, held)
    assert (problem["status"], "Accept-Signature" in problem["detail"]) == (422, True)
