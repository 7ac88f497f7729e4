"""Jobs and projections: what is being done, how far it is, and why not further."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from archive.datasets.queries import find_job, projections_of, visible_jobs
from archive.publishing.services import cancel_job, retry_job
from archive.timeline.models import Job, Projection
from archive.timeline.queries import ProjectionStatus
from dandiapi.auth import Approved, ApprovedOrReadOnly, SignedIn
from dandiapi.jobs import job_detail, job_row
from dandiapi.rest import inputs, outputs
from dandiapi.rest.base import View
from dandiapi.rest.pages import Page

READ = {401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail}


class JobsQuery(serializers.Serializer[Any]):
    """Which jobs are asked for."""

    dandiset = inputs.DatasetField(required=False)
    kind = serializers.CharField(default="", allow_blank=True, max_length=32)
    state = serializers.ChoiceField(Job.State.choices, required=False)


class JobRow(serializers.Serializer[Any]):
    """A piece of work, and how it fares."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    dandiset = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(Job.State.choices)
    step = serializers.CharField(allow_blank=True)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    created = serializers.DateTimeField()
    started = serializers.DateTimeField(allow_null=True)
    ended = serializers.DateTimeField(allow_null=True)
    deadline = serializers.DateTimeField()


class LogLine(serializers.Serializer[Any]):
    """What happened, and when."""

    at = serializers.DateTimeField()
    text = serializers.CharField()


class JobDetail(JobRow):
    """The same, with the last lines of its log."""

    log = LogLine(many=True)


class ProjectionItem(serializers.Serializer[Any]):
    """Something derived, how far it has followed the dataset's history, and why not further."""

    name = serializers.CharField()
    state = serializers.ChoiceField(Projection.State.choices)
    reason = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField()
    target = serializers.IntegerField()
    is_current = serializers.BooleanField()
    is_at_work = serializers.BooleanField()
    attempts = serializers.IntegerField()
    next_attempt = serializers.DateTimeField(allow_null=True)
    advanced = serializers.DateTimeField(allow_null=True)


class JobsView(View):
    """The jobs that the actor may follow."""

    permission_classes = [SignedIn]

    @extend_schema(
        operation_id="jobs_list",
        parameters=[JobsQuery, *outputs.PAGE_PARAMETERS],
        responses={200: outputs.page_of(JobRow), 400: outputs.ERRORS, **READ},
    )
    def get(self, request: Request) -> Response:
        """A page of them, newest first; only the first page says how many there are."""
        query = self.query(JobsQuery).validated_data
        jobs = visible_jobs(self.actor)
        if "dandiset" in query:
            jobs = jobs.filter(dataset_id=query["dandiset"])
        if query["kind"]:
            jobs = jobs.filter(kind=query["kind"])
        if "state" in query:
            jobs = jobs.filter(state=query["state"])

        def rows(offset: int, limit: int) -> list[dict[str, Any]]:
            return [job_row(job) for job in jobs.defer("log", "arguments")[offset : offset + limit]]

        return Page.of(request).lazy_answer(count=jobs.order_by().count, fetch=rows)


class OneJobView(View):
    """The job in the address."""

    @property
    def job(self) -> Job:
        """It, if the actor may follow it."""
        return find_job(self.actor, UUID(self.kwargs["job_id"]))


class JobView(OneJobView):
    """One job."""

    permission_classes = [SignedIn]

    @extend_schema(responses={200: JobDetail, **READ})
    def get(self, request: Request, **kwargs: str) -> Response:
        """How it fares."""
        return Response(job_detail(self.job))


class CancelView(OneJobView):
    """The end of a job before it is done."""

    permission_classes = [Approved]

    @extend_schema(request=None, responses={200: JobDetail, 409: str, **READ, 403: outputs.REFUSAL})
    def post(self, request: Request, **kwargs: str) -> Response:
        """Cancel it: whoever is at work on it stops soon. A conflict if it has ended."""
        return Response(job_detail(cancel_job(actor=self.actor, job=self.job)))


class RetryView(OneJobView):
    """Another attempt at what has failed."""

    permission_classes = [Approved]

    @extend_schema(
        request=None,
        responses={200: JobDetail, 400: outputs.ERRORS, 409: str, 423: str, **READ, 403: outputs.REFUSAL},
    )
    def post(self, request: Request, **kwargs: str) -> Response:
        """Try again; the answer is the job that does so. A conflict unless it failed or was cancelled."""
        job = retry_job(actor=self.actor, job=self.job)
        return Response(job_detail(job), headers={"Location": f"/api/jobs/{job.pk}/"})


class ProjectionsView(View):
    """What follows the changes of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(responses={200: ProjectionItem(many=True), **READ})
    def get(self, request: Request, **kwargs: str) -> Response:
        """How each fares, for owners."""
        return Response([_projection(status) for status in projections_of(self.actor, self.dataset)])


def _projection(status: ProjectionStatus) -> dict[str, Any]:
    row = status.row
    return {
        "name": row.name,
        "state": row.state,
        "reason": row.reason,
        "position": row.cursor,
        "target": status.target,
        "is_current": status.is_current,
        "is_at_work": status.is_at_work,
        "attempts": row.attempts,
        "next_attempt": row.next_attempt,
        "advanced": row.advanced,
    }
