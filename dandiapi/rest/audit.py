"""The events of assets, for staff (docs/dialects/dandi.md#audit)."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from archive.audit.queries import EventCursor, EventFilter, asset_events
from archive.errors import NotFoundError
from dandiapi.auth import Staff
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import size_of

CURSOR = OpenApiParameter("cursor", str, description="Where the page begins, as `next` and `previous` say it.")
SIZE = outputs.PAGE_PARAMETERS[1]


class AssetEventsView(View):
    """Assets that were added, updated and removed."""

    permission_classes = [Staff]

    @documented(
        {400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail},
        parameters=[inputs.EventsQuery, CURSOR, SIZE],
    )
    def get(self, request: Request) -> Answer[outputs.AssetEvents]:
        """Return a page of what was done with assets, oldest first unless asked otherwise."""
        query = self.query(inputs.EventsQuery).validated_data
        wanted = EventFilter(after=query.get("after"), before=query.get("before"), newest_first=query["reverse_order"])
        events = asset_events(self.actor, wanted, cursor=self._cursor(), limit=size_of(request))
        return Answer(
            {
                "next": self._address(events.following),
                "previous": self._address(events.previous),
                "results": [shapes.asset_event(event) for event in events.events],
            }
        )

    def _cursor(self) -> EventCursor | None:
        text = self.request.query_params.get("cursor")
        if not text:
            return None
        cursor = EventCursor.read(text)
        if cursor is None:
            raise NotFoundError("Invalid cursor")
        return cursor

    def _address(self, cursor: EventCursor | None) -> str | None:
        return replace_query_param(self.request.build_absolute_uri(), "cursor", str(cursor)) if cursor else None
