"""Saving a store's settings as a new version (H4)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import VersionConflict
from loyalty.journal.record import Event, Happening, record
from loyalty.store_settings.check import check_settings
from loyalty.store_settings.sections import (
    NULLABLE,
    StoreSettings,
    current_settings,
    keeping_unknown,
    settings_from_json,
    settings_to_json,
)
from loyalty.stores.actors import Actor
from loyalty.stores.models import SettingsVersion, Store

Read = Callable[[dict[str, Any]], Mapping[str, Any]]


@transaction.atomic
def change_settings(
    *,
    store: Store,
    patch: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    version: int | None = None,
    check: Read = dict,
) -> StoreSettings:
    """Merge ``patch`` into the settings (RFC 7396: by key, lists whole) and save them as the next version.

    ``check`` reads the merged JSON where it comes from outside, and raises for what is no such thing. Nothing is saved
    when nothing changes. Raises Invalid for what cannot be saved, and VersionConflict when ``version`` is given and is
    not the one that governs.
    """
    # Versions are counted under the store's lock, so two people saving at once make two versions, not one.
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)
    before = current_settings(store)
    data = check(merged(settings_to_json(before), patch))
    after = check_settings(settings_from_json(data, version=before.version), store)
    if version is not None and version != before.version:
        raise VersionConflict(
            _("The settings are at version %(version)s. Read them again.") % {"version": before.version}
        )
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    saved = keeping_unknown(_saved(store), settings_to_json(before), settings_to_json(after))
    SettingsVersion.objects.create(store=store, version=after.version, data=saved, actor=actor.ref, created_at=now)
    changed = [name for name in _differences(asdict(before), asdict(after)) if name != "version"]
    said = {"version": after.version, "changed": changed}
    record([Happening(store.pk, Event.SETTINGS_CHANGED, data=said)], actor=actor, now=now)
    return after


def _saved(store: Store) -> Any:
    """The settings as they stand in the newest version, whatever this release understands of them."""
    return SettingsVersion.objects.for_store(store).order_by("-version").values_list("data", flat=True).first() or {}


def merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``target`` with ``patch`` merged in (RFC 7396): by key, lists whole; null takes away where it is no value."""
    result = dict(target)
    for name, value in patch.items():
        if value is None and name not in NULLABLE:
            result.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in new.items():
        if isinstance(value, Mapping):
            yield from _differences(old[name], value, f"{prefix}{name}.")
        elif value != old[name]:
            yield f"{prefix}{name}"
