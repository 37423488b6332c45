"""People are found whatever way their names are written, by an index (O7, T1, ADR 0067)."""

# ruff: noqa: RUF001 - letters that look alike, or that nobody sees, are what this is about.

from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

import pytest
from django.db import ProgrammingError, connection, transaction

from loyalty.customers.record import change_customer
from loyalty.customers.search import find_customers, matching_customers, with_part
from loyalty.database.named_stores import in_store
from loyalty.privacy.erase import erase_customers
from loyalty.stores.active_store import stores_of
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Customer, Role, Store
from orders.admin.customers.choose_field import CustomerForm
from orders.models import Order
from orders.search import search_orders
from tests import factories
from tests.addresses import reverse
from tests.database import as_owner
from tests.factories import ACTOR, NOW
from tests.loyalty.api.support import ApiClient
from tests.orders.admin.reverts.cases import staff

pytestmark = pytest.mark.django_db

# Somebody's name, and what finds him.
FOUND: Final = [
    # Accents, and case.
    ("José García", "jose"),
    ("José García", "GARCIA"),
    ("Jose Garcia", "José García"),
    ("Jose\u0301 Garci\u0301a", "José Gar"),
    ("JOSÉ", "josé"),
    ("Zoë Müller", "zoe mul"),
    ("Zoe Muller", "Zoë Müller"),
    ("Renée", "RENEE"),
    ("François", "francois"),
    ("Çağla Şahin", "cagla sahin"),
    ("Dvořák", "dvorak"),
    ("Nguyễn Văn Đức", "nguyen van duc"),
    ("Nguyen Van Duc", "Nguyễn Văn Đức"),
    ("Åsa Ångström", "asa ang"),
    ("Ñuñez", "nunez"),
    ("Ștefan Țepeș", "stefan tepes"),
    ("Élodie", "elo"),
    ("O’Brien", "o'brien"),
    ("O'Brien", "O’Brien"),
    ("Jean‐Luc", "jean-luc"),
    # Letters of their own.
    ("Strauß", "strauss"),
    ("Strauss", "Strauß"),
    ("STRAUẞ", "strauß"),
    ("Strauß", "STRAUSS"),
    ("Weiß", "weis"),
    ("Işıl Yıldız", "isil yildiz"),
    ("Isil Yildiz", "Işıl Yıldız"),
    ("İstanbul", "istanbul"),
    ("istanbul", "İSTANBUL"),
    ("DİYARBAKIR", "diyarbakır"),
    ("Søren Sørensen", "soren"),
    ("Soren", "SØREN"),
    ("Łukasz Wałęsa", "lukasz walesa"),
    ("Lukasz", "Łukasz"),
    ("Ærø Bæk", "aero baek"),
    ("Baek", "BÆK"),
    ("Lœtitia", "loetitia"),
    ("Þór Guðmundsson", "thor gudmund"),
    ("Đorđević", "dordevic"),
    ("Ħamrun", "hamrun"),
    ("Ŋalo", "nalo"),
    # Width, and other forms for the same.
    ("Ｔａｎａｋａ", "tanaka"),
    ("Tanaka", "ｔａｎａｋａ"),
    ("Tanaka ２", "tanaka 2"),
    ("Tanaka 2", "Ｔａｎａｋａ　２"),
    ("ｶﾞｷﾞｸﾞ", "ガギグ"),
    ("ガギグ", "ｶﾞｷﾞ"),
    ("ﾔﾏﾀﾞ", "ヤマダ"),
    ("㈱山田", "(株)山"),
    ("ﬁona", "fiona"),
    ("Ⅳ Henry", "iv henry"),
    ("𝐀𝐧𝐚 Lee", "ana lee"),
    ("㍿東京", "株式会社"),
    ("Ana\u200bLee", "analee"),
    ("Ana\xa0Lee", "ana lee"),
    # Chinese, Japanese and Korean names by any part of them.
    ("陳小明", "陳"),
    ("陳小明", "小明"),
    ("陳小明", "明"),
    ("陳小明", "陳小明"),
    ("陳 小明", "陳小明"),
    ("陳小明", "陳　小明"),
    ("陳小明 (VIP)", "小明 (vip)"),
    ("Amy 陳", "amy 陳"),
    ("Amy 陳", "陳"),
    ("金\u3000城武", "金城"),
    ("\uf90a城武", "金城"),
    ("葛\U000e0100城", "葛城"),
    ("山田太郎", "太郎"),
    ("𠮷野家", "𠮷"),
    ("さくら", "く"),
    ("サクラ", "クラ"),
    ("か\u3099", "が"),
    ("김민수", "민"),
    ("김민수", "김"),
    ("\u1100\u1175\u11b7민수", "김민"),
    # Other scripts.
    ("Иван Петров", "петров"),
    ("Андрей", "АНДРЕИ"),
    ("Алёна", "алена"),
    ("Αλέξης", "αλεξησ"),
    ("ΟΔΥΣΣΕΥΣ", "οδυσσεύς"),
    ("سارة", "سار"),
    ("דנה", "דנ"),
    ("สมชาย", "ชาย"),
    # What a pattern would take for something else.
    ("50% Off_Shop", "50%"),
    ("Off_Shop", "f_s"),
    ("Back\\slash", "k\\s"),
]
# And what does not find him.
NOT_FOUND: Final = [
    ("ハナ", "はな"),
    ("はか", "が"),
    ("かき", "がき"),
    ("陳小明", "小陳"),
    ("陳小明", "351"),
    ("陳小明", "FBD"),
    ("陳小明", "~"),
    ("Off Shop", "f_s"),
    ("500 Off", "50%"),
    ("Ana\x0c", "\x0c"),
    ("José", "joseph"),
    ("김민수", "기"),
]


