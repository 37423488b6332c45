"""Values kept encrypted: platforms' credentials and the secrets of webhooks.

A column of :class:`EncryptedField` holds a Fernet token, which only the keys of the setting ``CREDENTIALS_KEYS`` open.
The first key encrypts, every key decrypts; so a key is changed by putting the new one in front, running
``manage.py rotate_credentials_keys`` and taking the old one away. Code holds a :class:`Secret`: it tells its value to
those who ask with :meth:`Secret.reveal`, and nothing to a log, a traceback or a page.
"""

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.db import models


class Unreadable(Exception):
    """No key of the setting ``CREDENTIALS_KEYS`` opens a stored secret: it has to be entered again."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """An encrypted text; without a token there is none. It is decrypted only when somebody asks."""

    token: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """``text`` under the first key; the empty text is no secret."""
        return cls(_fernet().encrypt(text.encode()).decode() if text else "")

    def reveal(self) -> str:
        """The text. Raises Unreadable when no key opens it."""
        if not self.token:
            return ""
        try:
            return _fernet().decrypt(self.token).decode()
        except InvalidToken:
            raise Unreadable("A stored secret cannot be decrypted with the keys that are set.") from None

    def under_first_key(self) -> Self:
        """The same text under the first key. Raises Unreadable when no key opens it."""
        if not self.token:
            return self
        try:
            return type(self)(_fernet().rotate(self.token).decode())
        except InvalidToken:
            raise Unreadable("A stored secret cannot be decrypted with the keys that are set.") from None

    def __bool__(self) -> bool:
        return bool(self.token)

    def __repr__(self) -> str:
        return "<secret>" if self.token else "<no secret>"


if TYPE_CHECKING:
    SecretTextField = models.TextField[Secret, Secret]
else:
    SecretTextField = models.TextField


class EncryptedField(SecretTextField):
    """A column of encrypted text; Python sees a :class:`Secret` and gives a Secret."""

    def __init__(self, **options: Any) -> None:
        # Never part of a form, so no page shows it; without a value there is no secret.
        options.setdefault("default", Secret)
        options.setdefault("blank", True)
        options.setdefault("editable", False)
        super().__init__(**options)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret:
        """What was read, still encrypted."""
        return Secret(value or "")

    def to_python(self, value: object) -> Secret:
        """A Secret; a plain text is refused, so that none is stored by mistake."""
        if not isinstance(value, Secret):
            raise TypeError(f"{self.name} takes a Secret.")
        return value

    def get_prep_value(self, value: object) -> str:
        """What is written: the token."""
        return self.to_python(value).token


def encrypted_columns() -> dict[type[models.Model], list[str]]:
    """The models that keep secrets, with the names of their columns."""
    found = {
        model: [field.name for field in model._meta.get_fields() if isinstance(field, EncryptedField)]
        for model in apps.get_models()
    }
    return {model: names for model, names in found.items() if names}


def _fernet() -> MultiFernet:
    return _fernet_of(tuple(settings.CREDENTIALS_KEYS))


@lru_cache(maxsize=4)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    """A Fernet key from any long random text."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"loyalty credentials")
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
