"""Jobs and projections, and how far they are."""

from datetime import datetime
from typing import Annotated, Any, TypedDict
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from archive.datasets.queries import find_job, projections_of, visible_jobs
from archive.publishing.services import cancel_job, retry_job
from archive.timeline.models import Job, Projection
from archive.timeline.queries import ProjectionStatus
from dandiapi.auth import Approved, ApprovedOrReadOnly, SignedIn
from dandiapi.jobs import JobDetail, JobRow, job_detail, job_row
from dandiapi.rest import inputs, outputs
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page

READ = {401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail}


class JobsQuery(serializers.Serializer[Any]):
    """The query for a list of jobs."""

    dandiset = inputs.DatasetField(required=False)
    kind = serializers.CharField(default="", allow_blank=True, max_length=32)
    state = serializers.ChoiceField(Job.State.choices, required=False)


class ProjectionItem(TypedDict):
    """A projection of a dataset: how far it has followed the dataset's history, and why no further."""

    name: str
    state: Annotated[str, Projection.State]
    reason: str
    position: int
    target: int
    is_current: bool
    is_at_work: bool
    attempts: int
    next_attempt: datetime | None
    advanced: datetime | None


class JobsView(View):
    """The jobs that the actor may follow."""

    permission_classes = [SignedIn]

    @documented(
        {400: outputs.ERRORS, **READ},
        operation_id="jobs_list",
        parameters=[JobsQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request) -> Answer[outputs.LazyPageOf[JobRow]]:
        """Return a page of the jobs that the caller may follow, newest first; only the first page counts them."""
        query = self.query(JobsQuery).validated_data
        jobs = visible_jobs(self.actor)
        if "dandiset" in query:
            jobs = jobs.filter(dataset_id=query["dandiset"])
        if query["kind"]:
            jobs = jobs.filter(kind=query["kind"])
        if "state" in query:
            jobs = jobs.filter(state=query["state"])

        def rows(offset: int, limit: int) -> list[JobRow]:
            return [job_row(job) for job in jobs.defer("log", "arguments")[offset : offset + limit]]

        return Page.of(request).lazy_answer(count=jobs.order_by().count, fetch=rows)


class OneJobView(View):
    """The job in the address."""

    @property
    def job(self) -> Job:
        """Return the job in the address, if the actor may follow it."""
        return find_job(self.actor, UUID(self.kwargs["job_id"]))


class JobView(OneJobView):
    """One job."""

    permission_classes = [SignedIn]

    @documented(READ)
    def get(self, request: Request, **kwargs: str) -> Answer[JobDetail]:
        """Return the state of the job, how far it is, and the last lines of its log."""
        return Answer(job_detail(self.job))


class CancelView(OneJobView):
    """The cancellation of a job."""

    permission_classes = [Approved]

    @documented({409: str, **READ, 403: outputs.REFUSAL}, request=None)
    def post(self, request: Request, **kwargs: str) -> Answer[JobDetail]:
        """Cancel the job, and return it: whoever is at work on it stops soon. A conflict if it has ended."""
        return Answer(job_detail(cancel_job(actor=self.actor, job=self.job)))


class RetryView(OneJobView):
    """The retry of a job that failed or was cancelled."""

    permission_classes = [Approved]

    @documented({400: outputs.ERRORS, 409: str, 423: str, **READ, 403: outputs.REFUSAL}, request=None)
    def post(self, request: Request, **kwargs: str) -> Answer[JobDetail]:
        """Try again what the job did, and return the job that does so. A conflict unless it failed or was cancelled."""
        job = retry_job(actor=self.actor, job=self.job)
        return Answer(job_detail(job), headers={"Location": f"/api/jobs/{job.pk}/"})


class ProjectionsView(View):
    """The projections that follow the changes of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(READ, operation_id="dandisets_projections_list")
    def get(self, request: Request, **kwargs: str) -> Answer[list[ProjectionItem]]:
        """Return the state of each projection of the dataset, and how far it is, to the dataset's owners."""
        return Answer([_projection(status) for status in projections_of(self.actor, self.dataset)])


def _projection(status: ProjectionStatus) -> ProjectionItem:
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
