"""How gunicorn serves the web, here and in containers. It reads this by itself where it is started in this folder."""

import os
from shutil import rmtree
from tempfile import mkdtemp

workers = 2
worker_class = "loyalty.serving.worker.WholeRequests"
# More than loyalty.partners.request_limits lets wait for others at once, so that somebody always answers.
threads = 8
# The program is read once, before its processes are made.
preload_app = True
control_socket_disable = True

if os.environ.get("LOG_FORMAT") == "json":
    # Its own few lines as well; requests are logged by the application's loggers.
    logconfig_dict = {
        "formatters": {"json": {"()": "loyalty.core.logs.DiscreetJson"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "INFO", "handlers": ["console"]},
        "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False}},
    }

if {"METRICS_TOKEN", "METRICS_TOKEN_FILE"} & os.environ.keys() and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    # Where each process counts its requests, for whichever of them is asked for the sum; the library reads the name.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = mkdtemp(prefix="loyalty-metrics-")


def on_exit(server: object) -> None:
    """What was counted ends with the web."""
    if counted := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        rmtree(counted, ignore_errors=True)
