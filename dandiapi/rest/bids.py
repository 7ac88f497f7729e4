"""What the BIDS validator says of versions, and of their files."""

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from rest_framework.request import Request

from archive.assets.models import Asset
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.queries import find_verdict
from archive.datasets.queries import find_version
from archive.errors import NotFoundError
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import outputs
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented


class BidsCode(TypedDict):
    """The issues of one code: how many there are, and the first places that have any."""

    code: str
    severity: Annotated[str, "`error` or `warning`."]
    count: int
    message: str
    locations: list[str]


class BidsValidation(TypedDict):
    """The verdict of the official BIDS validator on the files of a version, or why there is none."""

    state: Annotated[str, BidsVerdict.State]
    reason: Annotated[str, "Why the validation has failed."]
    validator: Annotated[str, "Which validator it was, and which version of it."]
    errors: int
    warnings: int
    codes: Annotated[list[BidsCode], "Errors first."]


class BidsIssue(TypedDict):
    """An issue of the official BIDS validator about a file."""

    code: str
    sub_code: str
    severity: Annotated[str, "`error` or `warning`."]
    message: str
    rule: str
    line: int | None


class AssetValidation(TypedDict):
    """The validation of an asset: its status, its problems, and what the BIDS validator says of it."""

    status: Annotated[str, Asset.Status]
    validation_errors: list[outputs.Problem]
    bids_issues: Annotated[list[BidsIssue], "Errors first."]


def bids_issue(issue: Mapping[str, Any]) -> BidsIssue:
    """Return an issue of the BIDS validator, by the names that answers have."""
    return {
        "code": issue["code"],
        "sub_code": issue.get("subCode", ""),
        "severity": issue["severity"],
        "message": issue.get("issueMessage", ""),
        "rule": issue.get("rule", ""),
        "line": issue.get("line"),
    }


class BidsValidationView(View):
    """The verdict of the official BIDS validator."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail})
    def get(self, request: Request, **kwargs: str) -> Answer[BidsValidation]:
        """Return what the BIDS validator says of the files of a version; 404 if it has not looked at them."""
        verdict = find_verdict(self.actor, find_version(self.actor, self.number, kwargs["version"], hidden=False))
        if verdict is None:
            raise NotFoundError("The BIDS validator has not looked at these files.")
        return Answer(
            {
                "state": verdict.state,
                "reason": verdict.reason,
                "validator": verdict.validator,
                "errors": verdict.errors,
                "warnings": verdict.warnings,
                "codes": verdict.codes,
            }
        )
