"""A matplotlib figure as SVG for the middle of a page: named for those who listen, colored by the page."""

import io
import re
from collections.abc import Callable
from typing import Final

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from experiments.report.theme import SETTINGS, VARIABLES

_WRAPPING: Final = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<style [^>]*>.*?</style>|<!--.*?-->", re.DOTALL)
_OPENING: Final = re.compile(r'<svg [^>]*viewBox="(?P<box>[^"]*)"[^>]*>')
_REFERENCE: Final = re.compile(r'(?:url\(#|href="#)([^)"]+)')
_ID: Final = re.compile(r' id="([^"]+)"')
_COLOR: Final = re.compile("|".join(VARIABLES))
_FAMILY: Final = re.compile(r"'DejaVu Sans'[^;\"]*")


def picture(draw: Callable[[], Figure], name: str, title: str, description: str) -> Markup:
    """Draw a figure and write it as an `<svg>` element.

    `name` must differ from that of every other picture of the page: it keeps their ids apart. The same drawing gives
    the same bytes.
    """
    with matplotlib.rc_context({**SETTINGS, "svg.hashsalt": name}):
        figure = draw()
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return inline(written.getvalue(), name, title, description)


def inline(document: str, name: str, title: str, description: str) -> Markup:
    """Make an element for the middle of a page of an SVG document of matplotlib's."""
    text = _WRAPPING.sub("", document)
    opening = _OPENING.search(text)
    assert opening is not None  # noqa: S101 - matplotlib always writes it
    box = opening["box"]
    used = set(_REFERENCE.findall(text))
    text = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text[opening.end() :])
    text = _REFERENCE.sub(lambda found: found[0].replace("#" + found[1], f"#{name}-{found[1]}"), text)
    text = _FAMILY.sub("var(--sans)", _COLOR.sub(lambda found: VARIABLES[found[0]], text))
    width = box.split()[2]
    return Markup(  # noqa: S704 - matplotlib escapes what it draws
        f'<svg viewBox="{box}" role="img" aria-labelledby="{name}-title {name}-desc" style="--natural: {width}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
        f"{text.strip()}"
    )
