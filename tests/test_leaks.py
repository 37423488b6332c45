"""Secrets and personal data are where they have business, and nowhere else (quality.md, Security).

A full run is made with canaries in the place of secrets and of a customer's data: people sign in, platforms deliver,
jobs work, pages, files and answers are opened, and everything fails once. All that is written meanwhile is kept by the
place where it was written, and ``MAY_BE_IN`` says, canary by canary, which places are right: no other, and no fewer,
so that a place that is no longer looked at is noticed too.
"""

import base64
import json
import logging
import logging.config
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import BytesIO, StringIO
from itertools import product
from smtplib import SMTPRecipientsRefused
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import quote

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from celery.signals import before_task_publish
from django.conf import settings
from django.contrib import admin
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client, TestCase
from redis import Redis

from loyalty.accounts.prove import prove
from loyalty.backoffice.lists import export as exporting
from loyalty.celery import app
from loyalty.core.encryption import Secret
from loyalty.core.logs import to_standard_output
from loyalty.jobs.periodic import JOBS
from loyalty.notices.write import Letter, queue
from loyalty.notices.write import Message as Words
from loyalty.platforms.models import PlatformConnection
from loyalty.serving.worker import logged
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Customer, Role, User
from loyalty.web.addresses import common_page, page_of
from orders.models import Order, Problem
from tests import factories
from tests.database import as_owner
from tests.deliveries import shopify
from tests.factories import NOW
from tests.loyalty.accounts.mailbox import letters_to, link_in
from tests.loyalty.api.support import ApiClient
from tests.loyalty.backoffice.test_every_address import GET_PAGES, Shop
from tests.loyalty.platforms.samples import order as document

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PASSWORD: Final = "canary of a password"
WRONG_PASSWORD: Final = "canary of another password"
FACTOR: Final = "CANARYOFATOTPSECRETAAAAAAAAAAAAA"
TOKEN: Final = "shpat_canary_access_token"
WEBHOOK_SECRET: Final = "shpss_canary_webhook_secret"
EMAIL: Final = "canary.customer@mail.example"
NAME: Final = "Canaria Quill"
PHONE: Final = "+886900424242"
STAFF: Final = "canary.staff@shop.example"


FORMATS: Final = dict(exporting.FORMATS)
# Whoever may see the files below may see whose orders and movements they are.
FILES: Final = {
    f"{suffix} {export}"
    for suffix in FORMATS
    for export in (
        "credit-lots of customer",
        "credit-movements of customer",
        "credits-used of order",
        "customers of customer",
        "orders of order",
        "point-lots of customer",
        "point-movements of customer",
        "redemptions of customer",
        "redemptions of redemption",
        "reverts of revert",
    )
}
MAY_BE_IN: Final[dict[str, set[str]]] = {
    "a password": set(),
    "a wrong password": set(),
    "a session": {"table django_session", "table usersessions_usersession"},
    "a second factor": set(),
    "an invitation": {"mail"},
    "a new password's link": {"mail"},
    "an API key": set(),
    "an endpoint's secret": set(),
    "an access token": set(),
    "a webhook secret": set(),
    "an address of staff": {"mail", "page", "table account_emailaddress", "table stores_user"},
    "a customer's address": {"answer", "mail", "page", "table api_commandanswer", "table notices_notice"}
    | {"table platforms_inbounddelivery", "table stores_customer"}
    | FILES,
    # An order is numbered so, for the database to quote it.
    "a customer's name": {"answer", "mail", "page", "table api_commandanswer", "table notices_notice"}
    | {"table orders_order", "table stores_customer"}
    | FILES,
    "a customer's phone": {"answer", "page", "csv customers of customer", "xlsx customers of customer"}
    | {"table platforms_inbounddelivery", "table stores_customer"},
    # Kept for a command that is repeated, and encrypted.
    "an answered secret": {"answer"},
}


