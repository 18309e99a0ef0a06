"""Windows of a number of operations that the arm itself chooses: in `Subject.loops`, which the runner heeds."""

from collections.abc import Callable

from experiments.subject import Reading


def filling(measure: Callable[[int], Reading], window: float, least: int) -> int:
    """Find how many operations fill a window of so many seconds: `least`, or its double, and so on.

    For arms that several operations at once, or a lead of their own, need whole numbers of: calibration begins at one.
    """
    measure(least)  # the first time is like no other
    loops = least
    while measure(loops).wall * loops < window * 1e6:
        loops *= 2
    return loops
