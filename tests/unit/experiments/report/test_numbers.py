from __future__ import annotations

import pytest

from experiments.report.numbers import amount, cell, factor, in_bytes, named, quantity, tick, words


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.29, "us", "0.290 µs"),
        (26.94, "us", "26.9 µs"),
        (1240.0, "us", "1.24 ms"),
        (659354.0, "us", "659 ms"),
        (2.5e6, "us", "2.50 s"),
        (64.0, "B", "64 B"),
        (17088.0, "B", "17,088 B"),
        (3 * 1024.0**2, "B", "3.00 MiB"),
        (4964.2, "1/s", "4,964/s"),
        (4964.2, "/s", "4,964/s"),
        (28.6, "requests", "28.6 requests"),
        (1.5, "", "1.50"),
    ],
)
def test_an_amount_has_three_digits_and_a_handy_unit(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "us", "0"),
        (250.0, "us", "250 µs"),
        (1000.0, "us", "1 ms"),
        (10_000.0, "B", "10,000 B"),
        (3000.0, "1/s", "3,000/s"),
        (30_000.0, "1/s", "30k/s"),
        (2_000_000.0, "1/s", "2M/s"),
    ],
)
def test_a_number_at_an_axis_has_no_digits_that_say_nothing(value: float, unit: str, text: str) -> None:
    assert tick(value, unit) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("bytes", 64, "64 B"),
        ("bytes", 65536, "64 KiB"),
        ("body_bytes", 1048576, "1 MiB"),
        ("bytes", 1000, "1,000 B"),
        ("workers", 2, "2"),
        ("algorithm", "ml-dsa-65", "ml-dsa-65"),
    ],
)
def test_a_factor_counts_bytes_by_its_name(name: str, value: str | int, text: str) -> None:
    assert factor(name, value) == text


def test_a_number_is_named_by_its_factor() -> None:
    assert named("concurrency", 16) == "concurrency 16"
    assert named("bytes", 1024) == "1 KiB"
    assert named("operation", "sign") == "sign"


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("public_key_bytes", ("public key", "B")),
        ("bytes", ("bytes", "B")),
        ("latency_p99", ("latency p99", "µs")),
        ("loop_delay_p50", ("loop delay p50", "µs")),
        ("total_cpu", ("total CPU", "µs")),
        ("cpu", ("CPU", "µs")),
        ("waited", ("waited", "% of the time")),
        ("tries", ("tries", "")),
    ],
)
def test_a_column_names_a_quantity_and_its_unit(name: str, head: tuple[str, str]) -> None:
    assert quantity(name) == head


def test_cells_leave_the_unit_to_the_head() -> None:
    assert cell("waited", 0.0312) == "3.1"
    assert cell("signature_bytes", 3309.0) == "3,309"
    assert cell("latency_p50", 12.345) == "12.3"


def test_names_become_words() -> None:
    assert words("oqs-verify_to") == "oqs verify to"
    assert not in_bytes("cpu")
