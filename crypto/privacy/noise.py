"""Discrete Gaussian noise: integers, drawn exactly, by opendp (Canonne, Kamath and Steinke 2020, Algorithm 3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from crypto.errors import PrivacyError
from crypto.libraries import library
from crypto.privacy.accounting import WHAT

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

#: Standard deviations that noise is taken to stay within: it is clipped there, which happens with a probability below
#: 2 exp(-TAIL^2 / 2) = 4e-22 a number, for discrete Gaussians are sub-Gaussian.
TAIL: Final = 10
MAX_VARIANCE: Final = 2**100
_CHUNK: Final = 1 << 16

#: Draws so many integers of a variance (their parameter sigma^2), and clips them at TAIL standard deviations.
Sampler: TypeAlias = "Callable[[int, int], NDArray[int64]]"


def discrete_gaussian(count: int, variance: int) -> NDArray[int64]:
    """Draw `count` integers of the discrete Gaussian with the parameter sigma^2 = `variance`, from the system's source.

    Raises PrivacyError: the variance is too large. Raises LibraryMissing.
    """
    numpy = library(WHAT, "numpy")
    bound = tail_of(variance)
    measure = _measurement(variance)
    drawn = numpy.empty(count, dtype=numpy.int64)
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        drawn[start : start + size] = measure([0] * size)
    clipped: NDArray[int64] = numpy.clip(drawn, -bound, bound)
    return clipped


def tail_of(variance: int) -> int:
    """Return what noise of a variance is clipped at. Raises PrivacyError: the variance is too large."""
    if variance > MAX_VARIANCE:
        raise PrivacyError("so much noise cannot be drawn: take a larger epsilon, or fewer values")
    return math.isqrt(TAIL * TAIL * variance) + 1


@lru_cache(maxsize=8)
def _measurement(variance: int) -> Any:
    dp = library(WHAT, "opendp.prelude")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    # Never less noise than asked for: the root is rounded up.
    return dp.m.make_gaussian(*space, scale=math.nextafter(math.sqrt(variance), math.inf))
