"""Pictures as people bring them, and files that only say they are some."""

import io
import struct
import zlib
from typing import Any, Final

from PIL import Image

SECRET: Final = b"what the camera knew"


def picture(kind: str = "PNG", size: tuple[int, int] = (120, 40), mode: str = "RGB", **options: Any) -> bytes:
    """One of these formats, red."""
    image = Image.new("RGBA", size, "#cc0000").convert(mode)
    return written(image, kind, **options)


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it is this large, and is: zeros, packed."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * min(height, 100)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
