"""A bundle as somebody hands it in: opened without trusting anything that it says."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import IO, Any, Final, cast

from django.utils.translation import gettext as _

from orders.services.bundles.manifest import NAME, BundleRefused, File, Manifest, read_manifest
from orders.services.bundles.tables import TRAVELS
from orders.services.bundles.write import ACTORS

TABLES: Final = (ACTORS, *(table.name for table in TRAVELS))
NAMES: Final = frozenset(f"{form}/{table}.{form}" for form in ("ndjson", "csv") for table in TABLES)
# Ledgers pack to a tenth; what unpacks to hundreds of times its size is there to fill a disk.
_PACKED_AT_MOST: Final = 200
_SMALL: Final = 64 << 20
_LONGEST_MANIFEST: Final = 1 << 20
# An order with everything that its platform said of it.
_LONGEST_LINE: Final = 16 << 20
_READ_AT_ONCE: Final = 1 << 20
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class Bundle:
    """An opened bundle whose manifest and list of files are in order; each file proves itself while it is read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = _entries(archive)
        with _reading(NAME):
            self.manifest: Manifest = read_manifest(archive.read(NAME))
        self._files = _files(self.manifest, self._entries)

    def lines(self, table: str) -> Iterator[bytes]:
        """The lines of a table's file, and at the end whether they are what the manifest says. Raises BundleRefused."""
        file = self._files[f"ndjson/{table}.ndjson"]
        counted, found = 0, hashlib.sha256()
        with self._open(file) as entry:
            while line := entry.readline(_LONGEST_LINE):
                counted += 1
                if not line.endswith(b"\n"):
                    words = _("%(file)s line %(line)s is cut off, or longer than any row can be.")
                    raise BundleRefused(words % {"file": file.name, "line": counted})
                found.update(line)
                yield line
        _prove(file, counted, found.hexdigest())

    def check_tables(self) -> None:
        """Read the files for people, of which nothing is kept, as far as the manifest speaks for them."""
        for name in (f"csv/{table}.csv" for table in TABLES):
            found = hashlib.sha256()
            with self._open(self._files[name]) as entry:
                while part := entry.read(_READ_AT_ONCE):
                    found.update(part)
            _prove(self._files[name], self._files[name].rows, found.hexdigest())

    @contextmanager
    def _open(self, file: File) -> Iterator[BufferedReader]:
        with _reading(file.name), self._archive.open(self._entries[file.name]) as entry:
            yield BufferedReader(cast(Any, entry), _READ_AT_ONCE)


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Bundle]:
    """The bundle in a file. Raises BundleRefused for what is none, or is not what its manifest says."""
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGED:
        raise BundleRefused(_("This is not a zip file, or only a part of one.")) from None
    with archive:
        yield Bundle(archive)


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What is in the zip, which is exactly what belongs into a bundle. Nothing is ever unpacked to a folder."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    if stranger := next((name for name in entries if name != NAME and name not in NAMES), None):
        raise BundleRefused(_("“%(name)s” is not a file of a bundle.") % {"name": stranger[:200]})
    if len(entries) != len(archive.infolist()):
        raise BundleRefused(_("A file is in the bundle twice."))
    if missing := next((name for name in (NAME, *sorted(NAMES)) if name not in entries), None):
        raise BundleRefused(_("The bundle is without its file %(name)s.") % {"name": missing})
    for name, entry in entries.items():
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise BundleRefused(_("%(name)s is encrypted or packed in a way that is not read.") % {"name": name})
    _refuse_bombs(list(entries.values()))
    return entries


def _refuse_bombs(entries: list[zipfile.ZipInfo]) -> None:
    whole = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    manifest = next(entry.file_size for entry in entries if entry.filename == NAME)
    if whole > _SMALL + packed * _PACKED_AT_MOST or manifest > _LONGEST_MANIFEST:
        raise BundleRefused(_("The file would unpack to far more than a bundle of its size can hold."))


def _files(manifest: Manifest, entries: dict[str, zipfile.ZipInfo]) -> dict[str, File]:
    files = {file.name: file for file in manifest.files}
    if len(files) != len(manifest.files) or files.keys() != NAMES:
        raise BundleRefused(_("The manifest does not name the files of a bundle."))
    for name, file in files.items():
        if entries[name].file_size != file.size:
            raise BundleRefused(_("%(name)s is not as long as the manifest says.") % {"name": name})
    return files


def _prove(file: File, rows: int, sha256: str) -> None:
    if sha256 != file.sha256:
        raise BundleRefused(_("%(name)s was changed: its checksum is not the manifest's.") % {"name": file.name})
    if rows != file.rows:
        words = _("%(name)s has %(rows)s rows, and the manifest says %(said)s.")
        raise BundleRefused(words % {"name": file.name, "rows": rows, "said": file.rows})


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED:
        raise BundleRefused(_("%(name)s is damaged and cannot be read.") % {"name": name}) from None
