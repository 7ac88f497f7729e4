"""The end of an embargo, and who reads what is embargoed: uploads in the way, viewers, reviewer links.

Viewers and reviewer links are this archive's own; for the rest see docs/dialects/dandi.md#embargo.
"""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from archive.accounts.policy import Action, require
from archive.accounts.queries import reviewer_links_of, viewers_seen_by
from archive.blobs.queries import uploads_of
from archive.blobs.services import clear_uploads
from archive.datasets import services
from archive.embargo.services import release
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.base import View, listed_errors
from dandiapi.rest.pages import Page
from dandiapi.rest.render import ROWS

READ = {401: outputs.Detail, 403: outputs.REFUSAL, 404: outputs.Detail}
WRITE = {400: outputs.ERRORS, **READ}


class ReleaseView(View):
    """The end of an embargo."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(request=None, responses={200: None, **WRITE})
    def post(self, request: Request, **kwargs: str) -> Response:
        """Let everybody read the dataset, from now on."""
        release(actor=self.actor, dataset=self.dataset)
        return Response(status=200)


class UploadsView(View):
    """The uploads that are under way for a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(
        parameters=outputs.PAGE_PARAMETERS,
        responses={200: outputs.page_of(outputs.ActiveUpload), 400: outputs.ERRORS, **READ},
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """A page of them, the oldest first."""
        uploads = uploads_of(self.actor, self.dataset)
        return Page.of(request).answer(
            count=uploads.count(), fetch=lambda offset, limit: map(shapes.upload, uploads[offset : offset + limit])
        )

    @extend_schema(responses={204: None, **READ})
    def delete(self, request: Request, **kwargs: str) -> Response:
        """Give all of them up."""
        clear_uploads(actor=self.actor, dataset=self.dataset)
        return Response(status=204)


class ViewersView(View):
    """Who may read all of a dataset, and change nothing."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = ROWS

    @extend_schema(responses={200: outputs.Viewer(many=True), **READ})
    def get(self, request: Request, **kwargs: str) -> Response:
        """Them, by the date they joined the archive, and then who is invited."""
        return Response([shapes.member(each) for each in viewers_seen_by(self.actor, self.dataset)])

    @extend_schema(request=inputs.ViewerName(many=True), responses={200: outputs.Viewer(many=True), **WRITE})
    def put(self, request: Request, **kwargs: str) -> Response:
        """Make exactly these people the viewers."""
        require(self.actor, Action.CHANGE_VIEWERS, self.dataset)
        people = inputs.ViewerName(data=request.data, many=True, allow_empty=True, max_length=services.MAX_VIEWERS)  # type: ignore[call-arg]
        people.is_valid(raise_exception=True)
        usernames = [person["username"] for person in people.validated_data]
        with listed_errors():
            services.set_viewers(actor=self.actor, dataset=self.dataset, usernames=usernames)
        return Response([shapes.member(each) for each in viewers_seen_by(self.actor, self.dataset)])


class ReviewerLinksView(View):
    """The reviewer links of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(
        parameters=outputs.PAGE_PARAMETERS,
        responses={200: outputs.page_of(outputs.ReviewerLink), 400: outputs.ERRORS, **READ},
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """A page of them, the newest first, those that have ended too."""
        links = reviewer_links_of(self.actor, self.dataset)
        return Page.of(request).answer(
            count=links.count(), fetch=lambda offset, limit: map(shapes.reviewer_link, links[offset : offset + limit])
        )

    @extend_schema(request=inputs.NewReviewerLink, responses={200: outputs.ReviewerLinkWithSecret, **WRITE})
    def post(self, request: Request, **kwargs: str) -> Response:
        """A new one. Whoever has it reads the dataset, without the names of its people, until it expires."""
        require(self.actor, Action.CHANGE_REVIEWER_LINKS, self.dataset)
        wanted = self.body(inputs.NewReviewerLink).validated_data
        link, secret = services.create_reviewer_link(
            actor=self.actor, dataset=self.dataset, label=wanted["label"], expires=wanted["expires"]
        )
        url = f"{settings.ARCHIVE_URL}/dandiset/{self.dataset.identifier}/draft?reviewer={secret}"
        return Response({**shapes.reviewer_link(link), "secret": secret, "url": url})


class ReviewerLinkView(View):
    """One reviewer link of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(responses={204: None, **READ})
    def delete(self, request: Request, **kwargs: str) -> Response:
        """Revoke it, at once and for good."""
        link_id = int(self.kwargs["link_id"])
        services.revoke_reviewer_link(actor=self.actor, dataset=self.dataset, link_id=link_id)
        return Response(status=204)