@pytest.mark.parametrize(("name", "term"), FOUND)
def test_o7_people_are_found_whatever_way_they_are_written(store: Store, name: str, term: str) -> None:
    person = factories.make_customer(store, name=name, email="")
    factories.make_customer(store, name="Somebody Else", email="", phone="351351351")
    factories.make_customer(factories.make_store(), name=name)
    assert matching_customers(store, term) == [person.pk]
    assert list(find_customers(store, term)) == [person]
    assert list(Customer.objects.for_store(store).filter(with_part(store, term))) == [person]


@pytest.mark.parametrize(("name", "term"), NOT_FOUND)
def test_o7_what_is_another_name_stays_one(store: Store, name: str, term: str) -> None:
    factories.make_customer(store, name=name, email="")
    assert matching_customers(store, term) == []
    assert list(find_customers(store, term)) == []


def test_o7_two_letters_of_an_alphabet_are_the_beginning_of_a_name_or_an_email(store: Store) -> None:
    jo, mail = (
        factories.make_customer(store, name="José", email=""),
        factories.make_customer(store, email="jo@x.example"),
    )
    factories.make_customer(store, name="Major", email="", phone="jo")
    assert matching_customers(store, "JÓ") == [mail.pk, jo.pk]
    assert list(find_customers(store, "jo")) == []


def test_o7_ids_and_emails_are_found_in_full_width(store: Store) -> None:
    ana = factories.make_customer(store, name="", external_id="C-7", email="ana@example.org")
    for term in ("Ｃ－７", "ａｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ana@exampl"):
        assert list(find_customers(store, term)) == [ana]


def test_o7_the_name_as_it_is_now_is_what_is_found(store: Store) -> None:
    ana = factories.make_customer(store, name="Ana", email="")
    change_customer(store=store, customer_id=ana.pk, values={"name": "José"}, now=NOW)
    assert (matching_customers(store, "ana"), matching_customers(store, "jose")) == ([], [ana.pk])
    with transaction.atomic():
        erase_customers(store=store, customer_ids=[ana.pk], actor=ACTOR, now=NOW)
    ana.refresh_from_db()
    assert ana.search_key.split() == []
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Customer.objects.for_store(store).update(search_key="somebody")


def test_o7_somebody_merged_is_found_as_the_kept_one_however_many_fit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = factories.make_customer(store, name="Bo", email="")
    merged = factories.make_customer(store, name="José", email="", merged_into=kept, merged_at=NOW)
    other = factories.make_customer(store, name="José Lee", email="")
    for often, few in ((10, 2000), (1, 2000), (10, 0)):
        monkeypatch.setattr("loyalty.customers.search._OFTEN", often)
        monkeypatch.setattr("loyalty.customers.search._FEW", few)
        assert set(find_customers(store, "jose")) == {kept, other}
        assert set(Customer.objects.for_store(store).filter(with_part(store, "jose"))) == {kept, other}
        assert matching_customers(store, "jose") == [other.pk, kept.pk]
    assert merged.pk not in matching_customers(store, "jose")


