"""Shows a page to whoever sits before the machine, if anybody does."""

import os
import sys
import webbrowser
from pathlib import Path


def show(page: Path) -> bool:
    """Open a file in a graphical browser; tells whether there was one to ask. A browser of text is left alone."""
    graphical = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return graphical and webbrowser.open(page.resolve().as_uri())
