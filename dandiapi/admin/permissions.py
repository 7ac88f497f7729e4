"""What the permissions of staff are good for."""

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied

OURS = "archive"


class OursAlone(BaseBackend):
    """Lets nobody but administrators near what packages keep, whatever permissions they have been given.

    By addresses, accounts elsewhere, apps and their tokens one can sign in as somebody else.
    """

    def has_perm(self, user_obj: object, perm: str, obj: object = None) -> bool:
        """Refuse permissions of packages for good; have no say in those of ours. Administrators are not asked for."""
        return self.has_module_perms(user_obj, perm.partition(".")[0])

    def has_module_perms(self, user_obj: object, app_label: str) -> bool:
        """The same for all that is of one package."""
        if app_label != OURS:
            raise PermissionDenied
        return False
