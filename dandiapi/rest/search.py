"""Finding datasets by their files, and what there is to choose from (docs/dialects/dandi.md#file-filters)."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from archive.datasets.queries import page_of
from archive.search import queries
from archive.search.queries import FileFilter
from dandiapi.auth import Anyone
from dandiapi.rest import inputs, outputs
from dandiapi.rest.base import View
from dandiapi.rest.datasets import DatasetListView
from dandiapi.rest.pages import Page


class SearchDatasetsView(DatasetListView):
    """The datasets that have certain files."""

    @extend_schema(
        parameters=[inputs.SearchQuery, *outputs.PAGE_PARAMETERS],
        responses={
            200: outputs.page_of(outputs.FoundDataset),
            400: outputs.ERRORS,
            401: outputs.REFUSAL,
            404: outputs.Detail,
        },
    )
    def get(self, request: Request) -> Response:
        """A page of them, with the number of files that each filter finds in each."""
        query = self.query(inputs.SearchQuery).validated_data
        files = self._files(query)
        found = queries.search_files(self.actor, self.wanted(query), query["search"], files)

        def fetch(offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
            page = page_of(found, offset, limit)
            counts = queries.count_files(page.datasets, files)
            rows = self.rows(page.datasets)
            return page.count, [row | {"asset_counts": counts[int(row["identifier"])]} for row in rows]

        return Page.of(request).counted_answer(fetch)

    def _files(self, query: dict[str, Any]) -> FileFilter:
        species = tuple(query.get("species", ()))
        if unknown := queries.unknown_species(self.actor, species):
            raise ValidationError({"species": [f'"{unknown[0]}" is not a valid choice.']})
        return FileFilter(
            file_type=tuple(query.get("file_type", ())),
            measurement_technique=tuple(query.get("measurement_technique", ())),
            genotype=tuple(query.get("genotype", ())),
            species=species,
            size_min=query.get("file_size_min"),
            size_max=query.get("file_size_max"),
        )


class GenotypesView(View):
    """Genotypes to choose from."""

    permission_classes = [Anyone]

    @extend_schema(parameters=[inputs.GenotypeQuery], responses={200: list[str], 400: outputs.ERRORS})
    def get(self, request: Request) -> Response:
        """At most ten that have the text in them."""
        return Response(queries.genotypes_of(self.actor, self.query(inputs.GenotypeQuery).validated_data["genotype"]))


class SpeciesView(View):
    """Species to choose from."""

    permission_classes = [Anyone]

    @extend_schema(
        parameters=[inputs.SpeciesQuery, *outputs.PAGE_PARAMETERS],
        responses={200: outputs.page_of_strings("Species"), 400: outputs.ERRORS, 404: outputs.Detail},
    )
    def get(self, request: Request) -> Response:
        """A page of those that have the text in their name."""
        names = queries.species_of(self.actor, self.query(inputs.SpeciesQuery).validated_data["species"])
        return Page.of(request).answer(count=len(names), fetch=lambda offset, limit: names[offset : offset + limit])