class Written:
    """What was written, by place."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = defaultdict(list)

    def places_of(self, canary: str) -> set[str]:
        """Where a canary was seen, in whatever form."""
        data = canary.encode()
        forms = {canary, quote(canary), data.hex(), base64.b64encode(data).decode(), json.dumps(canary)[1:-1]}
        return {place for place, texts in self.texts.items() if any(form in text for form in forms for text in texts)}

    def answer(self, environ: Mapping[str, Any], response: Any) -> None:
        """Keep an answer, and the line that the server writes about it."""
        path = environ["PATH_INFO"]
        if response.status_code >= 400:
            place = "error"
        elif path.startswith("/api/"):
            place = "answer"
        else:
            export = re.search(r"/([a-z]+)/export/([a-z-]+)\.(csv|xlsx)$", path)
            place = f"{export[3]} {export[2]} of {export[1]}" if export else "page"
        if response.streaming:
            parts = list(response.streaming_content)
            response.streaming_content = iter(parts)
            body = b"".join(parts)
        else:
            body = response.content
        self.texts[place] += _texts_in(body)
        request = SimpleNamespace(command=environ["REQUEST_METHOD"], path=path)
        with logged(SimpleNamespace(request=request, status=str(response.status_code))):
            pass

    def database(self) -> None:
        """Keep every row of every table."""
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT kept::text FROM "{table}" AS kept')
                self.texts[f"table {table}"] += [row for (row,) in cursor.fetchall()]

    def valkey(self) -> None:
        """Keep every key and value of the queue and the cache."""
        for address in (settings.REDIS_URL, settings.CACHES["default"]["LOCATION"]):
            with Redis.from_url(str(address)) as server:
                for key in server.scan_iter():
                    self.texts["valkey"] += [said.decode(errors="replace") for said in (key, *_values(server, key))]

    def message(self, **sent: Any) -> None:
        """Keep what is put into the queue, from which a worker may take it before anybody reads it there."""
        self.texts["queue"].append(repr(sent))


def _texts_in(body: bytes) -> list[str]:
    """The text of an answer; a workbook's parts are compressed."""
    if not body.startswith(b"PK"):
        return [body.decode(errors="replace")]
    with zipfile.ZipFile(BytesIO(body)) as parts:
        return [parts.read(name).decode() for name in parts.namelist()]


def _values(server: Any, key: bytes) -> Iterator[bytes]:
    """What stands under a key; nothing where it has gone meanwhile."""
    match server.type(key):
        case b"string":
            yield server.get(key) or b""
        case b"list":
            yield from server.lrange(key, 0, -1)
        case b"set":
            yield from server.smembers(key)
        case b"zset":
            yield from server.zrange(key, 0, -1)
        case b"hash":
            for name, value in server.hgetall(key).items():
                yield from (name, value)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Everything that is logged, answered and mailed while the test runs."""
    kept = Written()
    ask = Client.request

    def asked(client: Client, **environ: Any) -> Any:
        response = ask(client, **environ)
        kept.answer(environ, response)
        return response

    monkeypatch.setattr(Client, "request", asked)
    written_by = [
        logging.config.DictConfigurator({}).configure_formatter(dict(facts))
        for facts in to_standard_output(level="INFO")["formatters"].values()
    ]

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.texts["log"] += [formatter.format(record) for formatter in written_by]

    handler = Handler(logging.INFO)
    logging.getLogger().addHandler(handler)
    before_task_publish.connect(kept.message)
    with time_machine.travel(NOW, tick=False):
        yield kept
    before_task_publish.disconnect(kept.message)
    logging.getLogger().removeHandler(handler)


def refuse_rows(table: str, store_id: int) -> None:
    """From now on the database refuses rows of the store, and quotes them in its error."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT poison CHECK (store_id <> {store_id}) NOT VALID')


