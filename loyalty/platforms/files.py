"""Import files: finding the orders in whatever shape people saved them.

Understood are one document, a list, JSON Lines (a document a line), wrapped ones (``{"order": …}``,
``{"orders": […]}``, ``{"data": …}``, ``{"items": […]}`` …) and stored webhooks (``{"headers", "body", "topic"}``,
SHOPLINE's ``{"event", "merchant_id", "resource", "topic"}``), also inside one another.
"""

import codecs
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from loyalty.platforms.document import DECODER, parse_json
from loyalty.platforms.kinds import refuse_other_topics
from loyalty.platforms.snapshot import NotAnOrder

# Around one document or a list of them; those that are no orders are opened too, so that each row can say what it is.
_WRAPPERS = (
    "order", "orders", "data", "items", "results", "refund", "refunds", "coupon", "coupons",
    "transaction", "transactions", "customer", "customers", "product", "products",
)  # fmt: skip
_TOPIC_HEADERS = ("x-shopify-topic", "x-wc-webhook-topic", "x-shopline-topic")
_MAX_DEPTH = 6
_WHITESPACE = " \t\r\n"
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One document of a file, or why there is none at that place.

    ``position`` counts from 1. ``is_test``: the delivery's headers call it a test; the document may say so too.
    """

    position: int
    document: Mapping[str, object] | None = None
    error: NotAnOrder | None = None
    is_test: bool = False


def read_documents(content: str | bytes) -> Iterator[Row]:
    """The documents of a file, one row each, in the file's order.

    Raises NotAnOrder at once, before the first row, when the file as a whole is empty, not JSON or not text in UTF-8.
    A broken line of a JSON Lines file, and a webhook about something else, are rows with an error. A top-level list
    and JSON Lines are read element by element, so that a large file needs little more memory than its own text.
    """
    text = decode(content) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    if not text.strip():
        raise NotAnOrder("The file is empty.")
    if _is_json_lines(text):
        return _numbered(_rows_of_lines(text))
    if not text.lstrip(_WHITESPACE).startswith("["):
        return _numbered(_open(parse_json(text)))
    _check_list(text)
    return _numbered(row for value in _list_elements(text) for row in _open(value))


def decode(content: bytes) -> str:
    """Text from UTF-8, or UTF-16 and UTF-32 with a byte order mark. Raises NotAnOrder for other encodings."""
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise NotAnOrder("The file is not text in UTF-8. Please save it as UTF-8 and try again.") from None


def _numbered(rows: Iterator[Row]) -> Iterator[Row]:
    return (replace(row, position=position) for position, row in enumerate(rows, start=1))


def _is_json_lines(text: str) -> bool:
    """Whether the first line is a whole object and more follows."""
    first, _newline, rest = text.strip().partition("\n")
    if not first.startswith("{") or not rest.strip():
        return False
    try:
        return isinstance(parse_json(first), dict)
    except NotAnOrder:
        return False


def _rows_of_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip():
            yield from _rows_of_line(line, number)


def _rows_of_line(line: str, number: int) -> Iterator[Row]:
    try:
        value = parse_json(line)
    except NotAnOrder:
        yield Row(0, error=NotAnOrder(f"Line {number} of the file is not valid JSON."))
    else:
        yield from _open(value)


def _check_list(text: str) -> None:
    """Read a list once without keeping it: a file broken in the middle is refused before anything is imported."""
    for _element in _list_elements(text):
        pass


def _list_elements(text: str) -> Iterator[object]:
    """The elements of the JSON list that ``text`` is, one in memory at a time."""
    index = _skip(text, _skip(text, 0) + 1)
    more = not text.startswith("]", index)
    while more:
        value, index = _element_at(text, index)
        yield value
        more = text.startswith(",", index)
        if not more and not text.startswith("]", index):
            raise _broken(text, index)
        index = _skip(text, index + 1) if more else index
    if text[index + 1 :].strip(_WHITESPACE):
        raise _broken(text, index + 1)


def _element_at(text: str, index: int) -> tuple[object, int]:
    try:
        value, end = DECODER.raw_decode(text, index)
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos) from None
    except (ValueError, ArithmeticError, RecursionError, StopIteration):
        raise _broken(text, index) from None
    return value, _skip(text, end)


def _skip(text: str, index: int) -> int:
    while index < len(text) and text[index] in _WHITESPACE:
        index += 1
    return index


def _broken(text: str, index: int) -> NotAnOrder:
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    return NotAnOrder(f"This is not valid JSON (line {line}, column {column}).")


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
    is_test = is_test or headers.get("x-shopify-test", "").lower() == "true"
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
