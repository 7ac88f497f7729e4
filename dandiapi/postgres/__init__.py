"""Django's backend for Postgres, with a pool that recovers at once when Postgres was away."""
