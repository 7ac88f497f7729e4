"""Mutations by which an upload of files is begun and finished (docs/dialects/openneuro.md#uploads)."""

import graphene

from archive.uploads import services
from archive.uploads.queries import find_session
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import dataset_id as id_of
from dandiapi.graphql.ids import dataset_of
from dandiapi.graphql.tokens import new_upload_token
from dandiapi.graphql.types.work import UploadMetadata

ID = graphene.ID(required=True)


@root_field(UploadMetadata, dataset_id=ID, upload_id=ID)
def prepare_upload(context: Context, dataset_id: str, upload_id: str) -> UploadMetadata:
    """Begin an upload by HTTP, or go on with it."""
    dataset = dataset_of(context, dataset_id)
    session = services.prepare_upload(actor=context.actor, dataset=dataset, upload_id=upload_id)
    return UploadMetadata.of(session, token=new_upload_token(context.actor, dataset))


@root_field(
    graphene.Boolean,
    upload_id=ID,
    folder=graphene.String(description="The folder whose name the id was made with."),
)
def finish_upload(context: Context, upload_id: str, folder: str = "") -> bool:
    """Put the files that were uploaded into the draft."""
    session = find_session(context.actor, upload_id)
    naming = services.Naming(id_of(session.dataset_id), folder)
    # A browser names an upload after the folder on its disk, of which it says nothing (the heading named above).
    is_known = bool(folder) or "Origin" not in context.request.headers
    services.finish_upload(actor=context.actor, session=session, naming=naming if is_known else None)
    return True
