"""Keys are not in a backup, and without them its secrets are lost: whether those that are set open what is stored."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from loyalty.accounts.signing_in.second_factor import stored_secrets
from loyalty.core.encryption import Secret, Unreadable, encrypted_columns
from loyalty.database.retention import every_row

_KNOWN: Final = "a backup's keys"


def seal() -> str:
    """A known text under the first of CREDENTIALS_KEYS."""
    return Secret.of(_KNOWN).token


def opens(sealed: str) -> bool:
    """Whether one of CREDENTIALS_KEYS is the one that sealed this."""
    return _is_readable(Secret(sealed)) and Secret(sealed).reveal() == _KNOWN


def unreadable_secrets() -> Counter[str]:
    """How many of the stored secrets none of CREDENTIALS_KEYS opens, by what they are of."""
    return Counter(of for of, secret in _all_secrets() if not _is_readable(secret))


def _all_secrets() -> Iterator[tuple[str, Secret]]:
    for model, names in encrypted_columns().items():
        for row in every_row(model).values_list(*names).iterator():
            yield from ((model._meta.verbose_name_raw, secret) for secret in row)
    yield from (("second factor", secret) for secret in stored_secrets())


def _is_readable(secret: Secret) -> bool:
    try:
        secret.reveal()
    except Unreadable:
        return False
    return True
