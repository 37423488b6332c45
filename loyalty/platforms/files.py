"""Import files: finding the orders in whatever shape people saved them.

Understood are one document, a list, JSON Lines (a document a line), wrapped ones (``{"order": …}``,
``{"orders": […]}``, ``{"data": …}``, ``{"items": […]}`` …) and stored webhooks (``{"headers", "body", "topic"}``,
SHOPLINE's ``{"event", "merchant_id", "resource", "topic"}``), also inside one another.
"""

import codecs
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from loyalty.platforms.documents.json_text import JsonText
from loyalty.platforms.documents.read import parse_json
from loyalty.platforms.recognise import refuse_other_topics
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import NotAnOrder

# Around one document or a list of them; those that are no orders are opened too, so that each row can say what it is.
_WRAPPERS = (
    "order", "orders", "data", "items", "results", "refund", "refunds", "coupon", "coupons",
    "transaction", "transactions", "customer", "customers", "product", "products",
)  # fmt: skip
_WEBHOOKS: Final = [platform.webhooks for platform in PLATFORMS.values()]
_TOPIC_HEADERS: Final = [webhooks.topic_header for webhooks in _WEBHOOKS if webhooks.topic_header]
_TEST_HEADERS: Final = [webhooks.test_header for webhooks in _WEBHOOKS if webhooks.test_header]
_MAX_DEPTH = 6
_PIECE: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 24
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_RowsOf = Callable[[TextIO], Iterator["Row"]]


@dataclass(frozen=True, slots=True)
class Row:
    """One document of a file, or why there is none at that place.

    ``position`` counts from 1. ``is_test``: the delivery's headers call it a test; the document may say so too.
    """

    position: int
    document: Mapping[str, object] | None = None
    error: NotAnOrder | None = None
    is_test: bool = False


class Documents:
    """The documents of a file, one row each, in the file's order; ``about`` is how many there are, more or less.

    A broken line of a JSON Lines file, and a webhook about something else, are rows with an error. A list, also one
    that is wrapped once, and JSON Lines are read element by element: a large file needs the memory of one order.
    """

    def __init__(self, content: str | bytes | Path, shape: "_Shape") -> None:
        self._content, self._shape = content, shape
        self.about = shape.elements

    def __iter__(self) -> Iterator[Row]:
        with _opened(self._content) as text:
            for position, row in enumerate(self._shape.rows_of(text), start=1):
                yield replace(row, position=position)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a file is to be read, and how many elements it has at the top."""

    rows_of: _RowsOf
    elements: int = 1


def read_documents(content: str | bytes | Path) -> Documents:
    """The documents of a file.

    Raises NotAnOrder at once, before the first row, when the file as a whole is empty, not JSON or not text in UTF-8.
    """
    try:
        with _opened(content) as text:
            return Documents(content, _shape(text))
    except UnicodeDecodeError:
        raise NotAnOrder("The file is not text in UTF-8. Please save it as UTF-8 and try again.") from None


@contextmanager
def _opened(content: str | bytes | Path) -> Iterator[TextIO]:
    """The file as text: in UTF-8, or in UTF-16 and UTF-32 with a byte order mark."""
    if isinstance(content, str):
        yield io.StringIO(content.removeprefix("\ufeff"))
        return
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        encoding = next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")
        yield io.TextIOWrapper(file, encoding, newline="\n")


def _shape(text: TextIO) -> _Shape:
    """The file's shape, after reading it once without keeping it: one that breaks off imports nothing."""
    if _is_blank(text):
        raise NotAnOrder("The file is empty.")
    if _is_json_lines(text):
        text.seek(0)
        return _Shape(_rows_of_lines, sum(1 for line in text if line.strip()))
    text.seek(0)
    first = JsonText(text).peek()
    text.seek(0)
    if first == "[":
        return _Shape(_rows_of_list, sum(1 for _element in _list_elements(text)))
    if first == "{" and (elements := _wrapped(text)) is not None:
        return _Shape(_rows_of_wrapped, elements)
    text.seek(0)
    parse_json(text.read())
    return _Shape(_rows_of_whole)


def _is_blank(text: TextIO) -> bool:
    is_blank = all(not piece.strip() for piece in iter(partial(text.read, _PIECE), ""))
    text.seek(0)
    return is_blank


def _is_json_lines(text: TextIO) -> bool:
    """Whether the first line is a whole object and more follows; one that is longer than any order is no such line."""
    lines = iter(partial(text.readline, _LONGEST_LINE), "")
    first = next(line for line in lines if line.strip()).strip()
    if not first.startswith("{") or not first.endswith("}") or all(not line.strip() for line in lines):
        return False
    try:
        return isinstance(parse_json(first), dict)
    except NotAnOrder:
        return False


