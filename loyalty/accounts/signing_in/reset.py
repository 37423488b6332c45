"""Asking for a link to choose a password, which proves the address and lets in whatever is paused (T6)."""

from datetime import datetime

from loyalty.accounts.letters import write_reset
from loyalty.accounts.prove import prove
from loyalty.accounts.signing_in.lock_out import RESET, account_key
from loyalty.accounts.signing_in.rate_limits import Counter, Paused, forget, take
from loyalty.stores.models import User


def ask_for_link(email: str, *, base: str, now: datetime) -> None:
    """Have a link sent, if the address has an account and was not sent one again and again.

    Nothing is answered either way. Asking too often sends no more mail, and takes nothing away: the links that were
    sent work, so nobody is kept out by somebody who asks in his place.
    """
    try:
        take([Counter(RESET, account_key(email))], now=now)
    except Paused:
        return
    write_reset(email.strip().lower(), base=base, now=now)


def link_was_followed(user: User) -> None:
    """The person chose a password by a link of ours: the address is proved, and wrong guesses count no more."""
    prove(user)
    forget(account_key(user.email))
