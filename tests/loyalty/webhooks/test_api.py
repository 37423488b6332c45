"""Webhook endpoints over REST."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from loyalty.api.models import CommandAnswer
from loyalty.api.urls import urlpatterns
from loyalty.journal.models import JournalEntry
from loyalty.stores.keys import Scope, create_api_key
from loyalty.stores.models import Store
from loyalty.webhooks.endpoints import MOST_ENDPOINTS
from loyalty.webhooks.models import WebhookEndpoint
from tests.factories import NOW, make_store
from tests.loyalty.api.support import ApiClient
from tests.loyalty.webhooks.receiving import Receiver, counts, deliver, happen
from tests.published import disagreements

pytestmark = pytest.mark.usefixtures("db", "frozen_clock")

URL = "https://192.88.100.1/hook"  # public, so that nothing has to be looked up


def client_of(store: Store, *scopes: str) -> ApiClient:
    return ApiClient(create_api_key(store=store, name="test", scopes=scopes or ("*",), now=NOW)[1])


@pytest.fixture
def api(store: Store) -> ApiClient:
    return client_of(store, "webhooks:write")


def create(api: ApiClient, **body: Any) -> Any:
    answer = api.command("/webhook-endpoints/", {"url": URL, "events": ["order.cancelled"]} | body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def refusal(answer: Any) -> tuple[int, list[tuple[str, str]]]:
    return answer.status_code, [(error["pointer"], error["code"]) for error in answer.json().get("errors", [])]


def test_an_endpoint_is_made_read_changed_and_removed(api: ApiClient, store: Store) -> None:
    answer = api.command("/webhook-endpoints/", {"url": URL, "events": ["order.cancelled"], "description": "ERP"})
    made = answer.json()
    secret = made.pop("secret")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert made == {
        "id": made["id"],
        "url": URL,
        "description": "ERP",
        "events": ["order.cancelled"],
        "enabled": True,
        "disabled_at": None,
        "disabled_because": None,
        "failing_since": None,
        "previous_secret_until": None,
        "created_at": "2026-01-05T06:00:00Z",
        "updated_at": "2026-01-05T06:00:00Z",
    }
    address = f"/webhook-endpoints/{made['id']}/"
    assert answer["Location"].endswith(address)
    assert api.read(address).json() == made
    assert api.read("/webhook-endpoints/").json()["results"] == [made]

    changes = {"events": ["customer.balance_changed", "order.cancelled"], "enabled": False}
    changed = api.send("PATCH", address, changes).json()
    assert changed["events"] == ["order.cancelled", "customer.balance_changed"]
    assert (changed["enabled"], changed["disabled_because"], changed["url"]) == (False, "person", URL)
    assert api.send("PATCH", address, {"enabled": True}).json()["enabled"] is True

    assert "secret" not in changed
    assert api.send("PATCH", address, {"url": f"{URL}/2"}).json()["secret"].startswith("whsec_")  # T8

    assert api.send("DELETE", address).status_code == 204
    assert api.send("DELETE", address).status_code == 404
    assert api.read(address).status_code == 404
    assert api.read("/webhook-endpoints/").json()["results"] == []
    said = JournalEntry.objects.for_store(store).order_by("id").values_list("data__change", flat=True)
    assert list(said) == ["created", "disabled", "enabled", "changed", "removed"]


def test_the_secret_is_shown_once_and_kept_nowhere_in_the_open(api: ApiClient, store: Store) -> None:
    body = {"url": URL, "events": ["order.cancelled"]}
    first = api.command("/webhook-endpoints/", body, key="once")
    secret = first.json()["secret"]
    assert "secret" not in api.read(f"/webhook-endpoints/{first.json()['id']}/").json()
    stored = CommandAnswer.objects.for_store(store).get(key="once")
    assert secret.encode() not in bytes(stored.body)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM webhooks_webhookendpoint")
        assert secret.removeprefix("whsec_") not in cursor.fetchone()[0]

    again = api.command("/webhook-endpoints/", body, key="once")
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert WebhookEndpoint.objects.for_store(store).count() == 1


def test_an_answer_whose_key_is_gone_is_not_repeated(api: ApiClient, settings: Settings) -> None:
    body = {"url": URL, "events": ["order.cancelled"]}
    api.command("/webhook-endpoints/", body, key="once")
    settings.CREDENTIALS_KEYS = ["another key, which has never encrypted anything"]
    again = api.command("/webhook-endpoints/", body, key="once")
    assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "http://192.88.100.1/"}, "/url", "address-not-allowed"),
        ({"url": "https://10.0.0.1/"}, "/url", "address-not-allowed"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url", "address-not-allowed"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "/url", "address-not-allowed"),
        ({"url": "https://me:secret@192.88.100.1/"}, "/url", "address-not-allowed"),
        ({"url": "example.com"}, "/url", "address-not-allowed"),
        ({"url": "https://192.88.100.1/" + "x" * 500}, "/url", "too-long"),
        ({"url": ""}, "/url", "blank"),
        ({"url": None}, "/url", "null"),
        ({"events": []}, "/events", "too-short"),
        ({"events": ["order.cancelled", "order.eaten"]}, "/events/1", "invalid-choice"),
        ({"events": ["webhook.test"]}, "/events/0", "invalid-choice"),
        ({"events": "order.cancelled"}, "/events", "invalid"),
        ({"description": "x" * 101}, "/description", "too-long"),
        ({"enabled": "yes"}, "/enabled", "invalid"),
        ({"secret": "whsec_mine"}, "/secret", "unknown-field"),
    ],
)
def test_bad_bodies_name_the_field(
    api: ApiClient, store: Store, settings: Settings, body: Any, pointer: str, code: str
) -> None:
    settings.OUTGOING_TO_LOCALHOST = False
    whole = {"url": URL, "events": ["order.cancelled"]} | body
    assert refusal(api.command("/webhook-endpoints/", whole)) == (422, [(pointer, code)])
    assert not WebhookEndpoint.objects.for_store(store).exists()
    endpoint = create(api)
    answer = api.send("PATCH", f"/webhook-endpoints/{endpoint['id']}/", body)
    assert refusal(answer) == (422, [(pointer, code)])


def test_production_takes_no_address_of_its_own_machine(api: ApiClient, settings: Settings) -> None:
    settings.OUTGOING_TO_LOCALHOST = False
    for url in ("http://127.0.0.1:8000/", "https://localhost/", "https://[::1]/", "https://2130706433/"):
        answer = api.command("/webhook-endpoints/", {"url": url, "events": ["order.cancelled"]})
        assert refusal(answer) == (422, [("/url", "address-not-allowed")])


def test_a_store_has_a_limited_number(api: ApiClient) -> None:
    made = [create(api) for _ in range(MOST_ENDPOINTS)]
    answer = api.command("/webhook-endpoints/", {"url": URL, "events": ["order.cancelled"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-endpoints")
    api.send("DELETE", f"/webhook-endpoints/{made[0]['id']}/")
    create(api)


def test_rotation_answers_a_new_secret_and_names_the_time_of_the_old_one(api: ApiClient) -> None:
    endpoint = create(api)
    address = f"/webhook-endpoints/{endpoint['id']}/rotate-secret/"
    first = api.command(address, {}).json()
    assert first["secret"] not in ("", endpoint["secret"])
    assert first["previous_secret_until"] == "2026-01-06T06:00:00Z"
    second = api.command(address, {"overlap_hours": 0}).json()
    assert second["secret"] != first["secret"]
    assert second["previous_secret_until"] is None
    assert refusal(api.command(address, {"overlap_hours": 169})) == (422, [("/overlap_hours", "too-large")])
    assert api.send("POST", address, {}).status_code == 400


def delivered(api: ApiClient, store: Store, receiver: Receiver) -> tuple[str, Any]:
    """The address of an endpoint's deliveries, and the one that it has, which failed once and then arrived."""
    endpoint = create(api, url=receiver.url, events=["order.cancelled"])
    happen(store)
    receiver.answers(500, "not now")
    deliver()
    receiver.answers(200, "thanks")
    address = f"/webhook-endpoints/{endpoint['id']}/deliveries/"
    return address, api.read(address).json()["results"][0]


