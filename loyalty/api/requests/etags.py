"""Versions as ETags: what is read carries one, and a write may name the one it was made from."""

import re
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

_ETAG: Final = re.compile(r'"([0-9]{1,9})"', re.ASCII)
_NO_VERSION: Final = -1


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def versioned(answer: Any, version: int, *, status: int = 200) -> Response:
    """An answer that names the version it shows."""
    return Response(answer, status=status, headers={"ETag": etag(version)})


def expected_version(request: Request) -> int | None:
    """The version that ``If-Match`` names; None when any will do, and one that nothing has when it is none of ours."""
    header: str = request.META.get("HTTP_IF_MATCH", "*").strip()
    if header == "*":
        return None
    named = _ETAG.fullmatch(header)
    return int(named[1]) if named else _NO_VERSION
