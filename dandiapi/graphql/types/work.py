"""What it takes to send files, and tasks of workers."""

import graphene

from archive.monitor.models import ReportedTask
from archive.uploads.models import UploadSession
from dandiapi.graphql.ids import ENDPOINT
from dandiapi.graphql.ids import dataset_id as id_of
from dandiapi.graphql.scalars import JSON, BigInt, DateTime


class UploadMetadata(graphene.ObjectType):
    """An upload by HTTP, and what it takes to send files to it."""

    complete = graphene.Boolean(required=True)
    dataset_id = graphene.ID(required=True)
    endpoint = graphene.Int()
    estimated_size = BigInt()
    id = graphene.ID(required=True)
    token = graphene.String()

    @classmethod
    def of(cls, session: UploadSession, *, token: str | None = None) -> "UploadMetadata":
        """Return what is told of a session; its token to who has prepared it, just now."""
        return cls(
            complete=session.finished is not None,
            dataset_id=id_of(session.dataset_id),
            endpoint=ENDPOINT,
            estimated_size=getattr(session, "size", 0),
            id=session.name,
            token=token,
        )


class RepoMetadata(graphene.ObjectType):
    """A token for the repository of a dataset, and the endpoint of it."""

    endpoint = graphene.Int()
    token = graphene.String()


class WorkerTask(graphene.ObjectType):
    """A task of the worker."""

    args = JSON()
    error = graphene.String()
    execution_time = graphene.Int()
    finished_at = DateTime()
    id = graphene.ID(required=True)
    kwargs = JSON()
    queued_at = DateTime()
    started_at = DateTime()
    task_name = graphene.String()
    worker = graphene.String()

    @classmethod
    def of(cls, task: ReportedTask) -> "WorkerTask":
        """Return what a worker has reported of a task."""
        return cls(
            args=task.args,
            error=task.error or None,
            execution_time=task.execution_time,
            finished_at=task.finished,
            id=task.pk,
            kwargs=task.kwargs,
            queued_at=task.queued,
            started_at=task.started,
            task_name=task.name or None,
            worker=task.worker or None,
        )
