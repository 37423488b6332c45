"""Connecting a store to its platform: by command and by page; secrets are kept, never shown, and rotated."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from loyalty.core.encryption import Secret
from loyalty.journal.models import JournalEntry
from loyalty.outbox.deliver import deliver_outbox
from loyalty.platforms.models import InboundDelivery, PlatformConnection
from loyalty.stores.models import Role, Store
from tests.addresses import reverse
from tests.deliveries import SECRET, connect_store, shopify, woocommerce
from tests.factories import NOW, make_store, make_user
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def connection_of(store: Store) -> PlatformConnection:
    found: PlatformConnection = PlatformConnection.objects.for_store(store).get()
    return found


def events(store: Store) -> list[str]:
    return list(JournalEntry.objects.for_store(store).order_by("id").values_list("event", flat=True))


class TestCommand:
    def run(self, store: Store | str, *more: str, platform: str = "shopify", secret: str = SECRET) -> str:
        said = StringIO()
        slug = store if isinstance(store, str) else store.slug
        arguments = ("--store", slug, "--platform", platform, "--webhook-secret", secret, *more)
        call_command("connect_platform", *arguments, stdout=said)
        return said.getvalue()

    def test_it_connects(self, store: Store) -> None:
        said = self.run(store, "--base-url", "tea-house.myshopify.com/", "--token", "shpat_1")
        assert f"/hooks/shopify/{store.slug}/" in said
        assert len(said.strip().splitlines()) == 1
        assert SECRET not in said
        made = connection_of(store)
        assert made.base_url == "https://tea-house.myshopify.com"
        assert (made.access_token.reveal(), made.webhook_secret.reveal()) == ("shpat_1", SECRET)
        assert made.may_be_called
        assert shopify(order("shopify")).send(store).status_code == 200

    def test_again_changes_nothing(self, store: Store) -> None:
        self.run(store)
        assert "still connected" in self.run(store)
        assert events(store) == ["platform.connected"]
        assert not connection_of(store).previous_webhook_secret

    def test_it_updates_what_is_given_and_keeps_the_rest(self, store: Store) -> None:
        self.run(store, "--base-url", "https://one.myshopify.com", "--token", "shpat_1")
        self.run(store, "--token", "shpat_2")
        made = connection_of(store)
        assert (made.base_url, made.access_token.reveal()) == ("https://one.myshopify.com", "shpat_2")
        self.run(store, secret="the new secret")
        assert connection_of(store).previous_webhook_secret.reveal() == SECRET
        assert connection_of(store).previous_secret_until == NOW + timedelta(hours=24)

    def test_woocommerces_token_is_key_and_secret(self, store: Store) -> None:
        self.run(store, "--token", "ck_1:cs_2", "--base-url", "https://shop.example.com", platform="woocommerce")
        made = connection_of(store)
        assert (made.consumer_key.reveal(), made.consumer_secret.reveal()) == ("ck_1", "cs_2")

    @pytest.mark.parametrize("platform", ["shopify", "woocommerce", "shopline", "shopline_global"])
    def test_every_platform(self, store: Store, platform: str) -> None:
        self.run(store, platform=platform)
        assert connection_of(store).platform == platform

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"platform": "magento"}, "not a platform"),
            ({"secret": ""}, "empty"),
            ({"secret": "with a\nline"}, "plain characters"),
            ({"platform": "woocommerce", "secret": "a&b"}, "WordPress"),
            ({"more": ("--base-url", "ftp://x.example.com")}, "not an address"),
            ({"more": ("--base-url", "http://shop.example.com")}, "https"),
            ({"more": ("--base-url", "https://me:word@shop.example.com")}, "only the address"),
            ({"more": ("--base-url", "https://[::1")}, "not an address"),
            ({"platform": "woocommerce", "more": ("--token", "only-one")}, "KEY:SECRET"),
        ],
    )
    def test_bad_input_is_one_line_and_nothing_is_saved(
        self, store: Store, arguments: dict[str, Any], named: str
    ) -> None:
        more = arguments.pop("more", ())
        with pytest.raises(CommandError, match=named) as refused:
            self.run(store, *more, **arguments)
        assert "\n" not in str(refused.value)
        assert not PlatformConnection.objects.for_store(store).exists()

    def test_an_unknown_store_is_named(self) -> None:
        with pytest.raises(CommandError, match="There is no store “nowhere”"):
            self.run("nowhere")


class TestPages:
    @pytest.fixture
    def client(self, store: Store) -> Client:
        return self.client_of(store, Role.MANAGER)

    def client_of(self, store: Store, role: Role) -> Client:
        client = Client()
        client.force_login(make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
        return client

    def add(self, client: Client, platform: str, **fields: str) -> Any:
        return client.post(f"{reverse('admin:platforms_platformconnection_add')}?platform={platform}", fields)

    def page(self, connected: PlatformConnection, what: str = "change") -> str:
        return reverse(f"admin:platforms_platformconnection_{what}", args=[connected.pk])

    def test_an_empty_store_is_told_what_to_do(self, client: Client) -> None:
        said = client.get(reverse("admin:platforms_platformconnection_changelist")).content.decode()
        assert "not connected to a shop platform yet" in said
        assert all(label in said for label in ("Shopify", "WooCommerce", "SHOPLINE", "SHOPLINE Global"))

    def test_connecting_to_shopify(self, client: Client, store: Store) -> None:
        answer = self.add(
            client, "shopify", base_url="tea-house.myshopify.com", access_token="shpat_1", webhook_secret=SECRET
        )
        made = connection_of(store)
        assert answer.url == self.page(made)
        assert made.access_token.reveal() == "shpat_1"
        said = client.get(answer.url).content.decode()
        assert f"http://testserver/hooks/shopify/{store.slug}/" in said
        assert "Test connection" in said
        assert "shpat_1" not in said
        assert SECRET not in said
        assert made.webhook_secret.token not in said
        assert "no-store" in client.get(answer.url).headers["Cache-Control"]

    def test_woocommerces_secret_is_made_and_shown_once(self, client: Client, store: Store) -> None:
        answer = self.add(
            client, "woocommerce", base_url="https://shop.example.com", consumer_key="ck", consumer_secret="cs"
        )
        (secret,) = re.findall(r'<code class="secret">([0-9a-f]{48})</code>', answer.content.decode())
        made = connection_of(store)
        assert made.webhook_secret.reveal() == secret
        assert secret not in client.get(self.page(made)).content.decode()
        assert woocommerce(order("woocommerce"), secret=secret).send(store).status_code == 200

    def test_shopifys_secret_must_be_entered(self, client: Client, store: Store) -> None:
        said = self.add(client, "shopify", base_url="https://x.myshopify.com").content.decode()
        assert "This field is required" in said
        assert not PlatformConnection.objects.for_store(store).exists()

    def test_what_is_refused_stands_beside_its_field(self, client: Client, store: Store) -> None:
        said = self.add(client, "shopify", base_url="http://shop.example.com", webhook_secret=SECRET).content.decode()
        assert "Use https" in said
        assert SECRET not in said

    def test_empty_secrets_keep_what_is_stored(self, client: Client, store: Store) -> None:
        connected = connect_store(store, base_url="https://two.myshopify.com", access_token=Secret.of("shpat_1"))
        client.post(self.page(connected), {"base_url": "https://two.myshopify.com", "api_version": "2026-01"})
        connected.refresh_from_db()
        assert (connected.base_url, connected.api_version) == ("https://two.myshopify.com", "2026-01")
        assert (connected.access_token.reveal(), connected.webhook_secret.reveal()) == ("shpat_1", SECRET)

    @pytest.mark.parametrize(
        ("platform", "held", "asks"),
        [
            ("shopify", {"access_token": "a1"}, "give the access token of the new one"),
            ("shopline", {"access_token": "a1"}, "give the access token of the new one"),
            ("shopline_global", {"access_token": "a1"}, "give the access token of the new one"),
            ("woocommerce", {"consumer_key": "ck1", "consumer_secret": "cs1"}, "give the consumer key of the new one"),
        ],
    )
    @pytest.mark.parametrize("before", ["https://ours.example.com", ""])
    def test_t8_a_token_never_goes_to_another_address(
        self, client: Client, store: Store, platform: str, held: dict[str, str], asks: str, before: str
    ) -> None:
        tokens: dict[str, Any] = {name: Secret.of(text) for name, text in held.items()}
        connected = connect_store(store, platform, base_url=before, **tokens)

        said = client.post(self.page(connected), {"base_url": "https://theirs.example.com"}).content.decode()

        assert asks in said
        connected.refresh_from_db()
        assert connected.base_url == before
        anew = {name: f"{text}-anew" for name, text in held.items()}
        assert client.post(self.page(connected), {"base_url": "https://theirs.example.com"} | anew).status_code == 302
        connected.refresh_from_db()
        assert connected.base_url == "https://theirs.example.com"
        assert {name: getattr(connected, name).reveal() for name in held} == anew

    def test_t8_a_new_address_is_told_a_webhook_secret_of_its_own(self, client: Client, store: Store) -> None:
        connected = connect_store(store, "woocommerce", base_url="https://ours.example.com")
        client.post(self.page(connected), {"base_url": "https://theirs.example.com"})
        connected.refresh_from_db()
        assert connected.webhook_secret.reveal() != SECRET
        assert connected.previous_webhook_secret.reveal() == SECRET

    def test_a_new_secret_is_shown_once_and_made_once(self, client: Client, store: Store) -> None:
        connected = connect_store(store, "woocommerce")
        (once,) = re.findall(
            r'name="once" value="([0-9a-f]{32})">\s*<div', client.get(self.page(connected)).content.decode()
        )
        answer = client.post(self.page(connected, "rotate"), {"once": once})
        connected.refresh_from_db()
        assert connected.webhook_secret.reveal() in answer.content.decode()
        assert connected.previous_webhook_secret.reveal() == SECRET
        before = connected.webhook_secret.token
        assert client.post(self.page(connected, "rotate"), {"once": once}).status_code == 302
        connected.refresh_from_db()
        assert connected.webhook_secret.token == before
        assert woocommerce(order("woocommerce")).send(store).status_code == 200

    def test_shopify_makes_its_secret_itself(self, client: Client, store: Store) -> None:
        assert client.post(self.page(connect_store(store), "rotate")).status_code == 404

    def test_disconnecting_erases_the_credentials(self, client: Client, store: Store) -> None:
        connected = connect_store(store, access_token=Secret.of("shpat_1"))
        client.post(self.page(connected, "disconnect"))
        connected.refresh_from_db()
        assert not connected.enabled
        held = (connected.access_token, connected.webhook_secret, connected.previous_webhook_secret)
        assert not any(held)
        assert shopify(order("shopify")).send(store).status_code == 404
        assert events(store) == ["platform.disconnected"]
        client.post(self.page(connected, "disconnect"))
        assert events(store) == ["platform.disconnected"]

    def test_connecting_again_after_that(self, client: Client, store: Store) -> None:
        connected = connect_store(store)
        client.post(self.page(connected, "disconnect"))
        self.add(client, "shopify", base_url="https://x.myshopify.com", webhook_secret="another secret")
        assert shopify(order("shopify"), secret="another secret").send(store).status_code == 200
        assert shopify(order("shopify", note=1)).send(store).status_code == 401

    @pytest.mark.parametrize("what", ["check", "webhooks"])
    def test_without_credentials_the_platform_is_not_asked(self, client: Client, store: Store, what: str) -> None:
        connected = connect_store(store)
        for _ in range(8):
            client.post(self.page(connected, what))
        said = client.get(self.page(connected)).content.decode()
        assert "waiting for the answer" in said
        assert 'http-equiv="refresh"' in said
        assert 'http-equiv="refresh"' not in client.get(f"{self.page(connected)}?still=1").content.decode()
        assert deliver_outbox(NOW)["done"] == 1
        said = client.get(self.page(connected)).content.decode()
        assert "has no credentials yet" in said
        assert "waiting for the answer" not in said
        connected.refresh_from_db()
        assert connected.last_checked_at == NOW

    @pytest.mark.parametrize("what", ["check", "webhooks", "rotate", "disconnect"])
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT])
    def test_t2_the_role_decides(self, store: Store, what: str, role: Role) -> None:
        connected = connect_store(store, "woocommerce")
        assert self.client_of(store, role).post(self.page(connected, what)).status_code == 403
        assert self.client_of(store, role).post(self.page(connected), {}).status_code == 403

    @pytest.mark.parametrize("what", ["check", "webhooks", "rotate", "disconnect", "change"])
    def test_t1_another_stores_connection_is_unknown(self, client: Client, what: str) -> None:
        foreign = connect_store(make_store(), "woocommerce")
        assert client.post(self.page(foreign, what), {}).status_code == 404
        foreign.refresh_from_db()
        assert foreign.webhook_secret.reveal() == SECRET

    def test_only_posts_change_anything(self, client: Client, store: Store) -> None:
        connected = connect_store(store, "woocommerce")
        for what in ("check", "webhooks", "rotate", "disconnect"):
            assert client.get(self.page(connected, what)).status_code == 405


class TestDeliveryPages:
    @pytest.fixture
    def delivery(self, store: Store) -> InboundDelivery:
        connect_store(store)
        shopify(order("shopify"), webhook_id="w-1").send(store)
        found: InboundDelivery = InboundDelivery.objects.for_store(store).get()
        InboundDelivery.objects.for_store(store).update(
            state="failed", next_attempt_at=None, attempts=7, last_error="The field “total” is missing."
        )
        return found

    def client_of(self, store: Store, role: Role) -> Client:
        return TestPages().client_of(store, role)

    def page(self, delivery: InboundDelivery, what: str = "change") -> str:
        return reverse(f"admin:platforms_inbounddelivery_{what}", args=[delivery.pk])

    def test_failing_ones_are_found_with_their_error(self, store: Store, delivery: InboundDelivery) -> None:
        client, address = self.client_of(store, Role.SUPPORT), reverse("admin:platforms_inbounddelivery_changelist")
        assert "The field “total” is missing." in client.get(f"{address}?state=failing").content.decode()
        for other in ("state=done", "platform=woocommerce", "topic=orders/paid"):
            assert "The field “total” is missing." not in client.get(f"{address}?{other}").content.decode()
        for same in ("state=failed", "platform=shopify", "topic=orders/updated"):
            assert "The field “total” is missing." in client.get(f"{address}?{same}").content.decode()

    def test_managers_see_what_was_inside(self, store: Store, delivery: InboundDelivery) -> None:
        said = self.client_of(store, Role.MANAGER).get(self.page(delivery)).content.decode()
        assert "ada@example.com" in said
        assert "x-shopify-webhook-id" in said

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT])
    def test_others_do_not(self, store: Store, delivery: InboundDelivery, role: Role) -> None:
        client = self.client_of(store, role)
        said = client.get(self.page(delivery)).content.decode()
        assert "ada@example.com" not in said
        assert "The field “total” is missing." in said
        assert client.post(self.page(delivery, "replay")).status_code == 403

    def test_replaying_gives_it_its_turn(self, store: Store, delivery: InboundDelivery) -> None:
        assert self.client_of(store, Role.MANAGER).post(self.page(delivery, "replay")).status_code == 302
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("waiting", 0, NOW)

    def test_a_test_is_not_replayed(self, store: Store, delivery: InboundDelivery) -> None:
        InboundDelivery.objects.for_store(store).update(state="ignored", is_test=True)
        client = self.client_of(store, Role.MANAGER)
        assert "Work through it again" not in client.get(self.page(delivery)).content.decode()
        client.post(self.page(delivery, "replay"))
        delivery.refresh_from_db()
        assert delivery.state == "ignored"

    def test_t1_another_stores_delivery_is_unknown(self, delivery: InboundDelivery) -> None:
        client = self.client_of(make_store(), Role.OWNER)
        assert client.get(self.page(delivery)).status_code == 404
        assert client.post(self.page(delivery, "replay")).status_code == 404
