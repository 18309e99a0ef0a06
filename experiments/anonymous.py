"""Text for other people's eyes, without the folders of this machine."""

import os
import re
from pathlib import Path
from typing import Final

#: The folders of a path from the root, which is no part of a word, a URL or a fraction.
_FOLDERS: Final = re.compile(r"(?<![\w.:/])/(?:[^\s/:;,'\"()]+/)*(?=[^\s/])")


def without_folders(text: str) -> str:
    """Leave of every absolute path in a text its last part alone.

    The folders that are likely to be named (home, working folder, liboqs) may have spaces in their names.
    """
    known = (str(Path.home()), str(Path.cwd()), os.environ.get("OQS_INSTALL_PATH", ""))
    for folder in sorted(known, key=len, reverse=True):
        if len(folder) > 1:
            text = text.replace(folder.rstrip("/") + "/", "/")
    return _FOLDERS.sub("", text)
