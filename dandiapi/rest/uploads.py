"""Uploads and blobs (docs/dialects/dandi.md#uploads)."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from archive.blobs import queries, services
from archive.blobs.services import UploadedPart
from archive.datasets.queries import find_dataset
from dandiapi.auth import Anyone, Approved
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.base import View, bare_errors, listed_errors
from dandiapi.rest.render import ROWS

DANDI_ETAG = "dandi:dandi-etag"
WRITE = {400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.REFUSAL, 404: outputs.Detail, 503: str}


class DigestView(View):
    """Blobs by digest."""

    permission_classes = [Anyone]

    @extend_schema(request=inputs.Digest, responses={200: outputs.Blob, 400: outputs.ERRORS, 404: outputs.Detail})
    def post(self, request: Request) -> Response:
        """The blob with that digest, if the actor may read one."""
        wanted = self.body(inputs.Digest).validated_data
        with bare_errors():
            blob = queries.find_blob_by_digest(self.actor, wanted["algorithm"], wanted["value"])
        if blob is None:
            raise NotFound
        return Response(shapes.blob(blob))


class StartUploadView(View):
    """Uploads begin here."""

    permission_classes = [Approved]

    @extend_schema(request=inputs.StartUpload, responses={200: outputs.Upload, **WRITE, 409: str})
    def post(self, request: Request) -> Response:
        """Where to put each part of a new upload; a conflict, naming the blob, if the bytes are here already."""
        wanted = self.body(inputs.StartUpload).validated_data
        if wanted["digest"]["algorithm"] != DANDI_ETAG:
            raise ValidationError(["Unsupported Digest Type"])
        dataset = find_dataset(self.actor, wanted["dandiset"])
        upload, parts = services.start_upload(
            actor=self.actor, dataset=dataset, size=wanted["contentSize"], etag=wanted["digest"]["value"]
        )
        return Response(
            {
                "upload_id": upload.pk,
                "parts": [{"part_number": part.number, "size": part.size, "upload_url": part.url} for part in parts],
            }
        )


class CompleteUploadView(View):
    """The end of an upload, as the store wants it."""

    permission_classes = [Approved]
    body_limit = ROWS

    @extend_schema(request=inputs.CompleteUpload, responses={200: outputs.Completion, **WRITE})
    def post(self, request: Request, upload_id: str) -> Response:
        """The URL and the body to post there."""
        upload = queries.find_upload(self.actor, UUID(upload_id))
        parts = self.body(inputs.CompleteUpload).validated_data["parts"]
        url, body = services.sign_completion(
            upload, [UploadedPart(part["part_number"], part["size"], part["etag"]) for part in parts]
        )
        return Response({"complete_url": url, "body": body})


class ValidateUploadView(View):
    """The check that an upload is what was announced."""

    permission_classes = [Approved]

    @extend_schema(request=None, responses={200: outputs.Blob, **WRITE})
    def post(self, request: Request, upload_id: str) -> Response:
        """The blob it has become. Asked again, the same answer: a client may not have heard the first."""
        with listed_errors():
            blob = services.finish_upload(actor=self.actor, upload_id=UUID(upload_id))
        # DANDI has no SHA-256 here, known or not: it computes that later.
        return Response({**shapes.blob(blob), "sha256": None})
