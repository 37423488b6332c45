"""The file of an import as a file to read, out of its parts: one part in memory, whichever is being read."""

import hashlib
import io
from typing import BinaryIO, cast

from orders.models import BalanceImport, BalanceImportPart


class StoredFile(io.RawIOBase):
    """Reads and seeks in the file of an import. Its store must be named while it is read."""

    def __init__(self, held: BalanceImport) -> None:
        super().__init__()
        parts = BalanceImportPart.objects.for_store(held.store).filter(balance_import=held).order_by("number")
        self._rows = parts
        self._parts = list(parts.values_list("offset", "size"))
        self._size = sum(size for _, size in self._parts)
        self._at = 0
        self._number, self._content = 0, b""

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted in bytes from the start, from here or from the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Read on, to the end of the part at most."""
        if self._at >= self._size:
            return 0
        number = self._number_at(self._at)
        if number != self._number:
            self._content = bytes(self._rows.values_list("content", flat=True).get(number=number))
            self._number = number
        begin = self._at - self._parts[number - 1][0]
        piece = self._content[begin : begin + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _number_at(self, place: int) -> int:
        low, high = 0, len(self._parts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._parts[middle][0] <= place else (low, middle)
        return low + 1


def stored_file(held: BalanceImport) -> BinaryIO:
    """The import's file, to be read from its start."""
    return cast("BinaryIO", io.BufferedReader(StoredFile(held), buffer_size=1 << 16))


def sha256_of(held: BalanceImport) -> str:
    """The digest of the whole file."""
    digest = hashlib.sha256()
    with stored_file(held) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
