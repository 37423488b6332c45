"""What stops guessing, and does not keep the owner of an account out (ADR 0029).

A password is tried under three counters: of the account from this network, of the account from everywhere, and of the
network at all accounts. A browser that signed in to the account before has a counter of its own instead, which nobody
else can use up; and the link that is sent by e-mail works whatever is paused.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from loyalty.accounts.signing_in.known_browsers import known_browser, network_of
from loyalty.accounts.signing_in.rate_limits import Counter, Limit, Paused, take

PASSWORD: Final = Limit("password", free=5)
# So many wrong passwords at one account, or from one network at all accounts, are an attack and no bad memory.
PASSWORD_ANYWHERE: Final = Limit("password_anywhere", free=100, longest=timedelta(minutes=15))
PASSWORD_NETWORK: Final = Limit("password_network", free=100, longest=timedelta(minutes=15))
CODE: Final = Limit("code", free=5)
# Six digits: twenty guesses a day leave one chance in fifty thousand, and only to somebody who has the password.
CODE_ANYWHERE: Final = Limit("code_anywhere", free=20)
# Six digits are good for a minute and a half, and for one time.
USED_CODE: Final = Limit("used_code", free=1, first=timedelta(minutes=2), longest=timedelta(minutes=2))
RESET: Final = Limit("reset", free=3, first=timedelta(minutes=5))


def account_key(address: str) -> str:
    """An account as it is counted, however its address is spelled: case, spaces and look-alike letters are the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", address).strip().lower().casefold()).strip()


def password_counters(request: HttpRequest, address: str) -> Sequence[Counter]:
    """What a password sent for this address is counted under."""
    account = account_key(address)
    if known := known_browser(request, account):
        return [Counter(PASSWORD, account, f"browser {known}")]
    network = network_of(request)
    return [
        Counter(PASSWORD, account, f"network {network}"),
        Counter(PASSWORD_ANYWHERE, account),
        Counter(PASSWORD_NETWORK, client=f"network {network}"),
    ]


def code_counters(request: HttpRequest, address: str) -> Sequence[Counter]:
    """What a code of a second factor is counted under."""
    account = account_key(address)
    if known := known_browser(request, account):
        return [Counter(CODE, account, f"browser {known}")]
    return [Counter(CODE, account, f"network {network_of(request)}"), Counter(CODE_ANYWHERE, account)]


def take_or_refuse(counters: Sequence[Counter], *, now: datetime) -> None:
    """Count a try of a form. Raises ValidationError, which says how long to wait and how to get in at once."""
    try:
        take(counters, now=now)
    except Paused as paused:
        raise ValidationError(
            _(
                "Too many wrong tries. Wait %(wait)s, then try again; until then nothing is accepted. "
                "With “Forgot your password?” you get a link by e-mail that lets you in at once."
            )
            % {"wait": paused.wait},
            code=PAUSED,
            params={"seconds": paused.seconds},
        ) from paused


PAUSED: Final = "paused"
