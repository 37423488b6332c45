"""Second factors: asked for before any page, not to be guessed, and kept encrypted (T6)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.management import call_command
from django.test import Client, override_settings

from loyalty.accounts.prove import prove
from loyalty.accounts.signing_in.second_factor import SET_UP, asks
from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Membership, Role, SecondFactor, Store, User
from tests import factories
from tests.addresses import pages_of, reverse

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
RIGHT = "correct horse"
STRICT_STORE = {"second_factor": SecondFactor.EVERYBODY}


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def member(store: Store, role: Role = Role.SUPPORT) -> User:
    user = factories.make_user((store, role))
    prove(user)
    return user


def sign_in(user: User, client: Client | None = None) -> Client:
    client = client or Client()
    client.post(reverse("admin:login"), {"username": user.email, "password": RIGHT})
    return client


def give_app(user: User) -> str:
    """A second factor for the person, as if set up some time ago; answers its secret."""
    secret = str(generate_totp_secret())
    TOTP.activate(user, secret)
    return secret


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def send_code(client: Client, code: str) -> Any:
    return client.post(reverse("mfa_authenticate"), {"code": code})


def opens(client: Client) -> bool:
    """Whether the store's pages open; the other answer leads to where a second factor is set up."""
    answers = {client.get(reverse(name)).status_code for name in ("admin:index", "admin:orders_order_changelist")}
    assert answers in ({200}, {302})
    return answers == {200}


@pytest.mark.parametrize("whom", list(SecondFactor))
@pytest.mark.parametrize("role", list(Role))
def test_t6_a_store_asks_those_whom_it_chose(whom: SecondFactor, role: Role) -> None:
    expected = whom == SecondFactor.EVERYBODY or (whom == SecondFactor.MANAGERS and role in {Role.OWNER, Role.MANAGER})
    store = factories.make_store(second_factor=whom)
    assert asks(store, role) is expected
    assert opens(sign_in(member(store, role))) is not expected


def test_t6_every_page_and_every_act_of_the_store_waits_for_it() -> None:
    store = factories.make_store(**STRICT_STORE)
    customer = factories.make_customer(store)
    client = sign_in(member(store, Role.OWNER))
    for address in (
        reverse("admin:index"),
        reverse("admin:stores_customer_change", args=[customer.pk]),
        reverse("admin:stores_customer_export", args=["credits", "csv"]),
        reverse("admin:stores_membership_second_factor"),
        reverse("admin:stores_apikey_add"),
    ):
        for answer in (client.get(address), client.post(address, {"second_factor": "nobody"})):
            assert (answer.status_code, answer["Location"]) == (302, SET_UP)
    store.refresh_from_db()
    assert store.second_factor == SecondFactor.EVERYBODY
    assert reverse("mfa_index") == SET_UP
    page = client.get(SET_UP).content.decode()
    assert store.name in page
    assert client.post(reverse("admin:logout")).status_code in {200, 302}


@pytest.mark.django_db(transaction=True)
def test_t6_the_app_is_set_up_and_asked_for_from_then_on() -> None:
    store = factories.make_store(**STRICT_STORE)
    user = member(store)
    client, other = sign_in(user), sign_in(user)
    page = client.get(reverse("mfa_activate_totp"), follow=True)
    assert page.redirect_chain[-1][0].startswith(reverse("account_reauthenticate"))
    client.post(page.redirect_chain[-1][0], {"password": RIGHT})
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert opens(client)
    # Who was signed in elsewhere, with the password alone, is no longer.
    assert other.get(reverse("admin:index"))["Location"].startswith(reverse("admin:login"))
    assert secret not in str(Authenticator.objects.filter(user=user).values_list("data", flat=True))


def test_t6_signing_in_takes_the_code(clock: Any) -> None:
    user = member(factories.make_store(**STRICT_STORE))
    secret = give_app(user)
    client = sign_in(user)
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.get(SET_UP).status_code == 302
    assert send_code(client, "000000").status_code == 200
    assert send_code(client, code_of(secret)).status_code == 302
    assert opens(client)
    # Whoever looked over the shoulder is too late, also with the code of a moment ago.
    late = sign_in(user)
    assert "used already" in send_code(late, code_of(secret)).content.decode() or not opens(late)
    clock.shift(timedelta(seconds=30))
    assert send_code(late, code_of(secret)).status_code == 302


def test_t6_a_code_is_used_once_whether_the_cache_is_there_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    user = member(factories.make_store())
    secret = give_app(user)
    monkeypatch.setattr(TOTP, "_mark_code_used", lambda self, code: True)
    assert send_code(sign_in(user), code_of(secret)).status_code == 302
    assert "used already" in send_code(sign_in(user), f" {code_of(secret)} ").content.decode()


