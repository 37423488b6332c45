"""Order tags: matched whole, trimmed, ignoring case; blanks and hyphens inside count (N3)."""

from collections.abc import Iterable


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
