"""Order tags: matched whole, trimmed, ignoring case; blanks and hyphens inside count (N3)."""

from collections.abc import Collection, Iterable


def tag_key(tag: str) -> str:
    """What two tags have in common when they match."""
    return tag.strip().casefold()


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Trimmed, without empty ones and without repeats, in the order given."""
    kept: dict[str, str] = {}
    for tag in tags:
        if tag.strip():
            kept.setdefault(tag_key(tag), tag.strip())
    return list(kept.values())


def first_match(tags: Iterable[str], tag_keys: Collection[str]) -> str | None:
    """The first of a store's ``tags`` that is among an order's ``tag_keys``, as the store writes it (N3)."""
    return next((tag.strip() for tag in tags if tag_key(tag) in tag_keys), None)
