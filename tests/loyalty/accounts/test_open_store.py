"""The commands that open a store and let people and programs in."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from loyalty.journal.models import JournalEntry
from loyalty.stores.keys import find_api_key
from loyalty.stores.models import Membership, Store, User

pytestmark = pytest.mark.django_db
STORE = ("create_store", "--slug", "tea", "--name", "Tea", "--currency", "USD", "--time-zone", "Asia/Taipei")


def run(*words: str) -> list[str]:
    """A command's lines of output."""
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def refused(*words: str) -> str:
    """What a command says when it refuses: one line."""
    with pytest.raises(CommandError) as caught:
        run(*words)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_store_is_opened_once() -> None:
    run(*STORE)
    assert "already" in run(*STORE)[0]
    store = Store.objects.get()
    assert (store.slug, store.name, store.currency, store.time_zone) == ("tea", "Tea", "USD", "Asia/Taipei")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--currency", "usd"), ("--currency", "XXX"), ("--time-zone", "Taipei"), ("--slug", "a b"), ("--name", " ")],
)
def test_a_wrong_value_is_named(option: str, value: str) -> None:
    words = list(STORE)
    words[words.index(option) + 1] = value
    assert refused(*words)
    assert not Store.objects.exists()


def test_t4_a_store_does_not_change_its_currency_by_being_opened_again() -> None:
    run(*STORE)
    assert "currency USD" in refused(*[{"USD": "JPY"}.get(word, word) for word in STORE])
    assert Store.objects.get().currency == "USD"


def test_missing_arguments_are_one_line() -> None:
    assert "--name" in refused("create_store", "--slug", "tea")


def test_t2_staff_get_a_role_and_new_people_a_password() -> None:
    run(*STORE)
    words = ("create_staff", "--store", "tea", "--email", "Ana@Example.org")
    password = run(*words, "--role", "support")[-1].removeprefix("Password: ")
    assert User.objects.get(email="ana@example.org").check_password(password)
    assert len(run(*words, "--role", "owner")) == 1
    assert [str(row.role) for row in Membership.objects.all()] == ["owner"]
    assert User.objects.get().check_password(password)
    run(*words, "--role", "owner", "--password", "correct horse battery")
    assert User.objects.get().check_password("correct horse battery")


def test_t2_a_role_is_set_as_on_the_page_and_never_the_last_owners() -> None:
    run(*STORE)
    words = ("create_staff", "--store", "tea", "--email")
    run(*words, "ana@example.org", "--role", "owner")
    assert "only owner" in refused(*words, "ana@example.org", "--role", "viewer")
    run(*words, "ben@example.org", "--role", "owner")
    run(*words, "ana@example.org", "--role", "viewer")
    assert dict(Membership.objects.values_list("user__email", "role")) == {
        "ana@example.org": "viewer",
        "ben@example.org": "owner",
    }
    assert JournalEntry.unscoped.filter(event="staff.role_changed", actor="system:create_staff").count() == 1


@pytest.mark.parametrize(
    ("option", "value"), [("--store", "pens"), ("--email", "ana"), ("--role", "boss"), ("--password", "short")]
)
def test_staff_with_wrong_values_are_refused(option: str, value: str) -> None:
    run(*STORE)
    words = {"--store": "tea", "--email": "ana@example.org", "--role": "owner", "--password": "correct horse battery"}
    words[option] = value
    assert (
        value in refused("create_staff", *[word for pair in words.items() for word in pair]) or option == "--password"
    )
    assert not User.objects.exists()


def test_t3_the_key_is_alone_on_the_last_line() -> None:
    run(*STORE)
    key = run("create_api_key", "--store", "tea", "--scopes", "orders:read orders:cancel")[-1]
    found = find_api_key(key, now=timezone.now())
    assert found is not None
    assert found.store.slug == "tea"
    assert found.scopes == ["orders:cancel", "orders:read"]


@pytest.mark.parametrize("scopes", ["", "orders:fly", "orders:read *x"])
def test_unknown_scopes_are_refused(scopes: str) -> None:
    run(*STORE)
    assert "scope" in refused("create_api_key", "--store", "tea", "--scopes", scopes)
    assert "pens" in refused("create_api_key", "--store", "pens", "--scopes", "*")
