"""The registry lists what the database takes, and nobody beside a platform's own folder asks which one it is."""

import re
from pathlib import Path

from django.conf import settings

from loyalty.platforms.models import Platform
from loyalty.platforms.registry import LABELS, PLATFORMS

# The choices of the database and an index; orders to look at; files of loyalty programs, and whose ids are in them.
_MAY_NAME_ONE = {
    "loyalty/platforms/models.py",
    "orders/demo/cast.py",
    "orders/services/balance_imports/layouts/products.py",
}


def test_the_registry_lists_what_the_database_takes() -> None:
    assert [*LABELS.items()] == Platform.choices
    assert [*PLATFORMS] == Platform.values


def test_a_platform_is_named_in_its_own_folder_alone() -> None:
    naming_one = re.compile(rf"\"({'|'.join(PLATFORMS)})\"|\bPlatform\.({'|'.join(Platform.names)})\b")
    folders = {f"loyalty/platforms/{key}" for key in PLATFORMS}
    naming = {
        str(path.relative_to(settings.BASE_DIR))
        for package in ("loyalty", "orders", "credits", "points")
        for path in (Path(settings.BASE_DIR) / package).rglob("*.py")
        if "migrations" not in path.parts
        if str(path.parent.relative_to(settings.BASE_DIR)) not in folders
        if naming_one.search(path.read_text())
    }
    assert naming == _MAY_NAME_ONE
