"""Sentences in which the figures stand out, and their intervals stand back."""

import re
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup, escape

from experiments.digits import figure
from experiments.result import FindingResult

_CODE: Final = re.compile(r"`([^`]+)`")


def emphasized(text: str, findings: Iterable[FindingResult]) -> Markup:
    """Mark the figures of these findings in a text, as HTML: values strong, intervals small."""
    told = sorted({figure(finding, finding.unit) for finding in findings}, key=len, reverse=True)
    if not told:
        return prose(text)
    pattern = re.compile(r"(?<![\w.,])(?:" + "|".join(map(re.escape, told)) + r")(?![\w.,]*\d)")
    parts, end = [], 0
    for found in pattern.finditer(text):
        parts += [prose(text[end : found.start()]), _marked(found[0])]
        end = found.end()
    return Markup("").join([*parts, prose(text[end:])])


def prose(text: str) -> Markup:
    """Write a text as HTML; what stands between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _marked(told: str) -> Markup:
    value, bracket, bounds = told.partition(" [")
    if not bracket:
        return Markup("<strong>{}</strong>").format(value)
    return Markup('<strong>{}</strong> <span class="interval">[{}</span>').format(value, bounds)
