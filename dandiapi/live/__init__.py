"""The `live` process: streams of server-sent events, which the request workers must not be kept busy with."""