def test_secrets_and_personal_data_are_only_where_they_have_business(written: Written) -> None:
    shop = Shop()
    canaries = _people(shop) | _keys(shop)
    canaries |= {"an access token": TOKEN, "a webhook secret": WEBHOOK_SECRET}
    canaries |= {"a customer's address": EMAIL, "a customer's name": NAME, "a customer's phone": PHONE}
    Customer.unscoped.filter(pk=shop.customer.pk).update(email=EMAIL, name=NAME)
    PlatformConnection.unscoped.filter(pk=shop.connection.pk).update(
        base_url="http://127.0.0.1:1", access_token=Secret.of(TOKEN), webhook_secret=Secret.of(WEBHOOK_SECRET)
    )
    api = ApiClient(canaries["an API key"])
    api.raise_request_exception = False
    with TestCase.captureOnCommitCallbacks(execute=True):
        _deliver(shop, "1")
        canaries["an answered secret"] = _command(shop, api)
    _work(written)
    _look(shop, api)
    written.valkey()
    _errors(shop, api)
    _fail(shop, api, written)
    written.database()
    written.valkey()
    assert written.texts["queue"]
    assert "dashboard:" in "".join(written.texts["valkey"])
    written.texts["mail"] += [f"{one.to} {one.subject} {one.body}" for one in mail.outbox]
    found = {name: written.places_of(canary) for name, canary in canaries.items()}
    assert found == MAY_BE_IN


def _people(shop: Shop) -> dict[str, str]:
    """People sign in, wrongly and rightly, by password, code and link; answers what lets them in."""
    user = factories.make_user((shop.store, Role.OWNER), email=STAFF)
    user.set_password(PASSWORD)
    user.save()
    prove(user)
    login, browser = common_page("admin:login"), Client()
    for password in (WRONG_PASSWORD, PASSWORD):
        browser.post(login, {"username": STAFF, "password": password})
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    TOTP.activate(user, FACTOR)
    Client().post(login, {"username": STAFF, "password": PASSWORD})
    browser.post(page_of(shop.store, "admin:stores_membership_add"), {"email": "new@shop.example", "role": "support"})
    Client().post("/accounts/password/reset/", {"email": STAFF})
    links = [link_in(letters_to(address)[-1]) for address in ("new@shop.example", STAFF)]
    for link in links:
        Client().get(link)
        Client().delete(link)
        Client().get(f"{link}x")
    return {
        "a password": PASSWORD,
        "a wrong password": WRONG_PASSWORD,
        "a session": session,
        "a second factor": FACTOR,
        "an invitation": links[0].rstrip("/").rpartition("/")[2],
        "a new password's link": links[1].rstrip("/").rpartition("-")[2],
        "an address of staff": STAFF,
    }


def _keys(shop: Shop) -> dict[str, str]:
    key = create_api_key(store=shop.store, name="canary", scopes=["*"], now=NOW)[1]
    signed_with = shop.endpoint.secret.reveal()
    return {"an API key": key, "an endpoint's secret": signed_with}


def _deliver(shop: Shop, order: str) -> None:
    """The platform sends an order, and somebody who is not the platform does."""
    first, _, last = NAME.partition(" ")
    customer = {"id": 7, "email": EMAIL, "first_name": first, "last_name": last, "phone": PHONE}
    named = {"id": order, "name": f"#{order}", "order_number": order}
    sent = document("shopify", **named, email=EMAIL, contact_email=EMAIL, phone=PHONE, customer=customer)
    assert shopify(sent, secret=WEBHOOK_SECRET).send(shop.store).status_code == 200
    assert shopify(sent, secret="guessed").send(shop.store).status_code == 401


def _command(shop: Shop, api: ApiClient) -> str:
    """Commands whose answers are kept, each sent twice; answers a secret that only the answer tells."""
    new = {"number": "kept", "customer": str(shop.customer.pk), "currency": shop.store.currency, "total": "1"}
    endpoint = {"url": "https://shop.example/hook", "events": ["order.cancelled"]}
    for _ in range(2):
        assert api.command("/orders/", new, key="an order").status_code == 201
        answer = api.command("/webhook-endpoints/", endpoint, key="an endpoint")
        assert answer.status_code == 201
    return str(answer.json()["secret"])


def _work(written: Written) -> None:
    """Every job runs, as a worker does it and as the command."""
    for name in JOBS:
        with suppress(Exception):
            app.tasks[name].run()
    said = StringIO()
    try:
        call_command("run_jobs", stdout=said)
    except CommandError as error:
        said.write(str(error))
    written.texts["command"].append(said.getvalue())


