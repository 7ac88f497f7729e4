"""The permissions of staff in the admin."""

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied

OURS = "archive"


class NoPackagePermissions(BaseBackend):
    """A backend that lets only administrators see what packages keep, whatever permissions others were given.

    By addresses, accounts elsewhere, apps and their tokens one can sign in as somebody else.
    """

    def has_perm(self, user_obj: object, perm: str, obj: object = None) -> bool:
        """Refuse permissions of packages for good, and leave those of ours to other backends."""
        return self.has_module_perms(user_obj, perm.partition(".")[0])

    def has_module_perms(self, user_obj: object, app_label: str) -> bool:
        """Refuse all permissions of a package for good, and leave those of ours to other backends."""
        if app_label != OURS:
            raise PermissionDenied
        return False
