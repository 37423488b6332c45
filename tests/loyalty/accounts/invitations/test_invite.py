"""Invitations: whose an account is, and what a tenant can do about somebody else's (T6)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from loyalty.accounts.models import Invitation
from loyalty.accounts.prove import is_proved, prove
from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Membership, Role, Store, User
from loyalty.timeline.sentences import lines_of
from loyalty.web.addresses import common_page, page_of
from tests import factories
from tests.addresses import reverse
from tests.loyalty.accounts.mailbox import letters_to, link_in

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
STRANGER = "dora@elsewhere.example"
LIST = "admin:stores_membership_changelist"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def owner_of(store: Store, role: Role = Role.OWNER) -> Client:
    client = Client()
    client.force_login(factories.make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
    return client


def invite(owner: Client, email: str = STRANGER, role: str = "support") -> Any:
    store = Membership.objects.select_related("store").get(user=owner.session["_auth_user_id"]).store
    return owner.post(page_of(store, "admin:stores_membership_add"), {"email": email, "role": role}, follow=True)


def newest_link(email: str = STRANGER) -> str:
    return link_in(letters_to(email)[-1])


def join(link: str, password: str = "only dora knows", client: Client | None = None) -> Any:
    """Follow a link as somebody new, and choose a password; the answer to that."""
    client = client or Client()
    client.get(link)
    sent = {"name": "Dora", "password1": password, "password2": password}
    return client.post(reverse("account_invitation"), sent, follow=True)


def roles_of(email: str = STRANGER) -> dict[str, str]:
    return {row.store.slug: row.role for row in Membership.objects.filter(user__email=email).select_related("store")}


def test_t6_nobody_but_the_reader_of_the_mail_gets_in() -> None:
    store = factories.make_store()
    page = invite(owner_of(store))
    assert "is on its way" in page.content.decode()
    assert not User.objects.filter(email=STRANGER).exists()
    assert roles_of() == {}
    [text] = letters_to(STRANGER)
    link = link_in(text)
    assert link not in page.content.decode()
    assert Invitation.objects.for_store(store).get().secret_hash not in link
    client = Client()
    assert join(link, client=client).context["active_store"] == store
    assert roles_of() == {store.slug: "support"}
    assert is_proved(User.objects.get(email=STRANGER))


def test_t6_the_attack_of_another_tenant_gives_it_nothing() -> None:
    a, b = factories.make_store(), factories.make_store()
    invite(owner_of(a), role="owner")
    invite(owner_of(b), role="owner")
    # A's owner knows no password and no link; whatever it tries at the account that is not there, nothing comes of it.
    assert Client().post(reverse("admin:login"), {"username": STRANGER, "password": "a guess"}).status_code == 200
    to_a, to_b = (link_in(text) for text in letters_to(STRANGER))
    dora = Client()
    assert join(to_b, client=dora).context["active_store"] == b
    assert roles_of() == {b.slug: "owner"}
    # She works in A only once she accepts that, too, signed in.
    dora.get(to_a)
    assert "Accept" in dora.get(reverse("account_invitation")).content.decode()
    dora.post(reverse("account_invitation"))
    assert set(roles_of()) == {a.slug, b.slug}


def test_t6_an_account_made_the_old_way_is_its_owner_s_and_not_the_tenant_s() -> None:
    a, b = factories.make_store(), factories.make_store()
    old = factories.make_user((a, Role.SUPPORT), email=STRANGER)
    known_to_a = "correct horse"
    invite(owner_of(b), role="owner")
    attacker = Client()
    attacker.post(reverse("admin:login"), {"username": STRANGER, "password": known_to_a})
    assert "/login/" in attacker.get(common_page("admin:index"))["Location"]
    texts = letters_to(STRANGER)
    assert len(texts) == 2
    [link] = [link_in(text) for text in texts if "invites you" in text]
    assert join(link).context["active_store"] == b
    old.refresh_from_db()
    assert not old.check_password(known_to_a)
    attacker.post(reverse("admin:login"), {"username": STRANGER, "password": known_to_a})
    assert "/login/" in attacker.get(common_page("admin:index"))["Location"]
    assert roles_of() == {a.slug: "support", b.slug: "owner"}


def test_t6_an_account_that_is_there_counts_only_once_its_owner_signs_in_and_accepts() -> None:
    home, store = factories.make_store(), factories.make_store()
    prove(factories.make_user((home, Role.OWNER), email=STRANGER))
    invite(owner_of(store))
    client, link = Client(), newest_link()
    client.get(link)
    page = client.get(reverse("account_invitation")).content.decode()
    assert "Sign in to accept" in page
    assert "password" not in page
    sent = {"name": "X", "password1": "taken over now", "password2": "taken over now"}
    assert client.post(reverse("account_invitation"), sent).status_code == 403
    assert roles_of() == {home.slug: "owner"}
    answer = client.post(
        reverse("admin:login"),
        {"username": STRANGER, "password": "correct horse", "next": reverse("account_invitation")},
    )
    assert answer["Location"] == reverse("account_invitation")
    assert roles_of() == {home.slug: "owner"}
    client.post(reverse("account_invitation"))
    assert roles_of() == {home.slug: "owner", store.slug: "support"}


def test_t6_inviting_does_not_tell_whether_there_is_an_account() -> None:
    prove(factories.make_user((factories.make_store(), Role.OWNER), email=STRANGER))
    owner = owner_of(factories.make_store())
    known, unknown = invite(owner), invite(owner, "nobody@elsewhere.example")
    assert [known.status_code, known.redirect_chain] == [unknown.status_code, unknown.redirect_chain]
    assert str(next(iter(known.context["messages"]))).replace(STRANGER, "") == str(
        next(iter(unknown.context["messages"]))
    ).replace("nobody@elsewhere.example", "")


def test_t6_somebody_else_who_is_signed_in_cannot_accept() -> None:
    store, other = factories.make_store(), factories.make_store()
    invite(owner_of(store))
    link, eve = newest_link(), owner_of(other)
    eve.get(link)
    assert "for somebody else" in eve.get(reverse("account_invitation")).content.decode()
    assert eve.post(reverse("account_invitation")).status_code == 403
    assert not Membership.objects.filter(store=store, user__email=STRANGER).exists()
    assert Membership.objects.filter(store=store).count() == 1
    assert join(link).status_code == 200


def test_t6_a_link_works_once() -> None:
    invite(owner_of(factories.make_store()))
    link = newest_link()
    join(link)
    assert Client().get(link, follow=True).status_code == 404
    assert join(link, "somebody else's").status_code == 404
    assert User.objects.get(email=STRANGER).check_password("only dora knows")


def test_t6_a_link_is_good_for_seven_days(clock: Any) -> None:
    invite(owner_of(factories.make_store()))
    link = newest_link()
    clock.shift(timedelta(days=7, seconds=-1))
    assert Client().get(link, follow=True).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert Client().get(link, follow=True).status_code == 404
    assert join(link).status_code == 404
    assert roles_of() == {}


def test_t6_a_link_that_becomes_too_old_on_the_page_counts_no_more(clock: Any) -> None:
    invite(owner_of(factories.make_store()))
    client = Client()
    client.get(newest_link())
    clock.shift(timedelta(days=8))
    sent = {"name": "Dora", "password1": "only dora knows", "password2": "only dora knows"}
    assert client.post(reverse("account_invitation"), sent).status_code == 404
    assert not User.objects.filter(email=STRANGER).exists()


def test_t6_an_invitation_is_withdrawn_and_sent_again() -> None:
    store = factories.make_store()
    owner = owner_of(store)
    invite(owner)
    first = newest_link()
    invitation = Invitation.objects.for_store(store).get()
    assert STRANGER in owner.get(reverse(LIST)).content.decode()
    owner.post(reverse("admin:stores_membership_send_again", args=[invitation.pk]))
    second = newest_link()
    assert Client().get(first, follow=True).status_code == 404
    assert Client().get(second, follow=True).status_code == 200
    owner.post(reverse("admin:stores_membership_withdraw", args=[invitation.pk]))
    assert Client().get(second, follow=True).status_code == 404
    assert STRANGER not in owner.get(reverse(LIST)).content.decode().split('id="invitations"')[1]
    events = list(JournalEntry.objects.for_store(store).order_by("pk").values_list("event", flat=True))
    assert events == ["staff.invited", "staff.invited_again", "staff.invitation_withdrawn"]


def test_t6_a_letter_that_waits_is_not_sent_once_its_invitation_is_withdrawn() -> None:
    store = factories.make_store()
    owner = owner_of(store)
    invite(owner)
    owner.post(reverse("admin:stores_membership_withdraw", args=[Invitation.objects.for_store(store).get().pk]))
    assert letters_to(STRANGER) == []


def test_t1_another_store_s_invitations_are_unknown() -> None:
    store, other = factories.make_store(), factories.make_store()
    invite(owner_of(store))
    pk, outsider = Invitation.objects.for_store(store).get().pk, owner_of(other)
    for name in ("withdraw", "send_again"):
        assert outsider.post(page_of(other, f"admin:stores_membership_{name}", pk)).status_code == 404
    assert STRANGER not in outsider.get(page_of(other, LIST)).content.decode()
    link = newest_link()
    swapped = link.replace(f"/{store.pk}/", f"/{other.pk}/")
    assert Client().get(swapped, follow=True).status_code == 404


@pytest.mark.parametrize("role", [Role.MANAGER, Role.SUPPORT, Role.VIEWER])
def test_t2_only_owners_invite(role: Role) -> None:
    store = factories.make_store()
    invite(owner_of(store))
    pk, other = Invitation.objects.for_store(store).get().pk, owner_of(store, role)
    assert invite(other).status_code == 403
    for name in ("withdraw", "send_again"):
        assert other.post(reverse(f"admin:stores_membership_{name}", args=[pk])).status_code == 403
    answer = other.post(reverse("admin:stores_membership_second_factor"), {"second_factor": "nobody"})
    assert answer.status_code == 403


def test_t2_what_a_removed_owner_had_invited_counts_no_more() -> None:
    store = factories.make_store()
    owner = owner_of(store)
    second = factories.make_user((store, Role.OWNER))
    seconds = Client()
    seconds.force_login(second, backend="django.contrib.auth.backends.ModelBackend")
    invite(seconds, role="owner")
    link = newest_link()
    member = Membership.objects.get(user=second)
    owner.post(reverse("admin:stores_membership_remove", args=[member.pk]))
    assert Client().get(link, follow=True).status_code == 404
    assert seconds.get(reverse(LIST)).status_code in {403, 404}


def test_t2_whoever_works_here_already_is_not_invited() -> None:
    store = factories.make_store()
    member = factories.make_user((store, Role.VIEWER))
    page = invite(owner_of(store), member.email.upper(), "owner")
    assert "works here already" in page.content.decode()
    assert roles_of(member.email) == {store.slug: "viewer"}


def test_t6_an_invitation_again_takes_the_new_role_and_stays_one() -> None:
    store = factories.make_store()
    owner = owner_of(store)
    invite(owner, role="owner")
    invite(owner, f" {STRANGER.upper()} ", role="viewer")
    assert [row.role for row in Invitation.objects.for_store(store).all()] == ["viewer"]
    join(newest_link())
    assert roles_of() == {store.slug: "viewer"}


def test_invitations_are_no_flood(clock: Any) -> None:
    store = factories.make_store()
    owner = owner_of(store)
    for _ in range(3):
        invite(owner)
    assert "can be sent in 5 minutes" in invite(owner).content.decode()
    clock.shift(timedelta(minutes=6))
    assert "is on its way" in invite(owner).content.decode()


def test_t2_the_timeline_names_who_came_and_whose_role_changed() -> None:
    store = factories.make_store()
    owner = owner_of(store)
    invite(owner)
    join(newest_link())
    member = Membership.objects.get(user__email=STRANGER)
    owner.post(reverse("admin:stores_membership_change", args=[member.pk]), {"role": "manager"})
    owner.post(reverse("admin:stores_membership_remove", args=[member.pk]))
    lines = lines_of(
        list(JournalEntry.objects.for_store(store).select_related("order", "remark").order_by("pk")), store
    )
    assert [line.words for line in lines] == [
        "Invited somebody to work here as support",
        "Accepted the invitation to work here as support",
        "Changed the role from support to manager: Dora",
        "No longer works here as manager: Dora",
    ]
    assert lines[1].who == "Dora"
    assert STRANGER not in str([row.data for row in JournalEntry.objects.for_store(store).all()])
