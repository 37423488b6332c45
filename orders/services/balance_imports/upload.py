"""A file that comes in parts: begun, each part kept once and in its place, whole when all of its bytes are here.

The parts are rows of the database, because the web takes them and a worker reads them, maybe on another machine.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO, Final

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.core.storable_text import storable
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import BalanceImport, BalanceImportPart, ImportState
from orders.services.balance_imports.stored_file import sha256_of

# How many bytes a file may have, and one part of it. A request carries a part, so this is small.
MOST_BYTES: Final = 300_000_000
MOST_OF_PART: Final = 1_000_000


class PartOutOfOrder(Conflict):
    """Another part is the next one."""

    code = "part-out-of-order"
    title = "Another part of the file is the next one."


class PartDiffers(Conflict):
    """A part with this number is here already, and it was another one."""

    code = "part-differs"
    title = "This part was sent before with other contents."


class ImportNotReady(Conflict):
    """The import is in a state in which this cannot be done."""

    code = "import-not-ready"
    title = "The import is not at the point where this can be done."


@transaction.atomic
def begin(*, store: Store, file_name: str, size: int, sha256: str = "", actor: Actor, now: datetime) -> BalanceImport:
    """A new import whose file of ``size`` bytes is still to come; ``sha256``, where it is known, is held against it.

    Raises Invalid for a size that no file here has, and a digest that is none.
    """
    if size <= 0:
        raise Invalid.at("/size", _("The file is empty."), code="out-of-range")
    if size > MOST_BYTES:
        most = _("A file has at most %(most)s MB. Cut it into several.") % {"most": MOST_BYTES // 1_000_000}
        raise Invalid.at("/size", most, code="out-of-range")
    if sha256 and (len(sha256) != hashlib.sha256().digest_size * 2 or not set(sha256) <= set("0123456789abcdef")):
        raise Invalid.at("/sha256", _("A SHA-256 is 64 characters, 0-9 and a-f."), code="invalid")
    begun: BalanceImport = BalanceImport.objects.create(
        store=store,
        file_name=storable(file_name.strip())[:200] or _("File without a name"),
        size=size,
        sha256=sha256,
        actor=actor.ref,
        created_at=now,
        updated_at=now,
    )
    return begun


@transaction.atomic
def add_part(*, store: Store, import_id: int, number: int, content: bytes, now: datetime) -> BalanceImport:
    """Keep the part ``number`` (from 1) of the file; with the last one the file is *uploaded*. Safe to repeat.

    Raises NotFound, PartOutOfOrder, PartDiffers, Invalid for a part that is empty, too large or beyond the file's size.
    A file that does not have the digest that was announced has *failed*, and says so.
    """
    held = locked(store, import_id)
    digest = hashlib.sha256(content).hexdigest()
    if _is_here(held, number, digest):
        return held
    _check_part(held, number, content)
    BalanceImportPart.objects.create(
        store=store,
        balance_import=held,
        number=number,
        offset=held.received,
        size=len(content),
        sha256=digest,
        content=content,
    )
    held.received += len(content)
    held.updated_at = now
    if held.received == held.size:
        _complete(held)
    held.save_changes()
    return held


def upload(*, store: Store, file: BinaryIO, file_name: str, size: int, actor: Actor, now: datetime) -> BalanceImport:
    """A whole file that is at hand, cut into parts. Raises Invalid as :func:`begin`."""
    begun = begin(store=store, file_name=file_name, size=size, actor=actor, now=now)
    number = 0
    while content := file.read(MOST_OF_PART):
        number += 1
        begun = add_part(store=store, import_id=begun.pk, number=number, content=content, now=now)
    return begun


def parts_of(imports: Sequence[BalanceImport]) -> dict[int, int]:
    """How many parts of their files are here, by import; those of one store, one query."""
    if not imports:
        return {}
    parts = BalanceImportPart.objects.for_store(imports[0].store).filter(balance_import__in=imports).order_by()
    return dict(parts.values("balance_import").annotate(last=Max("number")).values_list("balance_import", "last"))


def next_part(held: BalanceImport) -> int:
    """The number of the part that is to come next."""
    return parts_of([held]).get(held.pk, 0) + 1


def find(store: Store, import_id: int) -> BalanceImport:
    """An import of this store. Raises NotFound (T1)."""
    found: BalanceImport | None = BalanceImport.objects.for_store(store).filter(pk=import_id).first()
    if found is None:
        raise NotFound(_("This store has no balance import with the id %(id)s.") % {"id": import_id})
    return found


def locked(store: Store, import_id: int, *states: ImportState) -> BalanceImport:
    """An import of this store, locked until the transaction ends, in one of ``states`` where any are named.

    Raises NotFound (T1), ImportNotReady.
    """
    rows = BalanceImport.objects.for_store(store).select_for_update(of=("self",), no_key=True)
    found: BalanceImport | None = rows.filter(pk=import_id).first()
    if found is None:
        raise NotFound(_("This store has no balance import with the id %(id)s.") % {"id": import_id})
    if states and found.state not in states:
        raise ImportNotReady(
            _("This cannot be done now: the import is “%(state)s”.") % {"state": found.get_state_display()}
        )
    return found


def _is_here(held: BalanceImport, number: int, digest: str) -> bool:
    parts = BalanceImportPart.objects.for_store(held.store).filter(balance_import=held, number=number)
    known = parts.values_list("sha256", flat=True).first()
    if known is not None and known != digest:
        raise PartDiffers(_("Part %(number)s was sent before with other contents.") % {"number": number})
    return known is not None


def _check_part(held: BalanceImport, number: int, content: bytes) -> None:
    if held.state != ImportState.UPLOADING:
        raise ImportNotReady(_("All parts of this file are here already."))
    wanted = next_part(held)
    if number != wanted:
        raise PartOutOfOrder(_("Part %(number)s is the next one.") % {"number": wanted})
    if not 0 < len(content) <= MOST_OF_PART:
        sentence = _("A part has at least one byte and at most %(most)s.") % {"most": MOST_OF_PART}
        raise Invalid.at("", sentence, code="out-of-range")
    if held.received + len(content) > held.size:
        raise Invalid.at("", _("With this part the file would be larger than announced."), code="out-of-range")


def _complete(held: BalanceImport) -> None:
    found = sha256_of(held)
    if held.sha256 and held.sha256 != found:
        held.state = ImportState.FAILED
        held.failure = _("The file did not arrive as it was sent. Please send it again.")
    else:
        held.state, held.sha256 = ImportState.UPLOADED, found