def _look(shop: Shop, api: ApiClient) -> None:
    """An owner opens the pages on which secrets and people could stand, every file, and what REST answers."""
    owner = Client()
    owner.force_login(User.objects.get(email=STAFF), backend="django.contrib.auth.backends.ModelBackend")
    for name in GET_PAGES:
        if name == "index" or name.startswith(
            ("stores_", "platforms_", "webhooks_", "outbox_", "journal_", "notices_", "orders_problem")
        ):
            assert owner.get(shop.address(name)).status_code == 200
    for model, shown in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_export"
        for export, suffix in product(getattr(shown, "exports", ()), FORMATS):
            assert owner.get(page_of(shop.store, name, export.key, suffix)).status_code == 200
    for path in ("customers", "orders", "redemptions", "reverts", "webhook-endpoints", "settings"):
        assert api.read(f"/{path}/").status_code == 200


def _errors(shop: Shop, api: ApiClient) -> None:
    """Whatever is answered 400, 401, 403, 404, 405, 409, 413."""
    person = {"email": EMAIL, "name": NAME, "external_id": "x"}
    api.send("POST", "/customers/", person | {"email": f"{EMAIL}\n"})
    api.command("/orders/", {"number": NAME, "customer": EMAIL, "total": NAME})
    api.read("/customers/", email=EMAIL)
    api.read(f"/customers/{EMAIL}/")
    ApiClient(f"{api.defaults['HTTP_AUTHORIZATION'].removeprefix('Bearer ')}x").read("/orders/")
    api.send("POST", "/customers/", f'{{"email": "{EMAIL}", "name": ')
    outsider = Client(raise_request_exception=False)
    outsider.get(f"/admin/nowhere/?q={EMAIL}")
    outsider.get(page_of(shop.store, "admin:orders_order_changelist"), {"q": EMAIL})
    outsider.post(f"/hooks/shopify/{shop.store.slug}/", EMAIL, content_type="text/plain")
    outsider.get("/", headers={"host": "elsewhere.example"})
    checked = Client(enforce_csrf_checks=True, raise_request_exception=False)
    checked.post(common_page("admin:login"), {"username": STAFF, "password": PASSWORD})


def _fail(shop: Shop, api: ApiClient, written: Written) -> None:
    """The database, the mail server and the partners refuse everything, and quote it in their errors."""
    Client().post("/accounts/password/reset/", {"email": STAFF})
    words = Words(f"For {NAME}", f"Dear {NAME}", f"<p>{NAME}</p>")
    nobody = factories.make_customer(shop.store, email=EMAIL.replace("@", "@["), name=NAME)
    for customer in (shop.customer, nobody):
        customer.refresh_from_db()
        queue([Letter(words, customer, None)], actor=factories.ACTOR, now=NOW)
    owner = Client(raise_request_exception=False)
    owner.force_login(User.objects.get(email=STAFF), backend="django.contrib.auth.backends.ModelBackend")
    owner.post(page_of(shop.store, "admin:platforms_platformconnection_check", shop.connection.pk))
    with patch.object(EmailBackend, "send_messages", side_effect=SMTPRecipientsRefused({EMAIL: (550, EMAIL.encode())})):
        _work(written)
    _deliver(shop, "2")
    order = factories.make_order(shop.customer, status="confirmed", number=NAME)
    Order.unscoped.filter(pk=order.pk).update(payment_status="failed", payment_changed_at=factories.BEFORE)
    for table in ("stores_customer", "notices_notice", "orders_order", "accounts_letter", "platforms_inbounddelivery"):
        refuse_rows(table, shop.store.pk)
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        _work(written)
        assert Problem.objects.for_store(shop.store).get().order_id == order.pk
        with pytest.raises(IntegrityError), transaction.atomic():
            _deliver(shop, "3")
        with undone():
            api.send("POST", "/customers/", {"email": f"another.{EMAIL}", "name": NAME, "external_id": "another"})
        with undone():
            form = {"_confirm": "1", "amount": "1", "reason": NAME}
            owner.post(page_of(shop.store, "admin:stores_customer_adjust", shop.customer.pk, "credits"), form)


@contextmanager
def undone() -> Iterator[None]:
    """Within, the database may have refused something, and gets over it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
