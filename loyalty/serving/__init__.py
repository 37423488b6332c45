"""How gunicorn serves the web, here and in containers (``gunicorn --config python:loyalty.serving``)."""

workers = 2
worker_class = "loyalty.serving.worker.WholeRequests"
# More than loyalty.partners.waiting lets wait for others at once, so that somebody always answers.
threads = 8
# The program is read once, before its processes are made.
preload_app = True
control_socket_disable = True
