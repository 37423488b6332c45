"""What a store may be called in addresses (T5)."""

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# First words of the back-office's addresses, those from before T5 included; a test holds that none is missing.
_ITS_OWN: Final = (
    "auth autocomplete credits journal jsi18n login logout notices orders outbox password_change platforms points "
    "search stores switch-store webhooks"
)
# Kept free for addresses to come.
_SPARE: Final = "account accounts admin api docs healthz help hooks invitations me mfa settings staff static store"
RESERVED: Final = frozenset(f"{_ITS_OWN} {_SPARE}".split())


def is_reserved(slug: str) -> bool:
    """Whether ``/admin/<slug>/`` is an address of the back-office itself."""
    return slug.lower() in RESERVED


def check_slug(value: str) -> None:
    """Raise ValidationError for a slug that the back-office needs for its own addresses."""
    if is_reserved(value):
        raise ValidationError(
            _("“%(value)s” is needed for the back-office's own pages. Choose another.") % {"value": value},
            code="reserved",
        )
