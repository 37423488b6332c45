"""How a store's letters look and whom they are from: its colour, its logo, its name as a sender (H3, H4)."""

from dataclasses import dataclass
from typing import Annotated, Final

from django.utils.translation import gettext_noop

from loyalty.store_settings.facts import Facts
from loyalty.store_settings.logo import NAME as LOGO_NAME
from loyalty.store_settings.logo import size_of
from loyalty.store_settings.words import ONE_LINE

LONGEST_SENDER: Final = 80
LONGEST_ADDRESS: Final = 254
LONGEST_LOGO: Final = 100
# In a letter, in pixels of the page: beside a name on a phone, and no poster.
WIDEST_SHOWN: Final = 300
HIGHEST_SHOWN: Final = 100
_COLOUR: Final = r"(#[0-9a-fA-F]{6})?"
_NAME: Final = Facts(longest=LONGEST_SENDER, pattern=ONE_LINE, mistake=gettext_noop("A name is one line of text."))
# One bare address, without a name, a comment or quotes: nothing in it can end or bend a header.
_BEFORE_AT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = Facts(
    longest=LONGEST_ADDRESS,
    pattern=rf"({_BEFORE_AT}(\.{_BEFORE_AT})*@({_LABEL}\.)+[A-Za-z]{{2,63}})?",
    mistake=gettext_noop("This is no e-mail address such as shop@example.com."),
)
# Above it black is read better on a colour, below it white: both stand out from either side by 4.5 to 1 or more.
_MIDDLE: Final = 0.179
# Where the curve of sRGB begins.
_STRAIGHT: Final = 0.04045


@dataclass(frozen=True, slots=True)
class LetterheadSettings:
    """What stands at the head of a store's letters; empty is ours: its name, no address, colour or logo.

    ``logo`` is the name of a picture that the store has kept (``loyalty/store_settings/logo.py``).
    """

    sender: Annotated[str, _NAME] = ""
    reply_to: Annotated[str, _ADDRESS] = ""
    colour: Annotated[str, Facts(longest=7, pattern=_COLOUR, mistake=gettext_noop("A colour looks like #1d4ed8."))] = ""
    logo: Annotated[
        str,
        Facts(
            longest=LONGEST_LOGO,
            pattern=rf"({LOGO_NAME})?",
            mistake=gettext_noop("This is no name of a logo."),
            words="The name of a picture that was brought to /settings/logo/.",
        ),
    ] = ""

    @property
    def logo_size(self) -> tuple[int, int]:
        """How wide and high letters show the logo: half of its pixels, unless it is small; nothing without one."""
        width, height = size_of(self.logo)
        shrunk = max(1.0, width / WIDEST_SHOWN, height / HIGHEST_SHOWN)
        return round(width / shrunk), max(1, round(height / shrunk)) if height else 0

    @property
    def ink(self) -> str:
        """What is read on the colour: black or white, whichever stands out more; empty without a colour."""
        if not self.colour:
            return ""
        return "#000000" if _luminance(self.colour) > _MIDDLE else "#ffffff"


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, from 1 to 21, as the Web Content Accessibility Guidelines reckon."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _STRAIGHT else float(((part + 0.055) / 1.055) ** 2.4)
