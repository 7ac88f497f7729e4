"""The faces of the archive and the Django project that serves them; the domain is in `archive`."""