def test_deliveries_are_listed_with_their_attempts_and_replayed(
    api: ApiClient, store: Store, receiver: Receiver
) -> None:
    address, delivery = delivered(api, store, receiver)
    assert delivery["status"] == "queued"
    assert delivery["attempts"][0].items() >= {"status_code": 500, "error": "", "answer": "not now"}.items()

    replayed = api.command(f"/deliveries/{delivery['id']}/replay/", None)
    assert replayed.status_code == 200
    assert replayed.json()["next_attempt_at"] == "2026-01-05T06:00:00Z"
    assert deliver() == counts(done=1)
    (after,) = api.read(address).json()["results"]
    assert (after["status"], after["delivered_at"]) == ("delivered", "2026-01-05T06:00:00Z")
    assert [attempt["status_code"] for attempt in after["attempts"]] == [500, 200]
    assert {received.headers["webhook-id"] for received in receiver.received} == {after["webhook_id"]}

    nested = api.command(f"{address}{delivery['id']}/replay/", None)
    assert (nested.status_code, nested.json()["status"]) == (200, "queued")
    other = create(api)
    elsewhere = api.command(f"/webhook-endpoints/{other['id']}/deliveries/{delivery['id']}/replay/", None)
    assert elsewhere.status_code == 404


def test_a_replay_to_an_endpoint_that_is_off_is_refused(api: ApiClient, store: Store, receiver: Receiver) -> None:
    address, delivery = delivered(api, store, receiver)
    api.send("PATCH", address.removesuffix("deliveries/"), {"enabled": False})
    answer = api.command(f"/deliveries/{delivery['id']}/replay/", None)
    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint-disabled")


