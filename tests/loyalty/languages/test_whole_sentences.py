"""Messages are whole: nothing is glued to them, and none is a piece of a sentence that is finished elsewhere."""

import ast
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from babel.messages.catalog import Catalog

from loyalty.languages.catalogues import ROOT

_CALLS: Final = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})


def says(node: ast.AST) -> bool:
    """Whether an expression is a message, with its facts filled in or without."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return says(node.left)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS


def glued(source: str) -> Iterator[str]:
    """Where a message is joined with other text: by ``+``, or inside an f-string."""
    for node in ast.walk(ast.parse(source)):
        if any(says(part) for part in _joined(node)):
            yield ast.unparse(node)


def _joined(node: ast.AST) -> list[ast.expr]:
    """The expressions whose texts this one puts behind one another."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.left, node.right]
    if isinstance(node, ast.AugAssign):
        return [node.value]
    return [part.value for part in getattr(node, "values", []) if isinstance(part, ast.FormattedValue)]


def pieces(message: str) -> bool:
    """Whether a message is a piece: blanks at its ends, or the end of a sentence without its beginning."""
    return message != message.strip() or (message[:1].islower() and message.endswith("."))


@pytest.mark.parametrize("app", ["loyalty", "orders", "credits", "points"])
def test_nothing_is_glued_to_a_message(app: str) -> None:
    sources = [path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    found = [f"{path.name}: {where}" for path in sources if "_(" in (text := path.read_text()) for where in glued(text)]
    assert found == [], "Make it one message with named placeholders, or whole sentences by `sentences([...])`."


def test_no_message_is_a_piece_of_a_sentence(source: Catalog) -> None:
    forms = (form for message in source for form in _forms(message.id))
    # The name of a file stands before everything that is said of it.
    assert [form for form in forms if pieces(form) and not form.startswith(("ndjson/", "your "))] == []


def _forms(message: str | Sequence[str]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


@pytest.mark.parametrize(
    "source",
    ["_('a') + b", "c + _('a %(x)s') % {}", "f'{_(name)} {c}'", "words += gettext('a')", "' ' + ngettext(1, 2, 3)"],
)
def test_what_is_glued_is_found(source: str) -> None:
    assert list(glued(source))


@pytest.mark.parametrize("message", [" line 7", "did not answer.", "and "])
def test_a_piece_is_found(message: str) -> None:
    assert pieces(message)
