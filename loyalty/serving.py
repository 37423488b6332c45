"""How gunicorn serves the web, here and in containers (``gunicorn --config python:loyalty.serving``)."""

from typing import Any

from gunicorn.glogging import Logger

from loyalty.logs import without_secrets

workers = 2
# More than loyalty.partners lets wait for others at once, so that somebody always answers.
threads = 8
control_socket_disable = True
accesslog = "-"
# Without the query, which may hold an e-mail address.
access_log_format = "%(m)s %(U)s %(s)s %(M)sms"


class DiscreetLogger(Logger):
    """Writes no address that lets its reader in."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What a line of the access log can be made of."""
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {name: without_secrets(part) if isinstance(part, str) else part for name, part in atoms.items()}


logger_class = DiscreetLogger