@pytest.mark.parametrize("term", ["José", "陳", "小明", "0912345678", "c-777", "@rare.example"])
def test_o7_an_index_answers_among_many(store: Store, term: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO stores_customer (store_id, name, email, phone, locale, created_at, updated_at)
            SELECT %s, chr(20000 + n) || chr(21000 + n) || chr(22000 + n), 'p' || n || '@many.example',
                '', '', now(), now()
            FROM generate_series(1, 900) AS n, generate_series(1, 10)
            """,
            [store.pk],
        )
    rare = {"email": "a@rare.example", "phone": "0912345678", "external_id": "C-777"}
    person = factories.make_customer(store, name="José 陳小明", **rare)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE stores_customer")
        cursor.execute("SELECT gin_clean_pending_list('customer_search_key')")
    before = _read()
    assert list(Customer.objects.for_store(store).filter(with_part(store, term))) == [person]
    scans, rows = (now - then for now, then in zip(_read(), before, strict=True))
    assert scans == 1
    assert rows < 1200, "the newest thousand are looked at, and those who fit"


def _read() -> tuple[int, int]:
    """How often this transaction asked the index, and how many customers it has read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_get_xact_numscans('customer_search_key'::regclass),"
            " pg_stat_get_xact_tuples_returned('stores_customer'::regclass)"
            " + pg_stat_get_xact_tuples_fetched('stores_customer'::regclass)"
        )
        scans, rows = cursor.fetchone()
        return scans, rows


def test_t1_every_page_and_rest_find_people_of_their_store_alone(store: Store) -> None:
    _, key = create_api_key(store=store, name="Test", scopes=["*"], now=NOW)
    api = ApiClient(key)
    client, _ = staff(store, Role.OWNER)
    jose, ming = (factories.make_customer(store, name=name, email="") for name in ("José Gómez", "陳小明"))
    orders = {person: factories.make_order(person) for person in (jose, ming)}
    foreign = [
        factories.make_customer(factories.make_store(), name=f"{name} There") for name in ("José Gómez", "陳小明")
    ]
    for person, term in ((jose, "jose gom"), (ming, "小明")):
        for name, args in (
            ("admin:stores_customer_changelist", ()),
            ("admin:orders_order_changelist", ()),
            ("admin:stores_customer_merge", (jose.pk if person == ming else ming.pk,)),
        ):
            page = client.get(reverse(name, args=args), {"q": term}).content.decode()
            assert person.name in page
            assert "There" not in page
        assert CustomerForm({"who": term}, store=store).found == [person]
        people = api.read("/customers/", search=term).json()["results"]
        assert [one["id"] for one in people] == [str(person.pk)]
        found = api.read("/orders/", search=term).json()["results"]
        assert [one["id"] for one in found] == [str(orders[person].pk)]
        with in_store(foreign[0].store_id):
            assert not find_customers(store, term).exists()
            assert not search_orders(Order.objects.for_store(store), term, store=store).exists()


def test_t2_stores_stand_in_the_order_of_their_names() -> None:
    names = ["apple", "Émile", "eric", "Österreich", "zoë"]
    stores = [factories.make_store(name=name) for name in reversed(names)]
    person = factories.make_user(*((store, Role.OWNER) for store in stores))
    assert [store.name for store in stores_of(person)] == names
    assert list(Store.objects.filter(pk__in=[store.pk for store in stores]).values_list("name", flat=True)) == names


def test_o7_customers_of_before_get_their_keys_and_the_release_before_still_finds_them(store: Store) -> None:
    ana = factories.make_customer(store, name="José", email="")
    kept = Customer.unscoped.get(pk=ana.pk).search_key
    with as_owner():
        Customer.unscoped.filter(pk=ana.pk).update(search_key="")
        assert matching_customers(store, "jose") == []
        import_module("loyalty.stores.migrations.0020_people_by_search_key").keep_keys(
            None, SimpleNamespace(connection=connection)
        )
    assert Customer.unscoped.get(pk=ana.pk).search_key == kept
    for pattern in ("%OSÉ%", "jo%"):
        assert _asked_before(store, pattern) == [ana.pk]


def _asked_before(store: Store, pattern: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT customers_called(%s, %s)", [store.pk, pattern])
        return [pk for (pk,) in cursor.fetchall()]
