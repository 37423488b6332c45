"""What stands at the head of letters: it can be read on any colour, and nothing gets into a mail's headers (H3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import Invalid
from loyalty.store_settings.check import check_settings
from loyalty.store_settings.letterhead import LetterheadSettings, contrast
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_h3_words_can_be_read_on_any_colour(colour: str) -> None:
    assert contrast(colour, LetterheadSettings(colour=colour).ink) >= 4.5


@pytest.mark.parametrize(
    ("letterhead", "pointer"),
    [
        (LetterheadSettings(colour="red"), "/letterhead/colour"),
        (LetterheadSettings(colour="#12345"), "/letterhead/colour"),
        (LetterheadSettings(colour='#123456"'), "/letterhead/colour"),
        (LetterheadSettings(sender="Tea\r\nBcc: x@example.com"), "/letterhead/sender"),
        (LetterheadSettings(reply_to="a@example.com\nBcc: b@example.com"), "/letterhead/reply_to"),
        (LetterheadSettings(reply_to="a@example.com,b@example.com"), "/letterhead/reply_to"),
        (LetterheadSettings(reply_to="nobody"), "/letterhead/reply_to"),
    ],
)
def test_h3_what_is_no_letterhead_is_refused(letterhead: LetterheadSettings, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_settings(StoreSettings(letterhead=letterhead), Store(currency="USD"))
    assert {error.pointer for error in caught.value.errors} == {pointer}
