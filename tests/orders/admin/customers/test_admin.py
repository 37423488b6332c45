"""The customer page, and giving and removing by hand (L6, M12)."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client

from credits.models import CreditMovement
from loyalty.notices.models import Notice
from loyalty.privacy.erase import erase_customers
from loyalty.store_settings.sections import NotifySettings, StoreSettings
from loyalty.stores.models import Customer, Role, Store
from points.models import PointLot, PointMovement
from tests import factories
from tests.addresses import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store)


def sign_in(store: Store, role: Role) -> Client:
    client = Client()
    client.force_login(factories.make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
    return client


def adjust(client: Client, customer: Customer, kind: str = "credits", **fields: str) -> object:
    address = reverse("admin:stores_customer_adjust", args=[customer.pk, kind])
    return client.post(address, {"direction": "give", "amount": "10", "reason": "Sorry", "once": "t" * 32} | fields)


def test_l6_a_gift_is_given_once_however_often_it_is_sent(store: Store, customer: Customer) -> None:
    client = sign_in(store, Role.SUPPORT)
    adjust(client, customer)
    adjust(client, customer)
    movement = CreditMovement.objects.for_store(store).get()
    assert movement.amount == Decimal(10)
    assert movement.actor.startswith("user:")
    page = client.get(reverse("admin:stores_customer_change", args=[customer.pk]), {"tab": "credits"}).content.decode()
    for words in ("10.00 USD", "Sorry", "Given"):
        assert words in page


def test_l6_support_staff_have_a_limit_and_managers_none(store: Store, customer: Customer) -> None:
    refused = adjust(sign_in(store, Role.SUPPORT), customer, amount="100.01")
    assert "100.00 USD left today" in refused.content.decode()  # type: ignore[attr-defined]
    assert not CreditMovement.objects.for_store(store).exists()
    adjust(sign_in(store, Role.MANAGER), customer, amount="100.01")
    assert CreditMovement.objects.for_store(store).count() == 1


def test_t7_forms_of_a_day_count_together_and_the_page_says_what_is_left(store: Store, customer: Customer) -> None:
    client = sign_in(store, Role.SUPPORT)
    page = reverse("admin:stores_customer_adjust", args=[customer.pk, "credits"])
    assert "100.00 USD left today." in client.get(page).content.decode()
    adjust(client, customer, amount="60", once="1" * 32)
    adjust(client, customer, amount="15", direction="remove", once="2" * 32)
    assert "25.00 USD left today." in client.get(page).content.decode()
    refused = adjust(client, customer, amount="25.01", once="3" * 32)
    assert "25.00 USD left today. Ask a manager for more." in refused.content.decode()  # type: ignore[attr-defined]
    adjust(client, customer, amount="25", once="3" * 32)
    assert [row.amount for row in CreditMovement.objects.for_store(store).order_by("pk")] == [60, -15, 25]
    assert "left today" not in sign_in(store, Role.MANAGER).get(page).content.decode()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("credits", {"amount": "0"}),
        ("credits", {"amount": "-5"}),
        ("credits", {"amount": "1.005"}),
        ("credits", {"amount": "NaN"}),
        ("credits", {"amount": "9" * 30}),
        ("credits", {"reason": ""}),
        ("credits", {"expires_on": "2001-01-01"}),
        ("credits", {"direction": "remove", "amount": "1"}),
        ("points", {"amount": "1.5"}),
    ],
)
def test_l6_bad_input_is_shown_and_nothing_is_written(
    store: Store, customer: Customer, kind: str, fields: dict[str, str]
) -> None:
    answer = adjust(sign_in(store, Role.OWNER), customer, kind, **fields)
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert "field-error" in answer.content.decode()  # type: ignore[attr-defined]
    assert not CreditMovement.objects.for_store(store).exists()
    assert not PointMovement.objects.for_store(store).exists()


def test_l6_a_refused_form_can_be_sent_again(store: Store, customer: Customer) -> None:
    client = sign_in(store, Role.OWNER)
    adjust(client, customer, "points", direction="remove", amount="5")
    adjust(client, customer, "points", amount="5")
    assert PointLot.objects.for_store(store).get().remaining == 5


def test_the_profile_is_edited_by_support_and_not_by_viewers(store: Store, customer: Customer) -> None:
    address = reverse("admin:stores_customer_change", args=[customer.pk])
    sent = {"name": "Ana Lee", "email": "ana@example.org", "phone": "", "locale": "en"}
    assert sign_in(store, Role.VIEWER).post(address, sent).status_code == 403
    wrong = sign_in(store, Role.SUPPORT).post(address, sent | {"email": "nonsense"})
    assert "valid email" in wrong.content.decode()
    assert sign_in(store, Role.SUPPORT).post(address, sent).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.email) == ("Ana Lee", "ana@example.org")


@pytest.mark.parametrize("tab", ["profile", "credits", "points", "orders", "notices", "unknown"])
def test_m12_every_tab_opens_empty_and_full(store: Store, customer: Customer, tab: str) -> None:
    client = sign_in(store, Role.VIEWER)
    address = reverse("admin:stores_customer_change", args=[customer.pk])
    assert client.get(address, {"tab": tab}).status_code == 200
    factories.grant("credits", customer, "20.00")
    factories.grant("points", customer, 20)
    factories.cancel_and_return(factories.make_order(customer, credits="15.00", points=5))
    assert client.get(address, {"tab": tab, "page": "x"}).status_code == 200


def test_t1_another_stores_customer_is_unknown(customer: Customer) -> None:
    other = sign_in(factories.make_store(), Role.OWNER)
    assert adjust(other, customer).status_code == 404  # type: ignore[attr-defined]


def test_l6_h3_the_customer_is_told_once_of_what_was_given_where_the_box_is_ticked(store: Store) -> None:
    client = sign_in(store, Role.MANAGER)
    ana = factories.make_customer(store, name="Ana Lee", email="ana@example.org")
    address = reverse("admin:stores_customer_adjust", args=[ana.pk, "points"])
    assert not client.get(address).context["form"]["notify"].value()
    adjust(client, ana, "points", amount="250", once="1" * 32)
    assert not Notice.unscoped.exists()
    for _ in range(2):
        adjust(client, ana, "points", amount="100", once="2" * 32, notify="on", expires_on="2030-01-31", note="angry")
    adjust(client, ana, "points", amount="50", once="3" * 32, notify="on", direction="remove", reason="Mistake")
    said = client.get(reverse("admin:stores_customer_change", args=[ana.pk])).content.decode()
    assert "The message to ana@example.org is on its way." in said
    refused = adjust(client, ana, "points", amount="999", once="4" * 32, notify="on", direction="remove")
    assert refused.status_code == 200  # type: ignore[attr-defined]
    gift, removal = Notice.objects.for_store(store).order_by("pk")
    assert (gift.to_email, gift.customer_id, gift.order_id) == ("ana@example.org", ana.pk, None)
    assert gift.subject == f"{store.name}: your member points have changed"
    assert "- Given to you: 100 points, valid until January 31, 2030" in gift.text
    assert "You now have 350 points." in gift.text
    assert "- Removed: 50 points\n" in removal.text
    for words in ("angry", "Sorry", "Mistake"):
        assert words not in gift.text + gift.html + removal.text + removal.html


def test_l6_h3_the_box_is_ticked_beforehand_where_the_store_wants_it(store: Store) -> None:
    client = sign_in(store, Role.MANAGER)
    nobody = factories.make_customer(store, name="Ben", email="")
    factories.make_settings(store, StoreSettings(notify=NotifySettings(on_adjustment_default=True)))
    for page in (
        reverse("admin:stores_customer_adjust", args=[nobody.pk, "credits"]),
        reverse("admin:stores_customer_points"),
    ):
        assert client.get(page).context["form"]["notify"].value() is True
    done = adjust(client, nobody, notify="on")
    assert client.get(done.url).content.decode().count("Nobody was told: Ben has no e-mail address.") == 1  # type: ignore[attr-defined]


def test_h3_what_was_said_of_a_gift_is_erased_with_the_customer(store: Store) -> None:
    ana = factories.make_customer(store, name="Ana Lee", email="ana@example.org")
    adjust(sign_in(store, Role.MANAGER), ana, "points", notify="on")
    with transaction.atomic():
        erase_customers(store=store, customer_ids=[ana.pk], actor=factories.ACTOR, now=factories.NOW)
    notice = Notice.objects.for_store(store).get()
    assert "Ana Lee" not in notice.text + notice.html
    assert "ana@example.org" not in notice.to_email
