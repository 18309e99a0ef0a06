"""How many operations a window takes, and whether the clock of an arm measures at all."""

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from experiments.errors import TimerFault
from experiments.subject import Reading

Measure = Callable[[int], Reading]

#: Twice the work must take this many times as long: 2 but for noise and what a window costs whatever its length.
GROWTH: Final = 1.5
#: How often the work is doubled, to no effect, before the clock is blamed.
DOUBLINGS: Final = 4
#: Pairs of windows that are looked at each time: a busy machine disturbs some.
PAIRS: Final = 3
#: The pairs are shorter than a window by this factor.
SHARE: Final = 4
#: Readings that agree to this share of them were made up: no real clock repeats itself to the nanosecond.
SAME: Final = 1e-9
#: So many windows must agree before their clock is blamed.
FEWEST_ALIKE: Final = 3
#: CPU time may exceed wall time times cores by this factor, and by a tick of a coarse clock.
EXCESS: Final = 1.25
TICK: Final = 0.02  # seconds
#: Real seconds, beyond ten windows, after which a clock that shows less than a window is blamed.
PATIENCE: Final = 0.5


def examine(reading: Reading) -> Reading:
    """Give a reading back when it can be one. Raises TimerFault: no number, negative, still, or more than all cores."""
    cpu, wall = seconds(reading)
    if not (math.isfinite(cpu) and math.isfinite(wall)) or cpu < 0 or wall < 0:
        raise TimerFault(f"its clock went {cpu:.3g} s (CPU) and {wall:.3g} s (wall), which no clock does")
    for name, shown in (("wall", wall), ("CPU", cpu)):
        if shown == 0:
            raise TimerFault(f"its {name} clock stands still: {reading.loops} operations took no time")
    if cpu > wall * (os.cpu_count() or 1) * EXCESS + TICK:
        raise TimerFault(f"it shows {cpu:.3g} s of CPU time in {wall:.3g} s, more than all cores have")
    return reading


def calibrate(measure: Measure, window: float, loops: int | None = None) -> int:
    """Find the number of operations, a power of two, that fills a window of so many seconds; check the clock.

    With `loops`, that number is kept, only the clock is checked, and the arm is asked for that number and doubles of it
    alone. The windows that this takes are the arm's warm-up. Raises TimerFault.
    """
    if loops is not None:
        _check_growth(measure, loops, pairs=1)
        return loops
    loops = _filling(measure, window)
    _check_growth(measure, max(1, loops // SHARE), PAIRS)
    return loops


def seconds(reading: Reading) -> tuple[float, float]:
    """CPU and wall seconds of the whole window."""
    return reading.cpu * reading.loops / 1e6, reading.wall * reading.loops / 1e6


def repeats_itself(readings: Sequence[tuple[float, float]]) -> str | None:
    """Tell which clock showed the same in each of some windows (CPU and wall); None when neither did.

    Of fewer than three windows nothing is told.
    """
    if len(readings) < FEWEST_ALIKE:
        return None
    for name, place in (("CPU", 0), ("wall", 1)):
        first = readings[0][place]
        if all(math.isclose(reading[place], first, rel_tol=SAME) for reading in readings):
            return f"its {name} clock shows a constant: {first:.6g} us an operation in each of {len(readings)} rounds"
    return None


def _filling(measure: Measure, window: float) -> int:
    loops, began, history = 1, time.perf_counter(), [math.inf] * DOUBLINGS
    while True:
        reading = measure(loops)
        shown, passed = seconds(reading)[1], time.perf_counter() - began
        if shown > passed + TICK:
            raise TimerFault(f"its clock shows {shown:.3g} s where no more than {passed:.3g} s passed")
        if shown >= window:
            examine(reading)
            return loops
        if passed > 10 * window + PATIENCE and shown <= GROWTH * history[-DOUBLINGS] < math.inf:
            still = f"{shown:.3g} s for {loops} operations, while {passed:.3g} s passed"
            raise TimerFault(f"its clock stands still: {still}")
        history.append(shown)
        loops *= 2


def _check_growth(measure: Measure, loops: int, pairs: int) -> None:
    """Compare the fastest windows of some operations, and of twice as many: what disturbs a window makes it longer.

    Where a window itself costs more than so few operations, there are more of them.
    """
    fault: str | None = None
    for longer in range(DOUBLINGS + 1):
        few = loops << longer
        seen = [(examine(measure(few)), examine(measure(2 * few))) for _ in range(pairs)]
        fault = next(filter(None, (_constant(*pair) for pair in seen)), None) or _not_growing(seen)
        if fault is None:
            return
    raise TimerFault(str(fault))


def _constant(one: Reading, two: Reading) -> str | None:
    for name, place in (("CPU", 0), ("wall", 1)):
        short, long = seconds(one)[place], seconds(two)[place]
        if long == 0:
            return f"its {name} clock stands still: {two.loops} operations took no time"
        if math.isclose(long, short, rel_tol=SAME) or math.isclose(long, 2 * short, rel_tol=SAME):
            shown = f"{short:.6g} s for {one.loops} operations and {long:.6g} s for {two.loops}"
            return f"its {name} clock shows a constant: {shown}"
    return None


def _not_growing(pairs: Sequence[tuple[Reading, Reading]]) -> str | None:
    for name, place in (("CPU", 0), ("wall", 1)):
        short = min(seconds(one)[place] for one, _ in pairs)
        long = min(seconds(two)[place] for _, two in pairs)
        if long < GROWTH * short:
            one, two = pairs[0]
            shown = f"{short:.6g} s for {one.loops} operations and {long:.6g} s for {two.loops}"
            return f"its {name} clock does not grow with the work: {shown}"
    return None
