"""What gunicorn is told of `web`, wherever it runs: `gunicorn --config python:dandiapi.server.options`."""

worker_class = "dandiapi.server.worker.Worker"
# How many requests a process answers at a time; clients that are slow need none of them.
threads = 16
# Django is loaded once, and what of it stays as it is lies in memory once, however many processes answer.
preload_app = True
# For longer than proxies keep a connection, or they would use one that is just being closed.
keepalive = 95
control_socket_disable = True
