"""A store's logo: whatever picture is brought, drawn anew small and plain, kept, and found by its name (H3, H4)."""

import io
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from loyalty.core.errors import Invalid
from loyalty.partners.mail import Enclosed
from loyalty.stores.logos import Logo
from loyalty.stores.models import Store

# What may be brought, in bytes and in pixels: decoded, four bytes each, it is 40 MB.
LARGEST: Final = 700_000
MOST_PIXELS: Final = 10_000_000
# What is kept, in pixels: letters show half of it, so that it is sharp on fine screens.
WIDEST: Final = 600
HIGHEST: Final = 200
# From so many bytes on a PNG gets a palette of 256 colours, or a picture without transparency becomes a JPEG.
_HEAVY: Final = 60_000
NAME: Final = r"[0-9a-f]{32}-[1-9][0-9]{0,2}x[1-9][0-9]{0,2}\.(png|jpg)"
_PARTS: Final = re.compile(r"[0-9a-f]+-([0-9]+)x([0-9]+)\.(png|jpg)")
# Quotation marks of texts are escaped in a letter, so nothing that somebody typed looks like this.
_IN_LETTER: Final = re.compile(rf'src="cid:({NAME})@logo"')
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
_SVG: Final = re.compile(rb"<svg[\s>]", re.IGNORECASE)
# What Pillow raises for bytes that are no picture, or only begin as one.
_BROKEN: Final = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, struct.error, zlib.error)
_TOO_LARGE: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept. Its name says what it is: of which bytes, how wide and high in pixels, PNG or JPEG."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """``image/png`` or ``image/jpeg``."""
        return "image/png" if self.name.endswith("png") else "image/jpeg"

    @property
    def data_uri(self) -> str:
        """The picture as an address of its own, for pages."""
        return f"data:{self.media_type};base64,{b64encode(self.content).decode()}"


def read_picture(content: bytes, pointer: str) -> Picture:
    """The picture in ``content``, drawn anew: nothing of what was brought is kept but how it looks.

    A moving one gives its first frame, one that is stored turned is turned. Raises Invalid at ``pointer`` for what is
    too large, in bytes or in pixels, and for what is no whole PNG, JPEG, GIF or WebP.
    """
    if len(content) > LARGEST:
        raise Invalid.at(pointer, too_large(), code="too-large")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as brought:
            # Before anything is decoded: a few bytes can say that they are a million pixels.
            if brought.width * brought.height > MOST_PIXELS:
                raise _too_many_pixels(pointer)
            return _kept(_plain(brought), is_photo=brought.format == "JPEG")
    except _TOO_LARGE as error:
        raise _too_many_pixels(pointer) from error
    except _BROKEN as error:
        raise Invalid.at(pointer, _no_picture(content), code="no-picture") from error


def too_large() -> str:
    """What is said of a picture with too many bytes."""
    return _("The picture is too large: %(most)s KB at most.") % {"most": LARGEST // 1000}


def _too_many_pixels(pointer: str) -> Invalid:
    words = _("The picture has too many pixels: %(most)s million at most.") % {"most": MOST_PIXELS // 1_000_000}
    return Invalid.at(pointer, words, code="too-large")


def _no_picture(content: bytes) -> str:
    if _SVG.search(content):
        return _("This is an SVG picture, which mail programs do not show. Save it as PNG and upload that.")
    return _("This is no PNG, JPEG, GIF or WebP picture, or it is broken.")


def _plain(brought: Image.Image) -> Image.Image:
    """Upright, of the size that is kept, eight bits a colour, with transparency where there is any."""
    picture = ImageOps.exif_transpose(brought)
    if picture.mode.startswith("I"):
        # 16 bits of grey.
        picture = picture.point(lambda grey: grey * (1 / 257)).convert("L")
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail((WIDEST, HIGHEST), Image.Resampling.LANCZOS)
    # Its colours alone: profiles, comments and whatever else came along stay behind.
    return Image.frombytes(picture.mode, picture.size, picture.tobytes())


def _kept(picture: Image.Image, *, is_photo: bool) -> Picture:
    content, ending = _written(picture, is_photo=is_photo)
    digest = sha256(content).hexdigest()[:32]
    return Picture(f"{digest}-{picture.width}x{picture.height}.{ending}", content)


def _written(picture: Image.Image, *, is_photo: bool) -> tuple[bytes, str]:
    png = _bytes_of(lambda file: picture.save(file, "PNG", optimize=True))
    if picture.mode == "RGBA":
        if len(png) > _HEAVY:
            fewer = picture.quantize(256)
            png = _bytes_of(lambda file: fewer.save(file, "PNG", optimize=True))
        return png, "png"
    if is_photo or len(png) > _HEAVY:
        return _bytes_of(lambda file: picture.save(file, "JPEG", quality=88, optimize=True)), "jpg"
    return png, "png"


def _bytes_of(write: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def size_of(name: str) -> tuple[int, int]:
    """How wide and high the picture of this name is, in pixels; nothing for no name."""
    parts = _PARTS.fullmatch(name)
    return (int(parts[1]), int(parts[2])) if parts else (0, 0)


def keep_logo(store: Store, picture: Picture) -> None:
    """Keep a picture for the store's settings to name; once, however often it is brought."""
    Logo.objects.for_store(store).bulk_create(
        [Logo(store=store, name=picture.name, content=picture.content)], ignore_conflicts=True
    )


def has_logo(store: Store, name: str) -> bool:
    """Whether the store has kept a picture of this name."""
    return Logo.objects.for_store(store).filter(name=name).exists()


def logo_named(store: Store, name: str) -> Picture | None:
    """The store's picture of this name, if it has kept it (T1)."""
    kept = Logo.objects.for_store(store).filter(name=name).first() if name else None
    return Picture(kept.name, bytes(kept.content)) if kept else None


def enclosed_in(html: str, store: Store | None) -> Enclosed | None:
    """The picture that a letter of the store names, to travel with it."""
    picture = _named_in(html, store)
    return Enclosed(f"{picture.name}@logo", picture.media_type, picture.content) if picture else None


def with_its_picture(html: str, store: Store) -> str:
    """A letter with its picture inside, for a page that shows it."""
    picture = _named_in(html, store)
    return html.replace(f"cid:{picture.name}@logo", picture.data_uri) if picture else html


def _named_in(html: str, store: Store | None) -> Picture | None:
    named = _IN_LETTER.search(html)
    return logo_named(store, named[1]) if named and store else None
