"""The webhooks of the OpenAPI description: what is sent, made of the same tables that payloads are made of."""

from typing import Any, Final

from loyalty.api.openapi.examples import JSON, Examples, Schema
from loyalty.stores.actors import Trigger
from loyalty.webhooks.events import TEST, TOLD_AS, WORDS, WebhookEvent
from loyalty.webhooks.payload import FACTS, KINDS, WITH_CHANGES

TAG: Final = "webhooks"
_ID: Final[Schema] = {"type": ["string", "null"]}
_TEXT: Final[Schema] = {"type": "string"}
_VALUE: Final[Schema] = {
    "type": ["string", "integer"],
    "description": "Store credit is a decimal as text, points are a whole number.",
}
_CURRENCY: Final[Schema] = {"type": "string", "description": "The currency of store credit; of points it is empty."}
_EVENTS: Final = (*(event.value for event in WebhookEvent), TEST)
_KIND: Final[Schema] = {"type": "string", "enum": list(KINDS)}
_POINTS: Final[Schema] = {"type": "integer"}
# Everything that an event may tell, by its name in `data`.
MEMBERS: Final[dict[str, Schema]] = {
    "kind": _KIND,
    "trigger": {"type": "string", "enum": [trigger.value for trigger in Trigger], "description": "What caused it."},
    "reason": {"type": ["string", "null"], "description": "Why the order was cancelled, such as `customer`."},
    "outcome": {"type": "string", "enum": ["returned", "not_returned", "partly_returned"]},
    "code": {"type": ["string", "null"], "description": "Why it was not returned, or not all of it."},
    "amount": _VALUE | {"description": "What came back, or was taken back. Credits as text, points as a number."},
    "applied": _VALUE | {"description": "What the order had used. Credits as text, points as a number."},
    "remains": _VALUE | {"description": "What of that is still not back. Credits as text, points as a number."},
    "currency": _CURRENCY,
    "revert": _ID | {"description": "The return, as `/reverts/{revert_id}/` shows it."},
    "points": _POINTS | {"description": "What was redeemed."},
    "returned": _POINTS | {"description": "Points that are back."},
    "taken": _VALUE | {"description": "Store credit that was taken back from the customer."},
    "forced": {"type": "boolean", "description": "Whether it was reversed although its value had been used."},
}
_HEADERS: Final[dict[str, Schema]] = {
    "webhook-id": {
        "description": "The delivery, the same at every attempt: what was dealt with once is not dealt with again.",
        "schema": {"type": "string", "pattern": "^msg_[0-9]+$"},
        "example": "msg_7512",
    },
    "webhook-timestamp": {
        "description": "When this attempt was signed, in seconds since 1970; refuse what is more than 5 minutes off.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1767747600",
    },
    "webhook-signature": {
        "description": "One `v1,…` or, while a secret is rotated, two with a space between: HMAC-SHA256 as base64.",
        "schema": _TEXT,
        "example": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    },
}


def describe_webhooks(result: Schema, examples: Examples) -> None:
    """Add what is sent for each event, and for a test, with its schema, its headers and an example."""
    components = result["components"]
    components["parameters"] = {
        _name(header): {"name": header, "in": "header", "required": True, **said} for header, said in _HEADERS.items()
    }
    components["schemas"]["WebhookChange"] = _change()
    components["schemas"] |= {_name(event): _payload(event) for event in _EVENTS}
    result["webhooks"] = {event: {"post": _sent(event, examples.webhooks.get(event))} for event in _EVENTS}


def _name(event: str) -> str:
    words = event.replace(".", "-").replace("_", "-").split("-")
    whole = "".join(word.capitalize() for word in words)
    return whole if whole.startswith("Webhook") else f"Webhook{whole}"


def _sent(event: str, example: Any) -> Schema:
    words = f"Sent when {WORDS[WebhookEvent(event)]}." if event in WORDS else "Sent when staff ask for it."
    causes = [entry for entry, told in TOLD_AS if told == event and entry != event]
    if causes:
        words += f" Told of {', '.join(f'`{cause}`' for cause in causes)} as well, as `cause` says."
    content: Schema = {"schema": {"$ref": f"#/components/schemas/{_name(event)}"}}
    if example is not None:
        content["examples"] = {"sent": {"summary": event, "value": example}}
    return {
        "operationId": f"sends_{event.replace('.', '_')}",
        "summary": event,
        "description": words,
        "tags": [TAG],
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{_name(header)}"} for header in _HEADERS],
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {
            "204": {"description": "Any 2xx within 15 seconds: it has arrived."},
            "410": {"description": "The endpoint is gone: it is switched off, and told nothing any more."},
            "default": {"description": "Everything else, redirects too: it is tried again for days."},
        },
    }


def _payload(event: str) -> Schema:
    members = {"endpoint": {"type": "string"}} if event == TEST else _data(event)
    always = [name for name in members if name not in FACTS.get(event, ())]
    data = {"type": "object", "additionalProperties": False, "required": always, "properties": members}
    return {
        "type": "object",
        "description": f"The body of `{event}`.",
        "additionalProperties": False,
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": event},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": data,
        },
    }


def _data(event: str) -> dict[str, Schema]:
    members: dict[str, Schema] = {"order": _ID, "customer": _ID, "redemption": _ID}
    members |= {name: MEMBERS[name] for name in FACTS[event]}
    if event == WebhookEvent.BALANCE_CHANGED:
        causes = [entry for entry, told in TOLD_AS if told == event]
        members["cause"] = {"type": "string", "enum": causes, "description": "What changed it."}
    if event in WITH_CHANGES:
        changes = {"type": "array", "items": {"$ref": "#/components/schemas/WebhookChange"}}
        members["changes"] = changes | {"description": "What became of the customer's balances."}
    return members


def _change() -> Schema:
    members = {
        "kind": _KIND,
        "currency": _CURRENCY,
        "amount": _VALUE | {"description": "The change, below zero for less. Credits as text, points as a number."},
        "balance_after": _VALUE | {"description": "The balance after it. Credits as text, points as a number."},
    }
    return {
        "type": "object",
        "description": "A balance of one kind and currency that changed.",
        "additionalProperties": False,
        "required": list(members),
        "properties": members,
    }
