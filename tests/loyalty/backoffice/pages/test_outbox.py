"""The page of outgoing messages."""

import pytest
from django.test import Client

from loyalty.outbox.deliver import deliver_outbox
from loyalty.outbox.models import Message
from loyalty.stores.models import Role, Store
from tests.addresses import reverse
from tests.database import as_owner
from tests.factories import NOW, make_store, make_user
from tests.loyalty.outbox import handlers
from tests.loyalty.outbox.handlers import queued

pytestmark = pytest.mark.django_db
PAGE = "admin:outbox_message_changelist"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers.register(monkeypatch)


def client_of(store: Store, role: Role = Role.SUPPORT) -> Client:
    client = Client()
    client.force_login(make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
    return client


def listed(client: Client, **filters: str) -> str:
    return str(client.get(reverse(PAGE), filters).content.decode())


def test_what_was_given_up_is_listed_with_its_error_and_tried_again_by_hand() -> None:
    message = queued({"give_up": "There is no such <code>."})
    deliver_outbox(NOW)
    client = client_of(message.store)
    page = listed(client, status="failed")
    assert "There is no such &lt;code&gt;." in page
    retry = reverse("admin:outbox_message_retry", args=[message.pk])
    assert retry in page
    assert "There is no such" not in listed(client, status="done")
    with as_owner():
        Message.unscoped.update(body={})
    assert "tried again within a minute" in client.post(retry, follow=True).content.decode()
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("queued", 0)


def test_what_is_done_stays_done() -> None:
    message = queued()
    deliver_outbox(NOW)
    client, retry = client_of(message.store), reverse("admin:outbox_message_retry", args=[message.pk])
    assert retry not in listed(client)
    assert "carried out already" in client.post(retry, follow=True).content.decode()


def test_t1_t2_outsiders_and_viewers_try_nothing_again() -> None:
    message = queued({"give_up": "no"})
    deliver_outbox(NOW)
    retry = reverse("admin:outbox_message_retry", args=[message.pk])
    assert client_of(make_store()).post(retry).status_code == 404
    viewer = client_of(message.store, Role.VIEWER)
    assert viewer.post(retry).status_code == 403
    assert retry not in listed(viewer)
    assert "given up" in listed(viewer).lower()
    message.refresh_from_db()
    assert message.status == "failed"


def test_an_empty_list_says_what_will_be_there() -> None:
    assert "Nothing had to be done outside" in listed(client_of(make_store()))
