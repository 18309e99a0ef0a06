"""What is posted, what parties say to each other, and what a child answers: one form each, everything else refused."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pickle
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import numpy
import pytest

from crypto.errors import KeyFileError, MpcAborted, MpcError, MpcFormatError, MpcInputError, MpcTermsError
from crypto.mpc import AbortReason, Entry, MpcTerms, Session, SharedContribution, combine, open_box, seal_contribution
from crypto.mpc.boxes import box_bytes, box_digest
from crypto.mpc.certificates import certificate_der, make_certificate, tls_context
from crypto.mpc.codec import VectorCodec
from crypto.mpc.frames import Frame, FrameKind, FrameReader, abort_payload, parse_abort
from crypto.mpc.job import Deadlines, Job, Opened, outcome_bytes, parse_outcome
from crypto.mpc.preamble import Answer, Preamble
from crypto.mpc.transcript import final_transcript, order
from crypto.mpc.vectors import pack
from crypto.sealing import SealingPrivateKey, SealingPublicKey

TERMS = MpcTerms("s", "sum", 2, -8.0, 8.0)
MUTATIONS = int(os.environ.get("MPC_MUTATIONS", "500"))
KEYS = [SealingPrivateKey(bytes([number]) * 32) for number in (1, 2, 3)]
PUBLIC = [SealingPublicKey(key.public_key) for key in KEYS]
POSTED = seal_contribution(TERMS, numpy.array([1.5, -2.0]), "keyid-a", PUBLIC, secrets.token_bytes)


def test_a_contribution_is_a_keyid_and_a_box_a_party() -> None:
    parsed = SharedContribution.from_bytes(POSTED, TERMS)
    assert (parsed.contributor, len(parsed.boxes)) == ("keyid-a", 3)
    assert len(POSTED) == 8 + 3 * box_bytes(TERMS)
    shares = {
        index: pack(TERMS.field, open_box(TERMS, box, "keyid-a", index, KEYS[index]))
        for index, box in enumerate(parsed.boxes)
    }
    assert combine(shares, TERMS.field, TERMS.threshold) == [98304, -131072]


def test_a_box_opens_for_its_party_contributor_and_terms_only() -> None:
    box = SharedContribution.from_bytes(POSTED, TERMS).boxes[0]
    for terms, contributor, party, key in (
        (TERMS, "keyid-b", 0, KEYS[0]),
        (TERMS, "keyid-a", 1, KEYS[0]),
        (TERMS, "keyid-a", 0, KEYS[1]),
        (replace(TERMS, study="t"), "keyid-a", 0, KEYS[0]),
    ):
        with pytest.raises(MpcFormatError, match="does not open"):
            open_box(terms, box, contributor, party, key)


@pytest.mark.parametrize("content", [b"", b"\x07keyid-a", POSTED[:-1], POSTED + b"\0", b"\x07\xff" + POSTED[2:],
                                     b"\x07 " + POSTED[2:]])  # fmt: skip
def test_what_is_no_contribution_is_refused_before_anything_is_opened(content: bytes) -> None:
    with pytest.raises(MpcFormatError):
        SharedContribution.from_bytes(content, TERMS)


def open_all(content: bytes) -> None:
    parsed = SharedContribution.from_bytes(content, TERMS)
    for index, box in enumerate(parsed.boxes):
        open_box(TERMS, box, parsed.contributor, index, KEYS[index])


def test_a_contribution_that_was_changed_anywhere_is_refused_here_or_by_its_party() -> None:
    random = Random(20261123)
    for _ in range(MUTATIONS):
        content = bytearray(POSTED)
        for _ in range(random.randint(1, 3)):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        if random.random() < 0.1:
            del content[random.randrange(len(content)) :]
        if content == POSTED:
            continue
        with pytest.raises(MpcFormatError):
            open_all(bytes(content))


def test_nothing_is_sealed_to_too_few_parties() -> None:
    with pytest.raises(MpcInputError, match="keys of 2"):
        seal_contribution(TERMS, numpy.array([1.0, 1.0]), "keyid-a", PUBLIC[:2], secrets.token_bytes)


def session(**changes: object) -> Session:
    pins = tuple(hashlib.sha256(bytes([number])).digest() for number in range(3))
    boxes = tuple(map(box_digest, SharedContribution.from_bytes(POSTED, TERMS).boxes))
    whole = Session(TERMS, 0, pins, order([Entry("b", boxes), Entry("a", boxes)]), "mpyc 0.11")
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_a_transcript_is_of_everything_and_an_id_of_all_but_the_inputs() -> None:
    whole = session()
    assert [entry.contributor for entry in whole.entries] == ["a", "b"]
    swapped = session(entries=whole.entries[::-1])
    other_box = Entry("a", (bytes(32), *whole.entries[0].boxes[1:]))
    others = [
        session(attempt=1),
        session(certificates=whole.certificates[::-1]),
        swapped,
        session(entries=(other_box, whole.entries[1])),
        session(entries=whole.entries[:1]),
        session(library="mpyc 0.12"),
    ]
    assert len({item.transcript for item in (whole, *others)}) == 7
    assert [item.id == whole.id for item in others] == [False, False, True, True, True, True]
    assert final_transcript(whole.transcript, b"1") != final_transcript(whole.transcript, b"2")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"certificates": (bytes(32),) * 3}, MpcTermsError),
        ({"certificates": (bytes(31), bytes(32), b"1" * 32)}, MpcFormatError),
        ({"entries": ()}, MpcTermsError),
        ({"entries": (Entry("a", (bytes(32),) * 3), Entry("a", (bytes(32),) * 3))}, MpcTermsError),
        ({"entries": (Entry("a", (bytes(32),) * 2),)}, MpcFormatError),
        ({"attempt": -1}, MpcTermsError),
    ],
)
def test_what_is_no_session_is_refused(changes: dict[str, object], error: type[MpcError]) -> None:
    with pytest.raises(error):
        session(**changes)


def test_a_job_and_its_outcomes_cross_a_pipe() -> None:
    job = Job(session(), 1, (("a", 1), ("b", 2), ("c", 3)), ("0.0.0.0", 4), None, "k", "c", Deadlines(), bytes(32))
    assert Job.from_bytes(job.to_bytes()) == job
    opened = Opened(b"12345678", bytes(32), 0.5, 7)
    assert parse_outcome(outcome_bytes(opened)) == opened
    with pytest.raises(MpcAborted) as caught:
        parse_outcome(outcome_bytes(MpcAborted(AbortReason.SILENT, 2, 1, "x" * 300)))
    assert (caught.value.reason, caught.value.party, caught.value.told_by) == ("silent", 2, 1)
    assert str(caught.value).startswith("the session was aborted: silent, party 2, as party 1 tells (xxx")
    with pytest.raises(MpcError, match="no sense"):
        parse_outcome(outcome_bytes(MpcError("no sense")))
    for cut in (b"", outcome_bytes(opened)[:-1]):
        with pytest.raises(MpcFormatError):
            parse_outcome(cut)


def test_frames_come_whole_however_they_are_cut() -> None:
    frames = [
        Frame(FrameKind.HELLO, 0, b"h" * 32),
        Frame(FrameKind.VECTOR, -5, b"v" * 64),
        Frame(FrameKind.ALIVE, 0, b""),
    ]
    data = b"".join(frame.to_bytes() for frame in frames)
    for step in (1, 7, len(data)):
        reader = FrameReader(64)
        found = [frame for at in range(0, len(data), step) for frame in reader.feed(data[at : at + step])]
        assert found == frames


@pytest.mark.parametrize(
    "data",
    [Frame(FrameKind.VECTOR, 0, bytes(65)).to_bytes(), Frame(FrameKind.HELLO, 0, bytes(1025)).to_bytes(),
     b"\x09" + bytes(12), b"\xff" * 13],
    ids=["long vector", "long control", "no such kind", "garbage"],
)  # fmt: skip
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(MpcFormatError):
        list(FrameReader(64).feed(data))


def test_an_abort_names_reason_and_party() -> None:
    assert parse_abort(abort_payload(AbortReason.SILENT, 2), 3) == (AbortReason.SILENT, 2)
    assert parse_abort(abort_payload(AbortReason.TOO_LATE, None), 3) == (AbortReason.TOO_LATE, None)
    for wrong in (b"", b"\0", b"\xff\0", b"\0\x03", bytes(3)):
        with pytest.raises(MpcFormatError):
            parse_abort(wrong, 3)


def read_preamble(data: bytes) -> Preamble:
    async def read() -> Preamble:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await Preamble.read(reader)

    return asyncio.run(read())


def test_a_preamble_is_read_as_written_and_nothing_else_is() -> None:
    preamble = Preamble(bytes(32), 0, 2, b"certificate", Answer.OTHER_SESSION)
    data = preamble.to_bytes()
    assert read_preamble(data) == preamble
    empty, long = (Preamble(bytes(32), 0, 2, bytes(length)).to_bytes() for length in (0, 4097))
    foreign, unknown = b"GET / HTTP/1.1\r\n" + bytes(64), data[:39] + b"\x07" + data[40:]
    for wrong in (b"", data[:-1], foreign, unknown, empty, long):
        with pytest.raises(MpcFormatError):
            read_preamble(wrong)


def test_the_codec_in_the_place_of_pickle_knows_vectors_only() -> None:
    codec = VectorCodec(TERMS.field)
    vector = numpy.array([1, 2, TERMS.field.prime - 1], dtype=object)
    assert codec.loads(codec.decode(codec.dumps(vector))).tolist() == vector.tolist()
    for wrong in (0, [1], "text", vector.reshape(3, 1)):
        with pytest.raises(MpcFormatError):
            codec.dumps(wrong)  # type: ignore[arg-type]
    with pytest.raises(MpcFormatError, match="link"):
        codec.loads(pickle.dumps(vector))  # type: ignore[arg-type]


def test_tls_takes_certificates_only(tmp_path: Path) -> None:
    key, certificate = make_certificate(datetime.now(UTC))
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "crt").write_bytes(certificate)
    with pytest.raises(MpcFormatError, match="is none"):
        tls_context(tmp_path / "key", tmp_path / "crt", b"nothing", listening=True)
    with pytest.raises(KeyFileError, match="cannot use"):
        tls_context(tmp_path / "no key", tmp_path / "crt", certificate_der(certificate), listening=False)
    with pytest.raises(MpcFormatError, match="not a certificate"):
        certificate_der(b"nothing")
