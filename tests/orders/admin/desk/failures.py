"""Rows that failed, one of each kind that is tried again."""

from datetime import timedelta
from typing import Any

from loyalty.accounts.models import Invitation, Letter
from loyalty.journal.models import CustomerProblem
from loyalty.notices.models import Notice
from loyalty.outbox.models import Message
from loyalty.platforms.models import InboundDelivery, PlatformConnection
from loyalty.stores.models import Role, Store
from orders.models import Problem
from tests import factories
from tests.deliveries import connect_store
from tests.factories import NOW
from tests.loyalty.webhooks.receiving import make_endpoint

LATER = NOW + timedelta(hours=2)
FAILED: dict[str, Any] = {"attempts": 3, "last_error": "It did not work.", "created_at": NOW}
GIVEN_UP = FAILED | {"status": "failed", "next_attempt_at": None}


def fail(store: Store) -> dict[str, Any]:
    """One row of each kind that failed, by kind."""
    customer = factories.make_customer(store, name="Ada")
    factories.grant("credits", customer, "5.00", until=(NOW + timedelta(days=9)).date())
    order = factories.make_order(customer, payment_status="failed")
    number = Message.objects.for_store(store).count()
    endpoint = make_endpoint(store, "http://127.0.0.1:9/hook")[0]
    aside = {"store": store, "error": "ValueError: bad", "next_attempt_at": LATER, "created_at": NOW}
    connected = PlatformConnection.objects.for_store(store).first() or connect_store(store)
    connected.poll_failures, connected.poll_not_before, connected.poll_error = 5, LATER, "Nobody is there."
    connected.save_changes()
    invitation = Invitation.unscoped.create(
        store=store, email=f"new-{number}@example.org", role=Role.VIEWER, invited_by="x", created_at=NOW,
        expires_at=LATER,
    )  # fmt: skip
    return {
        "message": Message.unscoped.create(
            store=store, topic="platform.tag_order", key=f"a{number}", order=order, **GIVEN_UP
        ),
        "webhook": Message.unscoped.create(
            store=store, topic="webhook", key=f"b{number}", lane=endpoint.lane, **GIVEN_UP,
            body={"type": "order.cancelled", "endpoint": endpoint.pk},
        ),
        "notice": Notice.unscoped.create(
            store=store, customer=customer, to_email="ada@example.org", subject="Your order", text="x", html="x",
            message_id=f"{store.pk}-{number}", **GIVEN_UP,
        ),
        "letter": Letter.objects.create(
            kind="invitation", email=invitation.email, base="https://a.example", store=store, invitation=invitation,
            next_attempt_at=LATER, **FAILED,
        ),
        "delivery": InboundDelivery.unscoped.create(
            store=store, platform="shopify", topic="orders/updated", key=f"c{number}", body=b"{}", attempts=7,
            state="failed", last_error="It has no id.", received_at=NOW,
        ),
        "poll": connected,
        "order": Problem.unscoped.create(order=order, job="orders.auto_cancel", **aside),
        "customer": CustomerProblem.unscoped.create(customer=customer, job="loyalty.deliver_notices", **aside),
    }  # fmt: skip