def test_deliveries_are_filtered(api: ApiClient, store: Store, receiver: Receiver) -> None:
    address, delivery = delivered(api, store, receiver)

    def found(**parameters: str) -> list[str]:
        return [row["id"] for row in api.read(address, **parameters).json()["results"]]

    assert found(status="queued") == found(type="order.cancelled") == found(status="failed,queued") == [delivery["id"]]
    assert found(status="delivered") == found(type="order.revert_undone") == []
    assert api.read(address, status="done").status_code == 400
    assert api.read(address, colour="red").status_code == 400


def test_a_page_takes_the_same_few_statements_whatever_its_size(
    api: ApiClient, store: Store, receiver: Receiver
) -> None:
    address, _ = delivered(api, store, receiver)
    happen(store, 30)
    deliver()

    def statements(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(api.read(address, limit=limit).json()["results"]) == limit
        return len(captured)

    assert statements(30) == statements(2) <= 8


def test_every_address_needs_the_scope(store: Store) -> None:
    others = [scope for scope in Scope if scope != "webhooks:write"]
    client = client_of(store, *others)
    for method, address in ADDRESSES:
        path = address.format(endpoint="1", delivery="1")
        answer = client.command(path, {}) if method == "POST" else client.send(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope"), path


ADDRESSES = [
    ("GET", "/webhook-endpoints/{endpoint}/"),
    ("PATCH", "/webhook-endpoints/{endpoint}/"),
    ("DELETE", "/webhook-endpoints/{endpoint}/"),
    ("POST", "/webhook-endpoints/{endpoint}/rotate-secret/"),
    ("GET", "/webhook-endpoints/{endpoint}/deliveries/"),
    ("POST", "/webhook-endpoints/{endpoint}/deliveries/{delivery}/replay/"),
    ("POST", "/deliveries/{delivery}/replay/"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_t1_a_foreign_id_answers_as_an_unknown_one(
    api: ApiClient, store: Store, receiver: Receiver, method: str, address: str
) -> None:
    deliveries, delivery = delivered(api, store, receiver)
    endpoint = deliveries.split("/")[2]
    outsider = client_of(make_store())
    before = api.read(deliveries).json(), api.read(f"/webhook-endpoints/{endpoint}/").json()

    def ask(**ids: str) -> Any:
        path = address.format(**ids)
        return outsider.command(path, None) if method == "POST" else outsider.send(method, path, _body(method))

    foreign = ask(endpoint=endpoint, delivery=delivery["id"])
    unknown = ask(endpoint="987654321", delivery="987654321")
    nonsense = ask(endpoint="x", delivery="x")
    assert [answer.status_code for answer in (foreign, unknown, nonsense)] == [404, 404, 404]
    assert {answer.json()["code"] for answer in (foreign, unknown, nonsense)} == {"not-found"}
    assert (api.read(deliveries).json(), api.read(f"/webhook-endpoints/{endpoint}/").json()) == before
    assert outsider.read("/webhook-endpoints/").json()["results"] == []


def _body(method: str) -> Any:
    return {"enabled": False} if method == "PATCH" else None


def test_t1_every_address_is_walked() -> None:
    known = {
        "/" + str(item.pattern).replace("<str:endpoint_id>", "{endpoint}").replace("<str:delivery_id>", "{delivery}")
        for item in urlpatterns
        if str(item.pattern).startswith(("webhook-endpoints/", "deliveries/"))
    }
    assert known - {"/webhook-endpoints/"} == {address for _, address in ADDRESSES}


def test_answers_are_as_the_schema_says(api: ApiClient, store: Store, receiver: Receiver) -> None:
    deliveries, delivery = delivered(api, store, receiver)
    endpoint = deliveries.removesuffix("deliveries/")
    one = "/webhook-endpoints/{endpoint_id}/"
    replay = "/deliveries/{delivery_id}/replay/"
    create_body = {"url": URL, "events": ["order.cancelled"]}
    answers = [
        ("/webhook-endpoints/", "get", "200", api.read("/webhook-endpoints/")),
        ("/webhook-endpoints/", "post", "201", api.command("/webhook-endpoints/", create_body)),
        (one, "get", "200", api.read(endpoint)),
        (one, "patch", "200", api.send("PATCH", endpoint, {"enabled": False})),
        (one, "patch", "200", api.send("PATCH", endpoint, {"enabled": True})),
        (f"{one}rotate-secret/", "post", "200", api.command(f"{endpoint}rotate-secret/", {})),
        (f"{one}deliveries/", "get", "200", api.read(deliveries)),
        (replay, "post", "200", api.command(f"/deliveries/{delivery['id']}/replay/", None)),
    ]
    for address, method, status, answer in answers:
        assert disagreements(answer.json(), method, address, status=status) == []
