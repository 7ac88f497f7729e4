"""The admin: every model, to look at; and to change only what the domain has a service for."""

from dandiapi.admin import content, derived, people, timeline

__all__ = ["content", "derived", "people", "timeline"]
