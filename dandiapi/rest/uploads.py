"""Uploads and blobs (docs/dialects/dandi.md#uploads)."""

from uuid import UUID

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from archive.blobs import queries, services
from archive.blobs.services import UploadedPart
from archive.datasets.queries import find_dataset
from archive.errors import NotFoundError
from dandiapi.auth import Anyone, Approved
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View, bare_errors, listed_errors
from dandiapi.rest.operations import documented
from dandiapi.rest.render import ROWS

DANDI_ETAG = "dandi:dandi-etag"
WRITE = {400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.REFUSAL, 404: outputs.Detail, 503: str}


class DigestView(View):
    """The blob with a digest."""

    permission_classes = [Anyone]

    @documented({400: outputs.ERRORS, 404: outputs.Detail}, request=inputs.Digest)
    def post(self, request: Request) -> Answer[outputs.Blob]:
        """Return the blob with that digest, if the caller may read one."""
        wanted = self.body(inputs.Digest).validated_data
        with bare_errors():
            blob = queries.find_blob_by_digest(self.actor, wanted["algorithm"], wanted["value"])
        if blob is None:
            raise NotFoundError
        return Answer(shapes.blob(blob))


class StartUploadView(View):
    """The start of an upload."""

    permission_classes = [Approved]

    @documented({**WRITE, 409: str}, request=inputs.StartUpload)
    def post(self, request: Request) -> Answer[outputs.Upload]:
        """Begin an upload, and return where to put each part of it.

        If the bytes are here already, that is a conflict, and `Location` names their blob.
        """
        wanted = self.body(inputs.StartUpload).validated_data
        if wanted["digest"]["algorithm"] != DANDI_ETAG:
            raise ValidationError(["Unsupported Digest Type"])
        dataset = find_dataset(self.actor, wanted["dandiset"])
        upload, parts = services.start_upload(
            actor=self.actor, dataset=dataset, size=wanted["contentSize"], etag=wanted["digest"]["value"]
        )
        return Answer(
            {
                "upload_id": upload.pk,
                "parts": [{"part_number": part.number, "size": part.size, "upload_url": part.url} for part in parts],
            }
        )


class CompleteUploadView(View):
    """The completion of an upload in the store."""

    permission_classes = [Approved]
    body_limit = ROWS

    @documented(WRITE, request=inputs.CompleteUpload)
    def post(self, request: Request, upload_id: str) -> Answer[outputs.Completion]:
        """Return what completes the upload in the store: a URL, and the body to post there."""
        upload = queries.find_upload(self.actor, UUID(upload_id))
        parts = self.body(inputs.CompleteUpload).validated_data["parts"]
        url, body = services.sign_completion(
            upload, [UploadedPart(part["part_number"], part["size"], part["etag"]) for part in parts]
        )
        return Answer({"complete_url": url, "body": body})


class ValidateUploadView(View):
    """The check that an upload is what was announced."""

    permission_classes = [Approved]

    @documented(WRITE, request=None)
    def post(self, request: Request, upload_id: str) -> Answer[outputs.Blob]:
        """Check that the upload is what was announced, and return the blob that it has become.

        Asked again, the answer is the same: a client may not have heard the first.
        """
        with listed_errors():
            blob = services.finish_upload(actor=self.actor, upload_id=UUID(upload_id))
        # DANDI has no SHA-256 here, known or not: it computes that later.
        return Answer({**shapes.blob(blob), "sha256": None})
