"""What plots look like: stand-ins for the page's colors, sizes of text, and how matplotlib writes SVG.

A plot is drawn in colors that nobody sees, `#0000nn`; `svg.py` puts the page's CSS variables in their place, so that
one picture serves a light page and a dark one.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

INK: Final = "#000001"
MUTED: Final = "#000002"
GRID: Final = "#000003"
PAPER: Final = "#000004"
#: Of the series, in their order; the page gives each a hue that color-blind readers can tell from the others.
SERIES: Final = tuple(f"#0000a{number}" for number in range(1, 9))
#: For text upon a surface of that series.
ON_SERIES: Final = tuple(f"#0000b{number}" for number in range(1, 9))

VARIABLES: Final = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--card)",
    **{color: f"var(--c{number})" for number, color in enumerate(SERIES, 1)},
    **{color: f"var(--on-c{number})" for number, color in enumerate(ON_SERIES, 1)},
}

#: Units of a plot's coordinate system an inch: a plot that is 5 inches wide has 360.
POINTS: Final = 72
TEXT: Final = 9.0  # points
SMALL: Final = 8.0
WIDTH: Final = 310.0  # points; small enough for the text to stay readable on a phone
ROW: Final = 14.5  # points from one row of text to the next

#: Settings of matplotlib while a plot is drawn and written.
SETTINGS: Final["dict[RcKeyType, Any]"] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.labelsize": SMALL,
    "axes.linewidth": 0.6,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "xtick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
}


def series(number: int) -> str:
    """Return the color of a series; they repeat after eight."""
    return SERIES[number % len(SERIES)]


def on_series(number: int) -> str:
    """Return the color of text upon that series."""
    return ON_SERIES[number % len(ON_SERIES)]


def text_width(text: str, size: float = TEXT) -> float:
    """Estimate the width of a text, in points: the reader's font is not known."""
    return 0.56 * size * len(text)
