"""The admin: every model, read-only where history must not be edited."""
