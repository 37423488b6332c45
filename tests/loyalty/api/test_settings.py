"""Settings over REST (H4)."""

from base64 import b64decode, b64encode
from typing import Any

import pytest

from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Store
from tests.loyalty.api.support import ApiClient
from tests.pictures import picture


def test_h4_defaults_then_versions(api: ApiClient, foreign_api: ApiClient, store: Store) -> None:
    first = api.read("/settings/")
    assert first["ETag"] == '"0"'
    assert first.json()["spent_revert"]["statuses"] == ["cancelled", "refunded"]
    assert first.json()["limits"]["support_adjust_credits"] == "100.00"
    patch = {"extend": {"max_days": 90}, "spent_revert": {"statuses": ["refunded"]}}
    changed = api.send("PATCH", "/settings/", patch)
    assert changed.status_code == 200
    assert changed["ETag"] == '"1"'
    expected = first.json() | {"version": 1, "extend": {"default_days": 30, "max_days": 90}}
    expected["spent_revert"] = expected["spent_revert"] | {"statuses": ["refunded"]}
    assert changed.json() == expected == api.read("/settings/").json()
    (version,) = api.read("/settings/versions/").json()["results"]
    assert version["settings"] == expected
    entry = JournalEntry.objects.for_store(store).get(event="settings.changed")
    assert entry.data == {"version": 1, "changed": ["spent_revert.statuses", "extend.max_days"]}
    assert foreign_api.read("/settings/versions/").json()["results"] == []
    assert foreign_api.read("/settings/").json()["version"] == 0


def test_the_same_again_is_no_new_version_and_null_brings_the_default_back(api: ApiClient) -> None:
    api.send("PATCH", "/settings/", {"extend": {"max_days": 90}, "limits": {"support_adjust_credits": None}})
    assert api.send("PATCH", "/settings/", {"extend": {"max_days": 90}}).json()["version"] == 1
    after = api.send("PATCH", "/settings/", {"extend": None}).json()
    assert (after["version"], after["extend"]["max_days"]) == (2, 365)
    assert after["limits"]["support_adjust_credits"] is None


def test_an_old_if_match_is_412(api: ApiClient) -> None:
    body = {"extend": {"max_days": 90}}
    assert api.send("PATCH", "/settings/", body, if_match='"0"').status_code == 200
    for header in ('"0"', "x", 'W/"1"'):
        response = api.send("PATCH", "/settings/", {"extend": {"max_days": 80}}, if_match=header)
        assert (response.status_code, response.json()["code"]) == (412, "precondition-failed")
    assert api.send("PATCH", "/settings/", {"extend": {"max_days": 80}, "version": 0}).status_code == 412
    assert api.send("PATCH", "/settings/", {"extend": {"max_days": 80}}, if_match="*").status_code == 200


