from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from random import Random

from experiments.scale import QUICK
from experiments.studies.contributing import Contributing
from experiments.subject import Setting


def test_encrypted_and_plain_numbers_are_taken_once_by_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        arms = []
        for number, kind in enumerate(("bfv-8192", "study", "raw", "json")):
            folder = tmp_path / str(number)
            folder.mkdir()
            arms.append(Contributing(kind, 3, Setting(QUICK, folder, Random(1))))
            stack.callback(arms[-1].close)
        for arm in arms:
            arm.check()
        readings = [arm.measure(2) for arm in arms]
    assert all(reading.extra["latency_p50"] > 0 for reading in readings)
    encrypted, study, *_ = readings
    assert encrypted.extra["sent_bytes"] - study.extra["sent_bytes"] > 131_072 - 3 * 8 - 64
