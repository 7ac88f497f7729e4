"""The forms on pages."""

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from archive.accounts.models import Token, User
from archive.accounts.services import MAX_REASON

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "one year", "": "ever, until it is revoked"}


class TokenForm(forms.Form):
    """The form for a new token."""

    name = forms.CharField(max_length=100, label="Name", help_text="Where you will use it, such as “laptop”.")
    scope = forms.ChoiceField(choices=Token.Scope.choices, label="It may")
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), initial="365", required=False, label="Valid for")

    @property
    def expires(self) -> datetime | None:
        """Return when the token expires; None for never."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class ReviewForm(forms.Form):
    """The form that approves or rejects a user."""

    status = forms.ChoiceField(choices=[(status, status) for status in (User.Status.APPROVED, User.Status.REJECTED)])
    rejection_reason = forms.CharField(
        max_length=MAX_REASON,
        required=False,
        label="If you reject them, why?",
        help_text="They are sent this.",
        widget=forms.Textarea({"rows": 3}),
    )