def test_reminders_are_off_until_they_are_switched_on_and_null_switches_them_off(api: ApiClient) -> None:
    assert api.read("/settings/").json()["reminders"] == {"days_before": None}
    for days in (7, 0, None):
        saved = api.send("PATCH", "/settings/", {"reminders": {"days_before": days}})
        assert saved.json()["reminders"] == {"days_before": days}
    assert api.send("PATCH", "/settings/", {"reminders": None}).json()["reminders"] == {"days_before": None}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ([], "", "invalid"),
        ({"colour": 1}, "/colour", "unknown-field"),
        ({"extend": 5}, "/extend", "invalid"),
        ({"extend": {"days": 5}}, "/extend/days", "unknown-field"),
        ({"extend": {"max_days": 0}}, "/extend/max_days", "too-small"),
        ({"extend": {"max_days": "5"}}, "/extend/max_days", "invalid"),
        ({"extend": {"max_days": 10}}, "/extend/default_days", "does-not-fit"),
        ({"auto_cancel": {"expired": "maybe"}}, "/auto_cancel/expired", "invalid-choice"),
        ({"auto_cancel": {"expired_lots": {"rules": "x"}}}, "/auto_cancel/expired_lots/rules", "invalid-choice"),
        ({"spent_revert": {"statuses": ["paid"]}}, "/spent_revert/statuses/0", "invalid-choice"),
        ({"spent_revert": {"tags": ["a", ""]}}, "/spent_revert/tags/1", "blank"),
        ({"spent_revert": {"tags": ["a", "A"]}}, "/spent_revert/tags", "duplicate"),
        ({"spent_revert": {"enabled": "yes"}}, "/spent_revert/enabled", "invalid"),
        ({"points_expiry": {"month": 2, "day": 30}}, "/points_expiry/day", "does-not-fit"),
        ({"limits": {"support_adjust_credits": "0.001"}}, "/limits/support_adjust_credits", "too-fine"),
        ({"reminders": {"days_before": -1}}, "/reminders/days_before", "negative"),
        ({"reminders": {"days_before": 366}}, "/reminders/days_before", "too-large"),
        ({"reminders": {"days": 7}}, "/reminders/days", "unknown-field"),
        ({"write_back": {"tag": "ab"}}, "/write_back/tag", "too-short"),
        ({"write_back": {"tag": "x" * 41}}, "/write_back/tag", "too-long"),
        ({"write_back": {"tag": "one,two"}}, "/write_back/tag", "invalid"),
        ({"write_back": {"cancel_orders": "yes"}}, "/write_back/cancel_orders", "invalid"),
        ({"write_back": {"tag": "Back"}, "spent_revert": {"tags": ["back"]}}, "/write_back/tag", "does-not-fit"),
        ({"write_back": {"tag": "Back"}, "earned_points": {"tags": ["back"]}}, "/write_back/tag", "does-not-fit"),
        ({"earned_points": {"statuses": ["paid"]}}, "/earned_points/statuses/0", "invalid-choice"),
        ({"earned_points": {"skip_tags": ["a", "A"]}}, "/earned_points/skip_tags", "duplicate"),
        ({"limits": {"support_adjust_points": -1}}, "/limits/support_adjust_points", "negative"),
        ({"words": {"de": {"points": "x\ny"}}}, "/words/de/points", "invalid"),
        ({"words": {"fr": {"points": "Sous"}}}, "/words/fr", "unknown-field"),
    ],
)
def test_bad_settings_name_the_field(api: ApiClient, body: Any, pointer: str, code: str) -> None:
    response = api.send("PATCH", "/settings/", body)
    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert api.read("/settings/").json()["version"] == 0


def test_o6_nothing_is_written_back_until_it_is_switched_on_and_null_switches_the_tag_off(api: ApiClient) -> None:
    assert api.read("/settings/").json()["write_back"] == {
        "tag": None, "cancel_orders": False, "return_credits_there": False, "return_points_there": False
    }  # fmt: skip
    saved = api.send("PATCH", "/settings/", {"write_back": {"tag": "credits-reverted", "cancel_orders": True}})
    assert saved.json()["write_back"]["cancel_orders"] is True
    saved = api.send("PATCH", "/settings/", {"write_back": {"return_credits_there": True}})
    assert saved.json()["write_back"] == {
        "tag": "credits-reverted", "cancel_orders": True, "return_credits_there": True, "return_points_there": False
    }  # fmt: skip
    assert api.send("PATCH", "/settings/", {"write_back": {"tag": None}}).json()["write_back"]["tag"] is None


def test_h3_a_logo_is_brought_read_back_and_taken_away(api: ApiClient, foreign_api: ApiClient) -> None:
    assert set(api.read("/settings/logo/").json().values()) == {None}
    brought = api.send("PATCH", "/settings/logo/", {"picture": b64encode(picture("GIF", mode="P")).decode()})
    assert (brought.status_code, brought["ETag"]) == (200, '"1"')
    logo = brought.json()["letterhead"]["logo"]
    shown = api.read("/settings/logo/").json()
    assert {name: shown[name] for name in ("logo", "media_type", "width", "height")} == {
        "logo": logo,
        "media_type": "image/png",
        "width": 120,
        "height": 40,
    }
    assert b64decode(shown["picture"]).startswith(b"\x89PNG")

    refused = foreign_api.send("PATCH", "/settings/", {"letterhead": {"logo": logo}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/letterhead/logo"
    assert foreign_api.read("/settings/logo/").json()["picture"] is None

    assert api.send("PATCH", "/settings/", {"letterhead": {"logo": ""}}).status_code == 200
    assert set(api.read("/settings/logo/").json().values()) == {None}
    assert api.send("PATCH", "/settings/", {"letterhead": {"logo": logo}}).status_code == 200


@pytest.mark.parametrize("sent", ["*", "PHN2Zz4=", "", 7, None, "=" * 2_000_000])
def test_h3_what_is_no_logo_is_refused_at_its_field(api: ApiClient, sent: Any) -> None:
    refused = api.send("PATCH", "/settings/logo/", {"picture": sent})
    assert refused.status_code in {413, 422}
    if refused.status_code == 422:
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/picture"]
    assert api.read("/settings/").json()["version"] == 0
