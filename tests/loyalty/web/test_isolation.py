"""Right-to-left names stand still inside pages that run from left to right."""

import pytest

from loyalty.web.isolation import isolated
from tests.loyalty.languages.bidi import loose_text

NAME = "\u0645\u062d\u0645\u062f \u0639\u0644\u064a"


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (f"<p>5.00 USD of {NAME} (2)</p>", f"<p>5.00 USD of <bdi>{NAME}</bdi> (2)</p>"),
        (f"<p>{NAME}: 5, {NAME}: 6</p>", f"<p><bdi>{NAME}</bdi>: 5, <bdi>{NAME}</bdi>: 6</p>"),
        ("<p>\u202eabc</p>", "<p><bdi>\u202e</bdi>abc</p>"),
        (f'<input value="{NAME}"><a title="{NAME}">x</a>', f'<input value="{NAME}"><a title="{NAME}">x</a>'),
        (
            f"<textarea>{NAME} </textarea><option>{NAME}</option>",
            f"<textarea>{NAME} </textarea><option>{NAME}</option>",
        ),
        ("<p>\u9673 \u00df \U0001f984 – “x”</p>", "<p>\u9673 \u00df \U0001f984 – “x”</p>"),
    ],
)
def test_t4_runs_are_isolated_and_nothing_else_changes(page: str, shown: str) -> None:
    assert isolated(page) == shown
    assert loose_text(shown) == ""


def test_t4_loose_text_is_found() -> None:
    assert loose_text(f"<p>of {NAME}</p><script>'{NAME}'</script>") == f"of {NAME}"
