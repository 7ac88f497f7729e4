"""The end of an embargo, and who reads what is embargoed: uploads in the way, viewers, reviewer links.

Viewers and reviewer links are this archive's own; for the rest see docs/dialects/dandi.md#embargo.
"""

from rest_framework.request import Request

from archive.accounts.models import Grant
from archive.accounts.policy import Action, require
from archive.accounts.queries import editors_seen_by, reviewer_links_of, viewers_seen_by
from archive.addresses import version_page
from archive.blobs.queries import uploads_of
from archive.blobs.services import clear_uploads
from archive.datasets import services
from archive.embargo.queries import opened_by_release
from archive.embargo.services import release
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer, Empty
from dandiapi.rest.base import View, listed_errors
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page
from dandiapi.rest.render import ROWS

READ = {401: outputs.Detail, 403: outputs.REFUSAL, 404: outputs.Detail}
WRITE = {400: outputs.ERRORS, **READ}


class ReleaseView(View):
    """The end of an embargo."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(READ)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Opening]:
        """Return what a release would open beside the draft, if the history is kept."""
        return Answer(shapes.opening(opened_by_release(self.actor, self.dataset)))

    @documented({200: None, **WRITE}, request=inputs.Release)
    def post(self, request: Request, **kwargs: str) -> Empty:
        """Release the dataset: everybody may read it from now on."""
        require(self.actor, Action.RELEASE, self.dataset)
        history = self.body(inputs.Release).validated_data["history"]
        release(actor=self.actor, dataset=self.dataset, starts_anew=None if history is None else history != "keep")
        return Empty(200)


class UploadsView(View):
    """The uploads that are under way for a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({400: outputs.ERRORS, **READ}, parameters=outputs.PAGE_PARAMETERS)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.PageOf[outputs.ActiveUpload]]:
        """Return a page of the uploads that are under way for the dataset, the oldest first."""
        uploads = uploads_of(self.actor, self.dataset)
        return Page.of(request).answer(
            count=uploads.count(), fetch=lambda offset, limit: map(shapes.upload, uploads[offset : offset + limit])
        )

    @documented({204: None, **READ})
    def delete(self, request: Request, **kwargs: str) -> Empty:
        """Give up all uploads that are under way for the dataset."""
        clear_uploads(actor=self.actor, dataset=self.dataset)
        return Empty(204)


class ViewersView(View):
    """The viewers of a dataset, who may read all of it and change nothing."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = ROWS

    @documented(READ, operation_id="dandisets_viewers_list")
    def get(self, request: Request, **kwargs: str) -> Answer[list[outputs.Viewer]]:
        """Return the dataset's viewers, by the date they joined the archive, and then who is invited."""
        return Answer([shapes.member(each) for each in viewers_seen_by(self.actor, self.dataset)])

    @documented(WRITE, request=inputs.ViewerName(many=True))
    def put(self, request: Request, **kwargs: str) -> Answer[list[outputs.Viewer]]:
        """Make exactly these people the dataset's viewers, and return them."""
        require(self.actor, Action.CHANGE_VIEWERS, self.dataset)
        usernames = self.usernames(inputs.ViewerName, at_most=services.MAX_PEOPLE[Grant.Role.VIEWER])
        with listed_errors():
            services.set_viewers(actor=self.actor, dataset=self.dataset, usernames=usernames)
        return Answer([shapes.member(each) for each in viewers_seen_by(self.actor, self.dataset)])


class EditorsView(View):
    """The editors of a dataset, who may change its draft and make versions of it, and grant nothing."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = ROWS

    @documented(READ, operation_id="dandisets_editors_list")
    def get(self, request: Request, **kwargs: str) -> Answer[list[outputs.Viewer]]:
        """Return the dataset's editors, by the date they joined the archive, and then who is invited."""
        return Answer([shapes.member(each) for each in editors_seen_by(self.actor, self.dataset)])

    @documented(WRITE, request=inputs.ViewerName(many=True))
    def put(self, request: Request, **kwargs: str) -> Answer[list[outputs.Viewer]]:
        """Make exactly these people the dataset's editors, and return them."""
        require(self.actor, Action.CHANGE_EDITORS, self.dataset)
        usernames = self.usernames(inputs.ViewerName, at_most=services.MAX_PEOPLE[Grant.Role.EDITOR])
        with listed_errors():
            services.set_editors(actor=self.actor, dataset=self.dataset, usernames=usernames)
        return Answer([shapes.member(each) for each in editors_seen_by(self.actor, self.dataset)])


class ReviewerLinksView(View):
    """The reviewer links of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({400: outputs.ERRORS, **READ}, parameters=outputs.PAGE_PARAMETERS)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.PageOf[outputs.ReviewerLink]]:
        """Return a page of the dataset's reviewer links, the newest first, those that have ended too."""
        links = reviewer_links_of(self.actor, self.dataset)
        return Page.of(request).answer(
            count=links.count(), fetch=lambda offset, limit: map(shapes.reviewer_link, links[offset : offset + limit])
        )

    @documented(WRITE, request=inputs.NewReviewerLink)
    def post(self, request: Request, **kwargs: str) -> Answer[outputs.ReviewerLinkWithSecret]:
        """Create a reviewer link, and return it with its secret.

        Whoever has the secret reads the dataset, without the names of its people, until the link expires.
        """
        require(self.actor, Action.CHANGE_REVIEWER_LINKS, self.dataset)
        wanted = self.body(inputs.NewReviewerLink).validated_data
        link, secret = services.create_reviewer_link(
            actor=self.actor, dataset=self.dataset, label=wanted["label"], expires=wanted["expires"]
        )
        url = f"{version_page(self.dataset.number, 'draft')}?reviewer={secret}"
        return Answer({**shapes.reviewer_link(link), "secret": secret, "url": url})


class ReviewerLinkView(View):
    """One reviewer link of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({204: None, **READ})
    def delete(self, request: Request, **kwargs: str) -> Empty:
        """Revoke the reviewer link, at once and for good."""
        link_id = int(self.kwargs["link_id"])
        services.revoke_reviewer_link(actor=self.actor, dataset=self.dataset, link_id=link_id)
        return Empty(204)
