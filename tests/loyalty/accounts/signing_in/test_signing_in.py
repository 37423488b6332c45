"""Signing in: how often one may guess, who is told what, and that the owner is never kept out (T6, ADR 0029)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from loyalty.accounts.models import Letter, Tries
from loyalty.accounts.prove import is_proved, prove
from loyalty.accounts.signing_in.lock_out import PASSWORD_ANYWHERE
from loyalty.stores.models import Role, Store, User
from loyalty.web.addresses import page_of
from tests import factories
from tests.loyalty.accounts.mailbox import letters_to, link_in

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
RIGHT = "correct horse"
OFFICE, HOME = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def anna() -> User:
    user = factories.make_user((factories.make_store(), Role.OWNER), email="anna@shop.example")
    prove(user)
    return user


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def sign_in(password: str, *, email: str = "anna@shop.example", at: str = OFFICE, client: Client | None = None) -> Any:
    """The answer to a password sent from a network, by a browser that nobody knows unless one is given."""
    sent = {"username": email, "password": password}
    return (client or Client()).post(reverse("admin:login"), sent, REMOTE_ADDR=at)


def is_in(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer["Location"] == reverse("admin:index"))


def works(client: Client) -> bool:
    """Whether the back-office leads the client into a store, not to the signing in."""
    return "/login/" not in client.get(reverse("admin:index"))["Location"]


def fail(times: int, **where: Any) -> None:
    for number in range(times):
        assert not is_in(sign_in(f"wrong {number}", **where))


def test_the_right_password_lets_in_and_leads_on(anna: User) -> None:
    assert is_in(sign_in(RIGHT))
    next_page = page_of(Store.objects.get(), "admin:orders_order_changelist")
    answer = Client().post(
        reverse("admin:login"), {"username": "anna@shop.example", "password": RIGHT, "next": next_page}
    )
    assert answer["Location"] == next_page
    evil = {"username": "anna@shop.example", "password": RIGHT, "next": "https://evil.example/"}
    assert is_in(Client().post(reverse("admin:login"), evil))


def test_lock_out_holds_for_the_right_password_and_says_how_long(anna: User, clock: Any) -> None:
    fail(5)
    locked = sign_in(RIGHT)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "60"
    assert "Wait 1 minute" in locked.content.decode()
    clock.shift(timedelta(seconds=59))
    assert sign_in(RIGHT).status_code == 429
    clock.shift(timedelta(seconds=2))
    assert is_in(sign_in(RIGHT))


def test_four_wrong_ones_lock_nobody(anna: User, clock: Any) -> None:
    fail(4)
    assert is_in(sign_in(RIGHT))
    fail(4)
    assert is_in(sign_in(RIGHT))


def test_pauses_grow_and_nobody_makes_them_longer_by_knocking(anna: User, clock: Any) -> None:
    fail(5)
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        for _ in range(3):
            assert sign_in("knock").status_code == 429
        clock.shift(timedelta(minutes=minutes, seconds=-1))
        assert sign_in(RIGHT).status_code == 429
        clock.shift(timedelta(seconds=1))
        assert sign_in("wrong").status_code == 200
    clock.shift(timedelta(hours=25))
    fail(4)
    assert is_in(sign_in(RIGHT))


@pytest.mark.parametrize(
    "spelling", ["ANNA@shop.example", " anna@shop.example ", "Anna@SHOP.Example", "\u3000anna@shop.example"]
)
def test_another_spelling_of_the_address_is_the_same_account(anna: User, clock: Any, spelling: str) -> None:
    fail(3, email=spelling)
    fail(2)
    assert sign_in(RIGHT).status_code == 429
    assert sign_in(RIGHT, email=spelling).status_code == 429


def test_look_alike_letters_count_at_the_account_they_look_like(anna: User, clock: Any) -> None:
    fail(5, email="anna@\uff53hop.example")
    assert sign_in(RIGHT).status_code == 429


def test_an_attacker_elsewhere_locks_the_owner_out_nowhere(anna: User, clock: Any) -> None:
    fail(30, at=HOME)
    assert sign_in(RIGHT, at=HOME).status_code == 429
    assert is_in(sign_in(RIGHT, at=OFFICE))


def test_a_colleague_in_the_same_office_cannot_keep_a_known_browser_out(anna: User, clock: Any) -> None:
    mine = Client()
    assert is_in(sign_in(RIGHT, client=mine))
    mine.post(reverse("admin:logout"))
    fail(30)
    assert sign_in(RIGHT).status_code == 429
    assert is_in(sign_in(RIGHT, client=mine))


def test_a_known_browser_is_no_way_to_guess_and_is_known_for_its_account_alone(anna: User, clock: Any) -> None:
    other = factories.make_user(email="ben@shop.example")
    prove(other)
    mine = Client()
    assert is_in(sign_in(RIGHT, email="ben@shop.example", client=mine))
    mine.post(reverse("admin:logout"))
    fail(5, email="ben@shop.example", client=mine)
    assert sign_in(RIGHT, email="ben@shop.example", client=mine).status_code == 429
    fail(5, client=mine)
    assert sign_in(RIGHT, client=Client()).status_code == 429


def test_guessing_from_everywhere_pauses_unknown_browsers_and_never_the_link(anna: User, clock: Any) -> None:
    mine = Client()
    assert is_in(sign_in(RIGHT, client=mine))
    mine.post(reverse("admin:logout"))
    for number in range(PASSWORD_ANYWHERE.free):
        sign_in("wrong", at=f"203.0.113.{number}")
    assert sign_in(RIGHT).status_code == 429
    assert is_in(sign_in(RIGHT, client=mine))
    clock.shift(timedelta(minutes=16))
    assert is_in(sign_in(RIGHT))


def test_one_network_trying_everybody_is_paused(anna: User, clock: Any) -> None:
    for number in range(100):
        sign_in("wrong", email=f"somebody-{number}@shop.example")
    assert sign_in(RIGHT).status_code == 429
    assert is_in(sign_in(RIGHT, at=HOME))


def test_the_link_by_mail_lets_in_while_locked(anna: User, clock: Any) -> None:
    fail(5)
    client = Client(REMOTE_ADDR=OFFICE)
    client.post(reverse("account_reset_password"), {"email": "Anna@shop.example "})
    [text] = letters_to("anna@shop.example")
    page = client.get(link_in(text), follow=True)
    path = page.redirect_chain[-1][0]
    answer = client.post(path, {"password1": "another good horse", "password2": "another good horse"})
    assert is_in(answer)
    assert works(client)
    assert is_in(sign_in("another good horse"))
    again = Client().get(link_in(text), follow=True)
    assert "no longer works" in again.content.decode()


def test_asking_for_links_in_somebody_s_place_takes_nothing_from_him(anna: User, clock: Any) -> None:
    for _ in range(20):
        Client().post(reverse("account_reset_password"), {"email": "anna@shop.example"})
    texts = letters_to("anna@shop.example", START)
    assert len(texts) == 3
    assert Client().get(link_in(texts[0])).status_code == 302


def test_a_link_is_good_for_an_hour(anna: User, clock: Any) -> None:
    Client().post(reverse("account_reset_password"), {"email": "anna@shop.example"})
    [text] = letters_to("anna@shop.example", START)
    clock.shift(timedelta(minutes=61))
    assert "no longer works" in Client().get(link_in(text), follow=True).content.decode()


def test_nobody_learns_who_has_an_account(anna: User, clock: Any) -> None:
    known, unknown = sign_in("wrong"), sign_in("wrong", email="nobody@shop.example")
    body = known.content.decode().replace("anna@", "nobody@")
    token = known.context["csrf_token"], unknown.context["csrf_token"]
    assert body.replace(str(token[0]), "") == unknown.content.decode().replace(str(token[1]), "")
    fail(5, email="nobody@shop.example")
    assert sign_in(RIGHT, email="nobody@shop.example").status_code == 429
    for email in ("anna@shop.example", "nobody@shop.example"):
        answer = Client().post(reverse("account_reset_password"), {"email": email})
        assert answer["Location"] == reverse("account_reset_password_done")
    assert Letter.objects.count() == 2
    assert letters_to("nobody@shop.example") == []


@pytest.mark.parametrize(
    ("proxies", "header", "counted"),
    [
        (0, "{}", True),
        (1, "{}, 192.0.2.1", True),
        (1, "{}", False),
        (2, "10.0.0.9, {}, 10.0.0.1", False),
        (2, "192.0.2.1", True),
    ],
)
def test_a_forged_forwarding_header_is_no_other_client(
    anna: User, clock: Any, proxies: int, header: str, counted: bool
) -> None:
    with override_settings(TRUSTED_PROXIES=proxies):
        for number in range(6):
            address = header.format(f"203.0.113.{number}")
            answer = sign_in("wrong", client=Client(headers={"X-Forwarded-For": address}))
    assert (answer.status_code == 429) is counted


def test_one_household_of_ipv6_is_one_client(anna: User, clock: Any) -> None:
    for number in range(5):
        sign_in("wrong", at=f"2001:db8:0:1::{number}")
    assert sign_in(RIGHT, at="2001:db8:0:1:ffff::1").status_code == 429
    assert is_in(sign_in(RIGHT, at="2001:db8:0:2::1"))


def test_the_limits_do_not_go_with_the_cache(anna: User, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(3)
    cache.clear()
    fail(2)
    assert sign_in(RIGHT).status_code == 429


def test_t6_an_address_that_nobody_proved_is_no_way_in(clock: Any) -> None:
    store = factories.make_store()
    user = factories.make_user((store, Role.OWNER), email="carla@shop.example")
    client = Client()
    answer = sign_in(RIGHT, email="carla@shop.example", client=client)
    assert answer["Location"] == reverse("account_reset_password_done")
    assert "prove that this address is yours" in client.get(answer["Location"]).content.decode()
    assert not works(client)
    [text] = letters_to("carla@shop.example", START)
    page = client.get(link_in(text), follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": "mine from now on", "password2": "mine from now on"})
    assert is_proved(user)
    assert client.get(reverse("admin:index"))["Location"] == page_of(store, "admin:index")
    assert not is_in(sign_in(RIGHT, email="carla@shop.example"))
    assert is_in(sign_in("mine from now on", email="carla@shop.example", at=HOME))


def test_sessions_are_new_and_end_elsewhere_with_the_password(anna: User, clock: Any) -> None:
    here, there = Client(), Client()
    before = here.session.session_key if here.get(reverse("admin:login")) else ""
    assert is_in(sign_in(RIGHT, client=here))
    assert here.session.session_key != before
    assert is_in(sign_in(RIGHT, client=there))
    new = "a new one for both"
    sent = {"oldpassword": RIGHT, "password1": new, "password2": new}
    assert here.post(reverse("account_change_password"), sent).status_code == 302
    assert works(here)
    assert not works(there)
    assert any("Password changed" in text or "password" in text for text in letters_to("anna@shop.example", START))


def test_somebody_ends_his_own_sessions_and_nobody_else_s(anna: User, clock: Any) -> None:
    ben = factories.make_user((factories.make_store(), Role.OWNER), email="ben@shop.example")
    prove(ben)
    here, there, bens = Client(), Client(), Client()
    for client in (here, there):
        assert is_in(sign_in(RIGHT, client=client))
    assert is_in(sign_in(RIGHT, email="ben@shop.example", client=bens))
    page = here.get(reverse("usersessions_list"))
    assert len(page.context["sessions"]) == 2
    foreign = bens.get(reverse("usersessions_list")).context["sessions"][0].pk
    here.post(reverse("usersessions_list"), {"end": str(foreign)})
    assert works(bens)
    here.post(reverse("usersessions_list"), {"end": "others"})
    assert not works(there)
    assert works(here)


def test_what_was_counted_holds_no_address(anna: User, clock: Any) -> None:
    fail(2)
    kept = [str(value) for row in Tries.objects.values_list() for value in row]
    assert not [value for value in kept if "anna" in value or OFFICE in value]


@pytest.mark.parametrize("name", ["admin:login", "account_reset_password", "account_reset_password_done"])
def test_signing_in_runs_no_scripts_of_others(name: str) -> None:
    page = Client().get(reverse(name))
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "style=" not in page.content.decode()


def test_nobody_signs_up_by_himself() -> None:
    for path in ("/accounts/signup/", "/accounts/company/signup/"):
        assert Client().post(path, {"email": "x@y.example", "password1": "a good long one"}).status_code in {302, 404}
    assert not User.objects.exists()
