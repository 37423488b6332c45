"""Which encoding a file is in: told by its bytes, shown with a line of it, asked about when two are close."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.importing.encodings import codec_of, guess_encoding, readings
from loyalty.importing.tables import NotATable

TAIWAN = "會員編號,姓名,購物金,到期日\n1,王小明,100,2026/12/31\n2,陳怡君,250,永久有效\n3,林志豪,30,2026/11/30\n"
JAPAN = "会員番号,氏名,ポイント\n1,佐藤花子,100\n2,鈴木一郎,250\n3,高橋ミキ,30\n"
EUROPE = "Name;Guthaben\nJürgen Müller;12,50 €\nAna Gómez;3,00 €\nZoë Brontë;1,00 €\n"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        (TAIWAN, "cp950", "big5"),
        (TAIWAN, "big5hkscs", "big5"),
        (JAPAN, "cp932", "shift_jis"),
        (EUROPE, "cp1252", "windows-1252"),
        *((text, codec, "utf-8") for text in (TAIWAN, JAPAN, EUROPE) for codec in ("utf-8", "utf-8-sig")),
        *((text, codec, "utf-16") for text in (TAIWAN, JAPAN, EUROPE) for codec in ("utf-16",)),
        (EUROPE, "utf-16-le", "utf-16"),
        (EUROPE, "utf-16-be", "utf-16"),
        ("a,b\n1,2\n", "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_told_by_the_bytes(text: str, codec: str, encoding: str) -> None:
    file = BytesIO(text.encode(codec))
    guess = guess_encoding(file)
    assert guess.value == encoding
    assert guess.certain
    file.seek(0)
    assert file.read().decode(codec_of(file, encoding)).lstrip("\ufeff") == text


def test_what_decided_is_shown_with_its_line() -> None:
    assert "Line 1" in guess_encoding(BytesIO(TAIWAN.encode("cp950"))).why
    assert "Müller" in guess_encoding(BytesIO(("Name\n" + "x\n" * 9 + "Müller\n").encode())).why


@given(
    st.lists(
        st.text(st.sampled_from("王陳林黃張李吳劉蔡楊許鄭謝洪郭小明怡君志豪淑芬美玲雅婷家豪"), min_size=2, max_size=4),
        min_size=8,
        max_size=40,
    )
)
def test_names_from_taiwan_are_never_taken_for_something_else_without_asking(names: list[str]) -> None:
    guess = guess_encoding(BytesIO("\n".join(names).encode("big5")))
    assert guess.value == "big5" or not guess.certain


@given(st.lists(st.sampled_from(["Jürgen", "Zoë", "Gómez", "Français", "Øystein", "Ñandú"]), min_size=1, max_size=20))
def test_names_from_europe_are_never_taken_for_something_else_without_asking(names: list[str]) -> None:
    guess = guess_encoding(BytesIO("\n".join(names).encode("cp1252")))
    assert guess.value == "windows-1252" or not guess.certain


def test_a_line_is_read_in_each_encoding_for_asking() -> None:
    shown = dict(readings(BytesIO(TAIWAN.encode("cp950")), ("big5", "windows-1252")))
    assert "王小明" in shown["big5"] or "會員編號" in shown["big5"]
    assert shown["windows-1252"] != shown["big5"]


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(NotATable, match="neither text"):
        guess_encoding(BytesIO(b"\x01\x02\x00\x00\x07" * 40))


def test_a_letter_of_utf_8_far_down_counts() -> None:
    far = ("a,b\n" * 700_000 + "Müller,1\n").encode()
    assert "700001" in guess_encoding(BytesIO(far)).why
