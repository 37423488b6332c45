"""What may be saved as settings: each within its own facts, whoever asks (H4)."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from loyalty.core.errors import Invalid
from loyalty.store_settings.check import check_settings
from loyalty.store_settings.facts import LONGEST_NAME, MOST_NAMES
from loyalty.store_settings.sections import ExtendSettings, StoreSettings, setting_at
from loyalty.stores.models import Store

Path = tuple[str, ...]


def paths_in(section: Any, prefix: Path = ()) -> Iterator[Path]:
    for one in fields(section):
        value, path = getattr(section, one.name), (*prefix, one.name)
        if is_dataclass(value):
            yield from paths_in(value, path)
        else:
            yield path


def with_value(section: Any, path: Path, value: Any) -> Any:
    name, *rest = path
    return replace(section, **{name: with_value(getattr(section, name), tuple(rest), value) if rest else value})


def refused(path: Path, value: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        check_settings(with_value(StoreSettings(), path, value), Store(currency="USD"))
    return {(error.pointer, error.code) for error in caught.value.errors}


BOUNDED = [path for path in paths_in(StoreSettings()) if setting_at(path)[1].most is not None]
LISTS = [path for path in paths_in(StoreSettings()) if path[-1] in {"statuses", "tags", "skip_tags", "kinds"}]


@pytest.mark.parametrize("path", BOUNDED, ids=".".join)
def test_h4_a_number_stays_within_its_bounds(path: Path) -> None:
    facts, pointer = setting_at(path)[1], "/" + "/".join(path)
    assert facts.most is not None
    assert refused(path, facts.most + 1) == {(pointer, "too-large")}
    assert refused(path, facts.least - 1) == {(pointer, "too-small")}


@pytest.mark.parametrize("path", LISTS, ids=".".join)
def test_h4_a_list_names_each_once_and_what_there_is(path: Path) -> None:
    pointer, choices = "/" + "/".join(path), setting_at(path)[1].choices
    assert refused(path, (choices or ("x",)) * 2) == {(pointer, "duplicate")}
    if choices:
        assert refused(path, ("paid",)) == {(pointer, "invalid-choice")}
    else:
        assert refused(path, tuple(map(str, range(MOST_NAMES + 1)))) == {(pointer, "too-long")}
        assert refused(path, ("x" * (LONGEST_NAME + 1),)) == {(pointer, "too-long")}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("earning", "points_per_unit"), Decimal(0), "too-small"),
        (("earning", "points_per_unit"), Decimal(1_000_000), "too-large"),
        (("earning", "points_per_unit"), Decimal("0.00001"), "too-fine"),
        (("write_back", "tag"), "ab", "too-short"),
        (("write_back", "tag"), "x" * 41, "too-long"),
        (("write_back", "tag"), "one,two", "invalid"),
        (("limits", "support_adjust_credits"), Decimal(-1), "negative"),
        (("limits", "support_adjust_credits"), Decimal("0.001"), "too-fine"),
        (("extend", "max_days"), 10, "does-not-fit"),
    ],
)
def test_h4_rates_tags_and_amounts(path: Path, value: Any, code: str) -> None:
    assert {found for _, found in refused(path, value)} == {code}


def test_h4_what_may_be_saved_has_the_decimals_of_the_currency() -> None:
    kept = check_settings(StoreSettings(extend=ExtendSettings(max_days=90)), Store(currency="JPY"))
    assert (kept.extend.max_days, str(kept.limits.support_adjust_credits)) == (90, "100")
