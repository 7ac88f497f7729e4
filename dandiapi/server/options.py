"""The configuration of gunicorn for `web`: `gunicorn --config python:dandiapi.server.options`."""

worker_class = "dandiapi.server.worker.Worker"
# How many requests a process answers at a time; clients that are slow need none of them.
threads = 16
# Django is loaded once, and its unchanged memory is shared by all processes.
preload_app = True
# Longer than proxies keep a connection, or they would use one that is just being closed.
keepalive = 95
control_socket_disable = True
