"""A logo is drawn anew from what was brought, or it is refused in words; a letter encloses it (H3, H4)."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from loyalty.core.errors import Invalid
from loyalty.store_settings.check import check_settings
from loyalty.store_settings.letterhead import LetterheadSettings
from loyalty.store_settings.logo import (
    LARGEST,
    Picture,
    enclosed_in,
    keep_logo,
    logo_named,
    read_picture,
    size_of,
    with_its_picture,
)
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.logos import Logo
from tests.factories import make_store
from tests.pictures import SECRET, bomb, picture, written

SCRIPT = b"<script>alert(1)</script>"
GREY = Image.new("I;16", (4, 1))
GREY.putpixel((0, 0), 65535)
GREY.putpixel((1, 0), 32768)


def read(content: bytes) -> Picture:
    return read_picture(content, "/picture")


def drawn(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(read(content).content))


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (picture(), "PNG", (120, 40)),
        (picture("JPEG"), "JPEG", (120, 40)),
        (picture("GIF", mode="P"), "PNG", (120, 40)),
        (picture("WEBP", mode="RGBA"), "PNG", (120, 40)),
        (picture("JPEG", mode="CMYK"), "JPEG", (120, 40)),
        (picture(mode="LA"), "PNG", (120, 40)),
        (picture(size=(2400, 400)), "PNG", (600, 100)),
        (picture(size=(300, 2000)), "PNG", (30, 200)),
        (picture(size=(5000, 1)), "PNG", (600, 1)),
        (written(Image.effect_noise((900, 300), 90).convert("RGB"), "PNG"), "JPEG", (600, 200)),
    ],
)
def test_h3_what_can_be_brought_is_drawn_anew_and_small(content: bytes, kind: str, size: tuple[int, int]) -> None:
    kept = read(content)
    image = drawn(content)
    assert (image.format, image.size, size_of(kept.name)) == (kind, size, size)
    assert len(kept.content) < 130_000
    assert read(kept.content).name.endswith(kept.name[-3:])


def test_h3_transparency_stays_and_is_never_heavy() -> None:
    noise = Image.merge("RGBA", [Image.effect_noise((600, 200), 90) for _ in range(4)])
    image = drawn(written(noise, "PNG"))
    assert image.has_transparency_data
    assert len(read(written(noise, "PNG")).content) < 130_000


def test_h3_a_picture_that_is_stored_turned_is_turned_and_sixteen_bits_of_grey_are_grey() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    assert drawn(picture("JPEG", exif=turned)).size == (40, 120)
    assert drawn(written(GREY, "PNG")).convert("L").tobytes() == bytes([255, 127, 0, 0])


def test_h3_nothing_of_what_came_along_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    for content in (
        picture("JPEG", exif=exif, comment=SECRET) + SCRIPT,
        picture(exif=exif) + SCRIPT,
        picture("GIF", mode="P", comment=SECRET + SCRIPT),
        picture("WEBP", exif=exif) + SCRIPT,
    ):
        assert SECRET in content
        kept = read(content).content
        assert SECRET not in kept
        assert b"<script" not in kept


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "or it is broken"),
        (SCRIPT, "or it is broken"),
        (b"\x89PNG\r\n\x1a\n" + SCRIPT, "or it is broken"),
        (b"GIF89a" + SCRIPT, "or it is broken"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (picture()[:-30], "or it is broken"),
        (picture("JPEG", size=(300, 300))[:-300], "or it is broken"),
        (picture("WEBP", size=(300, 300))[:-30], "or it is broken"),
        (written(Image.new("RGB", (9, 9)), "BMP"), "or it is broken"),
        (written(Image.new("RGB", (9, 9)), "TIFF"), "or it is broken"),
        (bytes(LARGEST + 1), "700 KB at most"),
        (bomb(4000, 4000), "10 million at most"),
        (bomb(12_000, 12_000), "10 million at most"),
        (bomb(60_000, 60_000), "10 million at most"),
    ],
)
def test_h3_what_is_no_picture_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        read(content)
    assert [error.pointer for error in caught.value.errors] == ["/picture"]


@given(
    st.sampled_from(
        [picture(kind, (9, 5), "P" if kind == "GIF" else "RGB") for kind in ("PNG", "JPEG", "GIF", "WEBP")]
    ),
    st.data(),
)
def test_h3_any_bytes_are_a_picture_or_refused(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) - 1))
    bent = content[:at] + data.draw(st.binary(min_size=1, max_size=4)) + content[at + 1 :]
    try:
        kept = read(bent)
    except Invalid:
        return
    assert Image.open(io.BytesIO(kept.content)).format in {"PNG", "JPEG"}


@pytest.mark.django_db
def test_t1_a_logo_is_kept_once_and_is_its_store_s_alone() -> None:
    store, other = make_store(), make_store()
    kept = read(picture())
    keep_logo(store, kept)
    keep_logo(store, kept)
    assert Logo.objects.for_store(store).count() == 1
    assert logo_named(store, kept.name) == kept
    assert logo_named(other, kept.name) is None
    letter = f'<img src="cid:{kept.name}@logo">'
    assert enclosed_in(letter, other) is None
    assert enclosed_in(letter.replace('"', "&quot;"), store) is None
    assert with_its_picture(letter, store) == f'<img src="{kept.data_uri}">'

    settings = StoreSettings(letterhead=LetterheadSettings(logo=kept.name))
    assert check_settings(settings, store) == settings
    for stranger, name in ((other, kept.name), (store, "../x.png"), (store, f"{'0' * 32}-1x1.png")):
        with pytest.raises(Invalid) as caught:
            check_settings(StoreSettings(letterhead=LetterheadSettings(logo=name)), stranger)
        assert [error.pointer for error in caught.value.errors] == ["/letterhead/logo"]
