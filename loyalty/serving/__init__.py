"""How gunicorn serves the web, here and in containers: threads get whole requests."""

workers = 2
worker_class = "loyalty.serving.worker.WholeRequests"
# More than loyalty.partners.request_limits lets wait for others at once, so that somebody always answers.
threads = 8
# The program is read once, before its processes are made.
preload_app = True
control_socket_disable = True
