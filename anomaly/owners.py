"""Whose object is it: a fixed-size memory of who was shown an object first."""

from array import array
from typing import Final

_SLOTS: Final = 1 << 15
_SHARED: Final = 0xFFFFFFFF


class Owners:
    """A direct-mapped table of 32,768 objects and their first users, in 256 KiB.

    Two objects that meet in a slot: the newer one replaces the older. An object that a second organization was shown
    counts as shared from then on.
    """

    __slots__ = ("holders", "tags")

    def __init__(self) -> None:
        self.tags = array("I", bytes(4 * _SLOTS))
        self.holders = array("I", bytes(4 * _SLOTS))

    def foreign(self, thing: int, who: int, *, shown: bool) -> bool:
        """Return whether `thing` is another's, and remember `who` when it was `shown` to them."""
        slot = thing & (_SLOTS - 1)
        tag = (thing >> 15) & 0xFFFFFFFF
        me = (who & 0x7FFFFFFF) or 1
        holder = self.holders[slot] if self.tags[slot] == tag else 0
        if holder in (me, _SHARED):
            return False
        if shown:
            self.tags[slot] = tag
            self.holders[slot] = _SHARED if holder else me
        return holder != 0
