"""Every address of the back-office, as every role and as an outsider (T1, T2); a new one fails until it is listed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin
from loyalty.backoffice.site import platform_site
from loyalty.platforms.models import InboundDelivery, PlatformConnection, PrivacyRequest
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import ApiKey, Customer, Membership, Role, SettingsVersion, Store
from loyalty.stores.roles import Can, allows
from loyalty.web.addresses import STORE_URLS, common_page, page_of
from loyalty.webhooks.models import WebhookDelivery
from orders.admin.settings.admin import PAGES
from orders.admin.settings.words_page import WORDS
from orders.models import BalanceImport, BulkCancel, Order, Revert
from orders.services.bulk_cancels.run import choose
from tests import factories
from tests.balance_imports import HEADER, carried_out, uploaded
from tests.deliveries import connect_store
from tests.loyalty.webhooks.receiving import happen, make_endpoint

pytestmark = pytest.mark.django_db

OPERATOR = "operator"
# The pages of a store, and the permission that opens them.
GET_PAGES: dict[str, Can] = {
    "index": Can.VIEW,
    "orders_balanceimport_changelist": Can.IMPORT_BALANCES,
    "orders_balanceimport_change": Can.IMPORT_BALANCES,
    "orders_balanceimport_bring": Can.IMPORT_BALANCES,
    "orders_balanceimport_layout": Can.IMPORT_BALANCES,
    "orders_balanceimport_take_back": Can.IMPORT_BALANCES,
    "orders_balanceimport_certificate": Can.IMPORT_BALANCES,
    "orders_balanceimport_rows": Can.IMPORT_BALANCES,
    "orders_balanceimport_bad_rows": Can.IMPORT_BALANCES,
    "orders_bulkcancel_changelist": Can.VIEW,
    "orders_bulkcancel_change": Can.VIEW,
    "orders_storebundle_changelist": Can.TAKE_STORE,
    "orders_order_changelist": Can.VIEW,
    "orders_order_add": Can.ENTER_ORDERS,
    "orders_order_change": Can.VIEW,
    "orders_order_cancel": Can.CANCEL_ORDERS,
    "orders_order_backtest": Can.CHANGE_SETTINGS,
    "orders_order_rules_backtest": Can.CHANGE_SETTINGS,
    "orders_order_record": Can.ADJUST_LEDGER,
    "orders_order_reinstate": Can.CANCEL_ORDERS,
    "orders_order_upcoming": Can.VIEW,
    "orders_order_queue": Can.VIEW,
    "orders_order_dismiss": Can.CANCEL_ORDERS,
    "orders_order_undo": Can.UNDO_REVERTS,
    "orders_problem_changelist": Can.VIEW,
    "orders_problem_waiting": Can.VIEW,
    "orders_redemption_changelist": Can.VIEW,
    "orders_redemption_change": Can.VIEW,
    "orders_redemption_reverse": Can.REDEEM,
    "orders_reward_changelist": Can.VIEW,
    "orders_reward_add": Can.CHANGE_SETTINGS,
    "orders_reward_change": Can.VIEW,
    "orders_revert_changelist": Can.VIEW,
    "orders_revert_change": Can.VIEW,
    "stores_customer_changelist": Can.VIEW,
    "stores_customer_change": Can.VIEW,
    "stores_customer_adjust": Can.ADJUST_LEDGER,
    "stores_customer_merge": Can.MERGE_CUSTOMERS,
    "stores_customer_expiring": Can.VIEW,
    "stores_customer_points": Can.ADJUST_LEDGER,
    "stores_customer_statement": Can.VIEW,
    "stores_customer_redeem": Can.REDEEM,
    "journal_journalentry_changelist": Can.VIEW,
    "journal_ledgercheck_changelist": Can.VIEW,
    "stores_settingsversion_orders": Can.VIEW,
    "stores_settingsversion_expiry": Can.VIEW,
    "stores_settingsversion_notices": Can.VIEW,
    "stores_settingsversion_spent_revert": Can.VIEW,
    "stores_settingsversion_letters": Can.VIEW,
    **{f"stores_settingsversion_{page.key}": Can.VIEW for page in WORDS},
    "stores_settingsversion_limits": Can.VIEW,
    "stores_settingsversion_earned": Can.VIEW,
    "stores_settingsversion_tagging": Can.VIEW,
    "stores_settingsversion_change": Can.VIEW,
    "platforms_platformconnection_changelist": Can.CHANGE_SETTINGS,
    "platforms_platformconnection_add": Can.CHANGE_SETTINGS,
    "platforms_platformconnection_change": Can.CHANGE_SETTINGS,
    "platforms_inbounddelivery_changelist": Can.VIEW,
    "platforms_inbounddelivery_change": Can.VIEW,
    "platforms_privacyrequest_changelist": Can.CHANGE_SETTINGS,
    "platforms_privacyrequest_change": Can.CHANGE_SETTINGS,
    "platforms_privacyrequest_data": Can.CHANGE_SETTINGS,
    "stores_membership_changelist": Can.MANAGE_STAFF,
    "stores_membership_add": Can.MANAGE_STAFF,
    "stores_membership_change": Can.MANAGE_STAFF,
    "stores_apikey_changelist": Can.MANAGE_API_KEYS,
    "stores_apikey_add": Can.MANAGE_API_KEYS,
    "stores_apikey_change": Can.MANAGE_API_KEYS,
    "outbox_message_changelist": Can.VIEW,
    "webhooks_webhookendpoint_changelist": Can.MANAGE_WEBHOOKS,
    "webhooks_webhookendpoint_add": Can.MANAGE_WEBHOOKS,
    "webhooks_webhookendpoint_change": Can.MANAGE_WEBHOOKS,
    "webhooks_webhookdelivery_changelist": Can.MANAGE_WEBHOOKS,
    "webhooks_webhookdelivery_change": Can.MANAGE_WEBHOOKS,
}
# Of these the answers are files.
FILES = {"platforms_privacyrequest_data", "orders_balanceimport_rows", "orders_balanceimport_bad_rows"}
# Pages that name no store, and who may open them; /admin/ leads on.
COMMON_PAGES: dict[str, str] = {
    "stores_store_changelist": OPERATOR,
    "stores_store_add": OPERATOR,
    "stores_store_change": OPERATOR,
    "journal_ledgercheck_changelist": OPERATOR,
    "journal_jobrun_changelist": OPERATOR,
}
COMMON_ELSEWHERE = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "search",
    "app_list",
    "old_address",
}
# Nobody adds these by hand, the journal's entries lead to their orders, and the rest have tests of their own.
ELSEWHERE = {
    "jsi18n",
    "autocomplete",
    "search",
    "app_list",
    "orders_balanceimport_add",
    "orders_balanceimport_part",
    "orders_balanceimport_start",
    "orders_balanceimport_discard",
    "orders_bulkcancel_add",
    "orders_bulkcancel_stop",
    "orders_bulkcancel_go_on",
    "orders_storebundle_add",
    "orders_storebundle_ask",
    "orders_storebundle_change",
    "orders_storebundle_file",
    "orders_order_export",
    "orders_order_keep_view",
    "orders_order_rename_view",
    "orders_order_delete_view",
    "orders_revert_export",
    "orders_redemption_export",
    "stores_customer_export",
    "orders_order_bulk_cancel",
    "orders_order_refund_later",
    "orders_order_hold",
    "orders_order_put_back",
    "orders_order_queue_start",
    "orders_order_queue_skip",
    "orders_order_release",
    "orders_order_settle_codes",
    "orders_redemption_add",
    "orders_redemption_refuse",
    "orders_redemption_request",
    "orders_problem_add",
    "orders_problem_again",
    "orders_problem_change",
    "orders_problem_retry",
    "stores_settingsversion_add",
    "stores_settingsversion_changelist",
    "stores_settingsversion_restore",
    "stores_customer_reminders",
    "stores_settingsversion_letter",
    "stores_settingsversion_trial",
    "orders_revert_add",
    "stores_customer_add",
    "journal_journalentry_add",
    "journal_journalentry_change",
    "journal_ledgercheck_add",
    "journal_ledgercheck_change",
    "platforms_platformconnection_check",
    "platforms_platformconnection_webhooks",
    "platforms_platformconnection_rotate",
    "platforms_platformconnection_disconnect",
    "platforms_inbounddelivery_add",
    "platforms_inbounddelivery_replay",
    "platforms_privacyrequest_add",
    "platforms_privacyrequest_done",
    "platforms_privacyrequest_erase",
    "platforms_privacyrequest_keep",
    "stores_membership_remove",
    "stores_membership_withdraw",
    "stores_membership_send_again",
    "stores_membership_second_factor",
    "stores_apikey_revoke",
    "outbox_message_add",
    "outbox_message_change",
    "outbox_message_retry",
    "webhooks_webhookendpoint_rotate",
    "webhooks_webhookendpoint_switch",
    "webhooks_webhookendpoint_test",
    "webhooks_webhookendpoint_remove",
    "webhooks_webhookdelivery_add",
    "webhooks_webhookdelivery_replay",
}

# These addresses name no row.
_NO_ROW = ("_changelist", "_add", "_upcoming", "_backtest", "_expiring", "_customer_points", "_queue", "_bring")
_SETTINGS = (*(f"settingsversion_{page.key}" for page in PAGES), "settingsversion_tagging")


def _names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


def _admin_names(urlconf: str | None = None) -> set[str]:
    patterns = get_resolver(urlconf).url_patterns
    resolver: Any = next(item for item in patterns if getattr(item, "namespace", "") == "admin")
    return set(_names(resolver.url_patterns))


class Shop:
    """A store with one row of everything."""

    def __init__(self) -> None:
        self.store: Store = factories.make_store()
        self.customer: Customer = factories.make_customer(self.store)
        factories.grant("credits", self.customer, "20.00")
        self.order: Order = factories.make_order(self.customer, credits="15.00")
        factories.cancel_and_return(self.order)
        self.key: ApiKey = factories.make_api_key(self.store)
        self.member: Membership = Membership.objects.get(
            user=factories.make_user((self.store, Role.VIEWER)), store=self.store
        )
        factories.make_settings(self.store, StoreSettings())
        self.settings: SettingsVersion = SettingsVersion.objects.for_store(self.store).get()
        self.connection: PlatformConnection = connect_store(self.store)
        self.inbound: InboundDelivery = InboundDelivery.unscoped.create(
            store=self.store, platform="shopify", topic="orders/updated", key="k", body=b"{}", state="done",
            received_at=factories.NOW, headers={"x-shopify-topic": "orders/updated"}, order=self.order,
        )  # fmt: skip
        self.asked: PrivacyRequest = PrivacyRequest.unscoped.create(
            store=self.store, platform="shopify", kind="data", key="k", customer=self.customer,
            received_at=factories.NOW,
        )  # fmt: skip
        factories.grant("points", self.customer, 500)
        self.reward = factories.make_reward(self.store)
        self.redemption = factories.make_redemption(self.customer, self.reward)
        self.endpoint = make_endpoint(self.store, "http://127.0.0.1:9/hook")[0]
        happen(self.store)
        self.delivery: WebhookDelivery = WebhookDelivery.objects.for_store(self.store).get(
            body__type="order.cancelled", topic="webhook"
        )
        self.revert: Revert = Revert.objects.for_store(self.store).get()
        text = f"{HEADER}77,,Old,points,5,,,,,\n"
        # What is written can be taken back, what is not yet can be laid out.
        self.moved_in: BalanceImport = carried_out(self.store, text)
        self.brought: BalanceImport = uploaded(self.store, text)
        self.bulk: BulkCancel = choose(
            store=self.store,
            orders=Order.objects.for_store(self.store),
            filters="",
            actor=factories.ACTOR,
            now=factories.NOW,
        )

    def address(self, name: str, where: Store | None = None) -> str:
        """The address of a page about this shop's rows, in this shop's store unless another is named."""
        rows = {
            "orders_balanceimport": self.brought if name.endswith("_layout") else self.moved_in,
            "orders_bulkcancel": self.bulk,
            "orders_order": self.order,
            "orders_revert": self.revert,
            "orders_reward": self.reward,
            "orders_redemption": self.redemption,
            "stores_customer": self.customer,
            "stores_apikey": self.key,
            "stores_membership": self.member,
            "platforms_platformconnection": self.connection,
            "platforms_inbounddelivery": self.inbound,
            "platforms_privacyrequest": self.asked,
            "webhooks_webhookendpoint": self.endpoint,
            "webhooks_webhookdelivery": self.delivery,
            "stores_settingsversion": self.settings,
        }
        model = "_".join(name.split("_")[:2])
        if model not in rows or name.endswith(_NO_ROW + _SETTINGS):
            return page_of(where or self.store, f"admin:{name}")
        more = {"stores_customer_adjust": ["credits"], "orders_balanceimport_rows": ["csv"]}.get(name, [])
        return page_of(where or self.store, f"admin:{name}", rows[model].pk, *more)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def _client(*memberships: tuple[Store, Role], **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.make_user(*memberships, **fields), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _common(name: str, shop: Shop) -> str:
    return common_page(f"admin:{name}", *([shop.store.pk] if name == "stores_store_change" else []))


def test_every_address_is_known() -> None:
    assert _admin_names(STORE_URLS) == set(GET_PAGES) | ELSEWHERE
    assert _admin_names() == set(COMMON_PAGES) | COMMON_ELSEWHERE


@pytest.mark.parametrize("role", list(Role))
def test_t2_t5_each_role_opens_exactly_what_it_may_whatever_it_may_elsewhere(shop: Shop, role: Role) -> None:
    other = factories.make_store()
    elsewhere = Role.VIEWER if role == Role.OWNER else Role.OWNER
    client = _client((shop.store, role), (other, elsewhere))
    client.get(page_of(other, "admin:index"))
    found = {name: client.get(shop.address(name)).status_code for name in GET_PAGES}
    assert found == {name: 200 if allows(role, needs) else 403 for name, needs in GET_PAGES.items()}
    assert {client.get(_common(name, shop)).status_code for name in COMMON_PAGES} == {403, 302}


def test_t2_an_operator_opens_everything(shop: Shop) -> None:
    client = _client(is_superuser=True)
    pages = [shop.address(name) for name in GET_PAGES] + [_common(name, shop) for name in COMMON_PAGES]
    assert {address: client.get(address).status_code for address in pages} == dict.fromkeys(pages, 200)


def test_t5_an_outsider_finds_no_page_of_the_store(shop: Shop) -> None:
    client = _client((factories.make_store(), Role.OWNER))
    nothing = client.get("/admin/no-such-store/").content
    for name in GET_PAGES:
        for send in (client.get, client.post):
            answer = send(shop.address(name))
            assert (answer.status_code, answer.content) == (404, nothing), name


def test_t1_another_stores_ids_are_unknown(shop: Shop) -> None:
    own = factories.make_store()
    client = _client((own, Role.OWNER), (shop.store, Role.OWNER))
    about_rows = [name for name in GET_PAGES if re.search(r"/\d+/", shop.address(name))]
    assert len(about_rows) > 20
    for name in about_rows:
        assert client.get(shop.address(name, own)).status_code == 404, name
        assert client.post(shop.address(name, own)).status_code in (404, 405), name


def test_t1_another_store_removes_and_revokes_nothing(shop: Shop) -> None:
    own = factories.make_store()
    client = _client((own, Role.OWNER), (shop.store, Role.OWNER))
    assert client.post(page_of(own, "admin:stores_membership_remove", shop.member.pk)).status_code == 404
    assert client.post(page_of(own, "admin:stores_apikey_revoke", shop.key.pk)).status_code == 404
    shop.key.refresh_from_db()
    assert shop.key.revoked_at is None
    assert Membership.objects.filter(pk=shop.member.pk).exists()


def test_t1_lists_search_and_autocomplete_show_no_other_stores_rows(shop: Shop) -> None:
    own = factories.make_store()
    client = _client((own, Role.OWNER), (shop.store, Role.OWNER))
    number, email = shop.order.number, shop.customer.email
    lists = ("orders_order", "orders_revert", "orders_reward", "orders_redemption", "stores_customer")
    for address in (f"{name}_changelist" for name in lists):
        for query in ("", f"?q={number}", f"?q={email}"):
            page = client.get(page_of(own, f"admin:{address}") + query).content.decode()
            assert shop.customer.name not in page
            assert f"orders/order/{shop.order.pk}/" not in page
            assert shop.reward.name not in page
    found = client.get(
        page_of(own, "admin:autocomplete"),
        {"app_label": "orders", "model_name": "order", "field_name": "customer", "term": email},
    )
    assert found.json()["results"] == []
    page = client.get(page_of(own, "admin:orders_order_changelist"), {"customer": shop.customer.pk}).content.decode()
    assert shop.customer.name not in page


def test_nothing_is_added_or_deleted_by_hand(shop: Shop) -> None:
    client = _client((shop.store, Role.OWNER))
    for name in ELSEWHERE:
        if name.endswith("_add"):
            assert client.get(shop.address(name)).status_code == 403
    assert not [name for name in _admin_names(STORE_URLS) | _admin_names() if name.endswith(("_delete", "_history"))]


def test_nobody_signed_in_is_sent_to_the_login(shop: Shop) -> None:
    for address in [shop.address(name) for name in GET_PAGES] + [_common(name, shop) for name in COMMON_PAGES]:
        for send in (Client().get, Client().post):
            answer = send(address)
            assert (answer.status_code, answer["Location"]) == (302, f"{common_page('admin:login')}?next={address}")


def test_t5_old_addresses_lead_to_the_store_last_worked_in_and_act_on_nothing(shop: Shop) -> None:
    other = factories.make_store()
    client = _client((shop.store, Role.OWNER), (other, Role.OWNER))
    client.get(shop.address("index"))
    for name in set(GET_PAGES) - {"index"}:
        address = shop.address(name)
        old = address.replace(f"/{shop.store.slug}/", "/")
        assert client.get(f"{old}?a=1").headers["Location"] == f"{address}?a=1"
        if name not in COMMON_PAGES:
            assert client.post(old).status_code == 405


def test_t5_every_link_and_form_of_a_stores_page_stays_in_the_store(shop: Shop) -> None:
    client = _client((shop.store, Role.OWNER), is_superuser=True)
    common = {
        common_page("admin:logout"),
        common_page("account_change_password"),
        common_page("account_language"),
        common_page("api-docs"),
        "/",
    }
    common |= {_common(name, shop) for name in COMMON_PAGES} | {common_page("admin:password_change")}
    here = page_of(shop.store, "admin:index")
    for name in set(GET_PAGES) - FILES:
        page = client.get(shop.address(name)).content.decode()
        leads = re.findall(r"""(?:href|action|formaction|hx-\w+|data-[\w-]+)=["'](/[^"'?#]*)""", page)
        assert here in leads, name
        assert not {lead for lead in leads if not lead.startswith((here, "/static/"))} - common, name


def test_no_action_or_view_without_a_permission() -> None:
    assert all(isinstance(model_admin, StoreModelAdmin) for model_admin in admin.site._registry.values())
    registered = [*admin.site._registry.items(), *platform_site._registry.items()]
    for model, model_admin in registered:
        assert isinstance(model_admin, BackOfficeAdmin), model
        for name in ("actions_list", "actions_row", "actions_detail", "actions_submit_line"):
            assert not getattr(model_admin, name), (model, "the theme's actions can be reached by anybody")
        for action in model_admin.actions or ():
            assert getattr(model_admin, action).allowed_permissions, (model, action)
        for own in model_admin.store_views:
            assert isinstance(getattr(own.view, "needs", None), Can), (model, own.name)
