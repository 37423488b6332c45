"""What one shop platform is to us: all that is peculiar to it, filled in by its own folder, asked for by everybody."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from loyalty.platforms.documents.kinds import Sign, Topics
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.http.protocol import PlatformClient
from loyalty.platforms.http.signatures import Check
from loyalty.platforms.meaning import Meaning
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.snapshot import OrderSnapshot

# The order in a document, and the name of the meta field that holds its tags, "" where the platform has tags. Raises
# NotAnOrder, naming the field, when the document is incomplete or no order yet.
ReadOrder = Callable[[Fields, str], OrderSnapshot]


def _never(headers: Mapping[str, str], body: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How its orders are read, and told from those of other platforms.

    ``sources`` names for each field of the snapshot what it is read from. A document with all fields of one of
    ``signs`` is an order of this platform, or of one that has the same. ``deletes_keep_time``: making a refund moves
    the order's own time of change, and deleting one does not (N8).
    """

    read: ReadOrder
    sources: Mapping[str, Collection[str]]
    signs: Collection[frozenset[str]]
    deletes_keep_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What its webhooks look like. Names of headers are in small letters.

    ``topics`` say what comes with a topic; ``signs`` what a document is by its fields, the most telling first, and
    ``kind_by_id`` what it is by its own id, "" for none of ours. An order that was fetched is kept as if it had come
    with ``fetched_topic``.
    """

    is_signed: Check
    meaning_of: Callable[[str, Mapping[str, object]], Meaning]
    topics: Topics
    fetched_topic: str
    signs: Sequence[Sign] = ()
    kind_by_id: Callable[[Mapping[str, object]], str] | None = None
    # What its headers begin with: they are kept with a delivery.
    headers: tuple[str, ...] = ()
    # Where the topic stands, which no signature covers then; "" where it is in the signed body.
    topic_header: str = ""
    # What tells a delivery from others, where each try does not have a new one; "": its body does.
    id_header: str = ""
    new_id_each_try: bool = False
    # Says "true" of a test.
    test_header: str = ""
    # Where a delivery names its shop, and what the names of all shops there end in.
    shop_header: str = ""
    shop_domain: str = ""
    # Where the signed body says whose message it is, and nothing else does: shops share an app's secret. Then a header
    # has the second in which it was signed.
    merchant_field: str = ""
    signed_at_header: str = ""
    # Whether this is an unsigned greeting, which is answered with 200 and forgotten.
    is_greeting: Callable[[Mapping[str, str], bytes], bool] = _never


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a connection as staff fill it in: an attribute of PlatformConnection, and how it is named there."""

    name: str
    label: str
    help_text: str
    longest: int = 500
    required: bool = False
    # What help_text names as %(example)s.
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """What a connection is made of. ``credentials`` are sent to the shop's address with every question.

    ``chooses_secret``: webhooks are signed with a secret that is chosen here, else the platform names its own. One with
    ``refused_characters`` is refused with ``refusal``.
    """

    fields: Sequence[Field]
    credentials: tuple[str, ...] = ("access_token",)
    chooses_secret: bool = False
    refused_characters: frozenset[str] = frozenset()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One workflow that tags orders, step by step; ``code`` is for whoever looks after the shop's programs."""

    title: str
    steps: Sequence[str]
    code: str = ""


@dataclass(frozen=True, slots=True)
class TaggingGuide:
    """How the platform tags orders by itself (N1). In ``code``, %(field)s and %(tag)s are the store's own."""

    words: str
    recipes: Sequence[Recipe]
    example_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPlatform:
    """One platform: the ``key`` that is stored, and the ``label`` that people read."""

    key: str
    label: str
    client: Callable[[PlatformConnection], PlatformClient]
    orders: Orders
    webhooks: Webhooks
    connecting: Connecting
    tagging: TaggingGuide | None = None
    # Whether its cancel can return the platform's own credits and points.
    returns_its_own: bool = False
    # The page in its back-office that shows one discount, by its {number} there; "" where it publishes none.
    discount_page: str = ""


def address(label: str, example: str, *, required: bool = True) -> Field:
    """Where the shop, or the platform, is asked."""
    words = (
        gettext_noop("Such as %(example)s.") if required else gettext_noop("%(example)s is asked where this is empty.")
    )
    return Field("base_url", label, words, longest=300, required=required, example=example)


def version(example: str) -> Field:
    """Which version of the platform's API is spoken."""
    words = gettext_noop("Such as %(example)s. Leave empty for the one that this system was tested with.")
    return Field("api_version", gettext_noop("API version"), words, longest=20, example=example)
