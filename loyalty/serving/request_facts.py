"""What the application tells its server of a request, within the request's environment: for lines that come later."""

from typing import Final

REQUEST_ID: Final = "loyalty.request_id"
ROUTE: Final = "loyalty.route"
