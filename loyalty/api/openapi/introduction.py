"""What the OpenAPI description says before its operations: what is the same for all of them."""

from typing import Final

from loyalty.api.answers.codes import FIELDS, PROBLEMS

# What operations are sorted by: the first part of their address.
TAGS: Final = {
    "store": "The store that the key belongs to.",
    "customers": "People, what they have, and giving it to them by hand.",
    "credit-lots": "The store credit of all customers, lot by lot.",
    "point-lots": "The points of all customers, lot by lot.",
    "orders": "Orders, what they used, and cancelling them.",
    "reverts": "What came back, and taking that back.",
    "rewards": "What points are exchanged for.",
    "redemptions": "Points that were exchanged, and reversing that.",
    "discount-codes": "What a code is worth, at the checkout.",
    "settings": "The store's rules, their versions, and trying them on the past.",
    "balance-imports": "Balances that come from another system, as a file.",
    "webhook-endpoints": "Addresses that are told what happened, and what they were sent.",
    "deliveries": "What endpoints were sent, whichever they are.",
    "webhooks": "What is sent to endpoints.",
}
_GENERAL: Final = """\
Cancels orders and gives back the store credits and member points they used.

## Requests

- **Key**: `Authorization: Bearer <key>`. A key belongs to one store, so no address names the store, and it has scopes;
  each operation says which one it needs.
- **Values**: ids are opaque texts; store credit is a decimal as text with its `currency` beside it, points are whole
  numbers; instants are RFC 3339 with an offset. `expires_on` is the last day of use, a day in the store's time zone,
  and `expires_at` the instant from which it cannot be used any more; null is never.
- **Request ids**: each answer names its request in `X-Request-ID`: the one that you sent (up to 64 letters, digits,
  `.`, `_` and `-`), or a new one. Tell it whoever looks into a problem: every line of the log has it.
- **Rate**: a key may send 600 requests a minute, unless the installation says otherwise. What is beyond is answered 429
  and not counted; `Retry-After` says for how many seconds to wait. 503 has `Retry-After` too.
- **Size**: a body has at most 1 MB of JSON, as it is and not compressed.

## Commands

A command needs an `Idempotency-Key`: a text of your own, such as the number of the cart. Send it again after a time-
out: the same key and body answer the stored response with `Idempotent-Replayed: true`, and nothing happens twice. The
key with another body is 422 `idempotency-key-reused`; while the first is still at work it is 409 `idempotency-key-in-
use`. Answers are kept for 7 days; 409 and 5xx are not, so they can be tried again under the same key.

## Versions

Orders and settings have an `ETag`. Send it back as `If-Match` with a change: 412 says that somebody else was quicker.

## Lists

`{"next", "previous", "results"}`, newest first, `limit` rows of 1 to 200 (50). Follow `next` until it is null;
`cursor` is what is in it. An unknown parameter or value is 400 `invalid-parameter`, which names it.

## Webhooks

An endpoint is told of the events it asked for, by a POST of `{"type", "timestamp", "data"}` signed as
[Standard Webhooks](https://www.standardwebhooks.com/) say:

- `webhook-signature` has one or more `v1,<base64>`, with a space between: HMAC-SHA256 of
  `<webhook-id>.<webhook-timestamp>.<body as it came>` under the secret, which is the base64 behind `whsec_`. One that
  is right is enough; while a secret is rotated there is one of each.
- `webhook-id` is the same at every attempt: what was dealt with once is not dealt with again.
- `webhook-timestamp` is when this attempt was signed; refuse what is more than 5 minutes off.

Answer with any 2xx within 15 seconds. Everything else, redirects too, is tried again for days, less and less often;
`Retry-After` with 429 or 503 is heeded. A 410 switches the endpoint off, and so do five days without a success. Events
may arrive out of order and more than once: `data` has ids, ask for what they are now. Nothing in it names a person.

## Errors

`application/problem+json` (RFC 9457): `code` says what it is, `detail` says it to people, and wrong fields are listed
in `errors`, each with a JSON pointer.
"""


def introduction() -> str:
    """In Markdown, with every code that an error can have."""
    problems = "\n".join(f"| `{code}` | {status} | {title} |" for code, (status, title) in PROBLEMS.items())
    fields = "\n".join(f"| `{code}` | {meaning} |" for code, meaning in FIELDS.items())
    return (
        f"{_GENERAL}\n"
        f"## Error codes\n\n| code | status | meaning |\n|---|---|---|\n{problems}\n\n"
        f"## Codes of single fields\n\n| code | meaning |\n|---|---|\n{fields}\n"
    )
