"""What the pages of the documentation show as code, for tests that hold it against the program.

`pages()` are all pages, `blocks(page)` the fenced blocks of one with their language, `commands(page)` what is told to
be typed, from blocks of shell and from sentences. `tests/docs/test_commands.py` looks at all commands of all pages; a
page whose code is to be run has a test of its own, such as `tests/docs/test_guides.py`.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2]
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_SHELL: Final = ("sh", "bash", "shell", "console")
_NEXT: Final = re.compile(r"\s&&\s|\s\|\s|;\s")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str


def pages() -> list[Path]:
    """Every page that somebody reads to do something; decisions tell of what was."""
    found = [path for path in PROJECT.glob("docs/**/*.md") if path.parent.name != "adr"]
    return sorted([*found, *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))])


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page in these languages, in their order."""
    found = [Block(*match) for match in _BLOCK.findall(page.read_text())]
    return [block for block in found if block.language in languages]


def commands(page: Path) -> Iterator[str]:
    """Each command of a page, without its comment and what is around it."""
    sentences = _INLINE.findall(_BLOCK.sub("", page.read_text()))
    for text in (*(block.text for block in blocks(page, *_SHELL)), *sentences):
        for line in text.replace("\\\n", " ").splitlines():
            for command in _NEXT.split(re.sub(r"(^|\s+)#\s.*$", "", line)):
                yield command.strip()


def words(command: str) -> list[str]:
    """A command as a shell reads it; what cannot be read so is split at its spaces."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
