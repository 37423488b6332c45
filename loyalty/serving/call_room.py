"""Room for calls: one piece of memory for all that a request or a test calls, however deep it goes."""

from collections.abc import Callable
from typing import Any, Final

# In words of the machine: a little more than half of the piece that Python takes for it, half a megabyte. So what is
# called has the other half, and whoever asks for room within somebody else's gets a piece of its own.
_ROOM: Final = 33_000


def give_call_room(function: Callable[..., Any]) -> None:
    """Have what a function calls find all the memory it needs at once.

    Python keeps what its calls hold in pieces of 16 KB, and takes and gives back a piece from the system each time that
    calls go over the edge of one: within a list of orders 5,000 times, a third of its time. Whoever asks for this much
    room gets one piece in which all that it calls has place.
    """
    function.__code__ = function.__code__.replace(co_stacksize=_ROOM)