def _rows_of_lines(text: TextIO) -> Iterator[Row]:
    for number, line in enumerate(text, start=1):
        if line.strip():
            yield from _rows_of_line(line, number)


def _rows_of_line(line: str, number: int) -> Iterator[Row]:
    try:
        value = parse_json(line)
    except NotAnOrder:
        yield Row(0, error=NotAnOrder(f"Line {number} of the file is not valid JSON."))
    else:
        yield from _open(value)


def _list_elements(text: TextIO) -> Iterator[object]:
    left = JsonText(text)
    yield from left.elements()
    left.require_end()


def _rows_of_list(text: TextIO) -> Iterator[Row]:
    return (row for value in _list_elements(text) for row in _open(value))


def _wrapped(text: TextIO) -> int | None:
    """How many documents are in the list that is this object's first field; None when it is anything else."""
    left = JsonText(text)
    first = _first_key(left)
    if first not in _WRAPPERS or left.peek() != "[":
        return None
    elements = sum(1 for _element in left.elements())
    fields: dict[str, object] = {}
    while not left.take("}"):
        left.require(",")
        name = left.value()
        left.require(":")
        fields[str(name)] = left.value()
    left.require_end()
    whole = {first: [], **fields}
    wraps = first not in fields and _wrapper_key(whole) == first and not _is_delivery(whole)
    return elements if wraps else None


def _first_key(left: JsonText) -> object:
    """The name of an object's first field, of which the value comes next; None when there is none."""
    left.require("{")
    if left.peek() != '"':
        return None
    name = left.value()
    return name if left.take(":") else None


def _rows_of_wrapped(text: TextIO) -> Iterator[Row]:
    left = JsonText(text)
    _first_key(left)
    return (row for value in left.elements() for row in _open(value, depth=2))


def _rows_of_whole(text: TextIO) -> Iterator[Row]:
    return _open(parse_json(text.read()))


def _open(value: object, *, is_test: bool = False, depth: int = 0) -> Iterator[Row]:
    """The documents inside one JSON value."""
    if isinstance(value, list) and depth < _MAX_DEPTH:
        for element in value:
            yield from _open(element, is_test=is_test, depth=depth + 1)
    elif not isinstance(value, Mapping):
        yield Row(0, error=NotAnOrder("This is not an order: a JSON object was expected here."), is_test=is_test)
    elif depth < _MAX_DEPTH and _is_delivery(value):
        yield from _open_delivery(value, is_test=is_test, depth=depth)
    elif depth < _MAX_DEPTH and (key := _wrapper_key(value)):
        yield from _open(value[key], is_test=is_test, depth=depth + 1)
    else:
        yield Row(0, document=value, is_test=is_test)


def _wrapper_key(value: Mapping[str, object]) -> str:
    """The key around the documents; none when the object has an id, so is a document itself."""
    if "id" in value or "_id" in value:
        return ""
    return next((key for key in _WRAPPERS if isinstance(value.get(key), list | dict)), "")


def _is_delivery(value: Mapping[str, object]) -> bool:
    envelope = "topic" in value or isinstance(value.get("headers"), Mapping)
    return envelope and "id" not in value and _content_key(value) != ""


def _content_key(value: Mapping[str, object]) -> str:
    return next((key for key in ("body", "payload", "resource") if value.get(key) is not None), "")


def _open_delivery(value: Mapping[str, object], *, is_test: bool, depth: int) -> Iterator[Row]:
    headers = _headers(value.get("headers"))
    is_test = is_test or any(headers.get(name, "").lower() == "true" for name in _TEST_HEADERS)
    content = value[_content_key(value)]
    try:
        refuse_other_topics(_topic(value, headers))
        opened = parse_json(content) if isinstance(content, str) else content
    except NotAnOrder as error:
        yield Row(0, error=error, is_test=is_test)
    else:
        yield from _open(opened, is_test=is_test, depth=depth + 1)


def _topic(value: Mapping[str, object], headers: Mapping[str, str]) -> str:
    topic = value.get("topic")
    if isinstance(topic, str) and topic:
        return topic
    return next((headers[name] for name in _TOPIC_HEADERS if name in headers), "")


def _headers(value: object) -> dict[str, str]:
    """Header names in small letters; of a repeated header the first value."""
    if not isinstance(value, Mapping):
        return {}
    firsts = ((str(name).lower(), held[0] if isinstance(held, list) and held else held) for name, held in value.items())
    return {name: str(held) for name, held in firsts}