def test_t6_codes_are_not_guessed(clock: Any) -> None:
    user = member(factories.make_store())
    secret = give_app(user)
    client = sign_in(user)
    for number in range(5):
        assert send_code(client, f"{number:06}").status_code == 200
    locked = send_code(client, code_of(secret))
    assert (locked.status_code, locked["Retry-After"]) == (429, "60")
    # Another session, from the same place, is the same guesser.
    assert send_code(sign_in(user), code_of(secret)).status_code == 429
    clock.shift(timedelta(seconds=61))
    assert send_code(sign_in(user), code_of(secret)).status_code == 302


def test_t6_a_recovery_code_works_once() -> None:
    user = member(factories.make_store(**STRICT_STORE))
    give_app(user)
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    client = sign_in(user)
    send_code(client, code)
    assert opens(client)
    again = sign_in(user)
    assert send_code(again, code).status_code == 200
    assert again.get(reverse("admin:index")).status_code == 302


def test_t6_the_link_by_mail_is_no_way_past_the_second_factor() -> None:
    user = member(factories.make_store())
    give_app(user)
    client = sign_in(user)
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.get(reverse("account_change_password")).status_code == 302
    assert client.get(reverse("usersessions_list")).status_code == 302


def test_t6_taking_it_away_ends_other_sessions_and_is_asked_for_again(clock: Any) -> None:
    user = member(factories.make_store(**STRICT_STORE))
    secret = give_app(user)
    here, there = sign_in(user), sign_in(user)
    send_code(here, code_of(secret))
    clock.shift(timedelta(seconds=90))
    send_code(there, code_of(secret))
    assert opens(there)
    again = here.get(reverse("mfa_deactivate_totp"))["Location"]
    here.post(again, {"password": RIGHT})
    here.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=user).exists()
    assert not opens(here)
    assert there.get(reverse("admin:index"))["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("asked", [True, False])
def test_t6_operators_are_asked_by_the_installation(asked: bool) -> None:
    factories.make_store()
    operator = factories.make_user(is_superuser=True)
    prove(operator)
    with override_settings(OPERATORS_NEED_SECOND_FACTOR=asked):
        client = sign_in(operator)
        for name in ("admin:index", "admin:stores_store_changelist"):
            assert (client.get(reverse(name)).status_code == 200) is not asked


def test_t6_owners_choose_of_whom_it_is_asked_and_the_journal_says_so() -> None:
    store = factories.make_store()
    client = sign_in(member(store, Role.OWNER))
    viewer = sign_in(member(store, Role.VIEWER))
    address = reverse("admin:stores_membership_second_factor")
    client.post(address, {"second_factor": "robots"})
    client.post(address, {"second_factor": "everybody"})
    store.refresh_from_db()
    assert store.second_factor == SecondFactor.EVERYBODY
    assert [row.event for row in JournalEntry.objects.for_store(store).all()] == ["staff.second_factor_asked"]
    # From the next click on.
    assert not opens(viewer)


def test_t6_another_store_s_question_is_not_this_store_s() -> None:
    strict, easy = factories.make_store(**STRICT_STORE), factories.make_store()
    user = member(easy)
    with pages_of(easy):
        assert opens(sign_in(user))
    Membership.objects.create(store=strict, user=user, role=Role.VIEWER)
    assert not asks(easy, Role.SUPPORT)


def test_secrets_go_under_the_first_key_and_work_on() -> None:
    user = member(factories.make_store())
    old, new = "an-old-key-that-is-long-enough", "a-new-key-that-is-long-enough"
    with override_settings(CREDENTIALS_KEYS=[old]):
        secret = give_app(user)
        RecoveryCodes.activate(user)
    with override_settings(CREDENTIALS_KEYS=[new, old]):
        out = StringIO()
        call_command("rotate_credentials_keys", stdout=out)
        assert "2 rows" in out.getvalue()
    with override_settings(CREDENTIALS_KEYS=[new]):
        assert send_code(sign_in(user), code_of(secret)).status_code == 302


def test_the_operator_lets_somebody_in_who_lost_everything() -> None:
    user = member(factories.make_store())
    secret = give_app(user)
    client = sign_in(user)
    send_code(client, code_of(secret))
    out = StringIO()
    call_command("reset_second_factor", "--email", user.email.upper(), stdout=out)
    assert out.getvalue().strip() == f"Second factors taken away from {user.email}: 1."
    assert client.get(reverse("admin:index")).status_code == 302
    assert opens(sign_in(user))
