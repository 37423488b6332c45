"""Whose an account is: the person's who proved the e-mail address (T6).

The library keeps the proof, as an address that is verified. Whoever follows a link that was sent to the address proves
it; an account whose address nobody proved cannot be entered, whatever password is known.
"""

from allauth.account.models import EmailAddress

from loyalty.stores.models import User


def prove(user: User) -> None:
    """The address is proved: its owner has followed a link, or whoever runs this installation vouches for it."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def is_proved(user: User) -> bool:
    """Whether the address that the person signs in with was proved."""
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())
