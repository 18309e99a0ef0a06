"""What an attack begins with is accepted: so the refusals say something about the attack."""

from __future__ import annotations

import asyncio

import pytest

from secure_api.data.database import Database
from secure_api.services.ledger_verification import LedgerReport, verify
from tests.attacks.forgery import digest_of, joined
from tests.attacks.scene import RECORD, RECORDS, Scene
from tests.consortium import server_key


def test_our_own_signer_is_believed(scene: Scene) -> None:
    scene.accept(scene.forge().message())
    scene.accept(scene.forge(scene.classical).message())
    first, second = scene.forge_hybrid()
    scene.accept(joined(first.message(), second.message()))


def test_an_accepted_request_changes_the_snapshot(scene: Scene) -> None:
    before = scene.state()
    scene.accept(scene.sign(scene.victim, "POST", RECORDS, RECORD))
    after = scene.state()
    changed = {name for name in after.tables if after.tables[name] != before.tables[name]}
    assert changed == {"records", "ledger_entries"}
    assert after.ledger_tip[0] == before.ledger_tip[0] + 1
    assert after.nonces.rows == before.nonces.rows + 1


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_a_digest_of_either_algorithm_will_do(scene: Scene, algorithm: str) -> None:
    forgery = scene.forge()
    scene.accept(forgery.but(digest=digest_of(forgery.body, algorithm)).message())


def test_somebody_elses_signature_beside_ours_is_ignored(scene: Scene) -> None:
    ours = scene.forge()
    theirs = scene.forge(scene.rival, body=ours.body, label="proxy").giving(tag='"some-proxy"')
    scene.accept(joined(ours.message(), theirs.message()))


def test_the_order_of_the_components_is_free(scene: Scene) -> None:
    forgery = scene.forge()
    scene.accept(forgery.but(components=tuple(reversed(forgery.components))).message())


def test_the_ledger_is_in_order_whatever_was_tried(scene: Scene) -> None:
    entries = scene.state().tables["ledger_entries"].rows
    report = asyncio.run(verified(scene.server.url))
    assert report.entries == entries
    assert report.records == scene.state().tables["records"].rows


async def verified(url: str) -> LedgerReport:
    """Verify the ledger with the server's public key."""
    database, key = Database(url), server_key().public_key
    try:
        return await verify(database, {key.keyid: key})
    finally:
        await database.close()
