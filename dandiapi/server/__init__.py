"""The server of `web`: a worker of gunicorn's that gives a thread to requests that have come, and to no others.

One thread speaks with all clients (`worker.py`, `connection.py`); requests are spooled until they are whole
(`bodies.py`), and only then one of few threads answers them (`answers.py`). What a client does not take at once is sent
by the first thread again. Who is slower than `pace.py` allows is sent away.
"""
