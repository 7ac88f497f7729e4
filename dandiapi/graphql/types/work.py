"""What it takes to send files, and tasks of workers."""

import graphene

from dandiapi.graphql.scalars import JSON, BigInt, DateTime


class UploadMetadata(graphene.ObjectType):
    """An upload by HTTP, and what it takes to send files to it."""

    complete = graphene.Boolean(required=True)
    dataset_id = graphene.ID(required=True)
    endpoint = graphene.Int()
    estimated_size = BigInt()
    id = graphene.ID(required=True)
    token = graphene.String()


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
