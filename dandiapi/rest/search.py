"""Finding datasets by their files, and what there is to choose from (docs/dialects/dandi.md#file-filters)."""

from typing import Any

from rest_framework.request import Request

from archive.datasets.queries import page_of
from archive.errors import InvalidError
from archive.search import queries
from archive.search.queries import FileFilter
from dandiapi.auth import Anyone
from dandiapi.rest import inputs, outputs
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.datasets import DatasetListView
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page


class SearchDatasetsView(DatasetListView):
    """The datasets that have certain files."""

    @documented(
        {400: outputs.ERRORS, 401: outputs.REFUSAL, 404: outputs.Detail},
        parameters=[inputs.SearchQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request) -> Answer[outputs.PageOf[outputs.FoundDataset]]:
        """Return a page of the datasets that have such files, each with how many files each filter finds in it."""
        query = self.query(inputs.SearchQuery).validated_data
        files = self._files(query)
        found = queries.search_datasets_by_files(self.actor, self.wanted(query), query["search"], files)

        def fetch(offset: int, limit: int) -> tuple[int, list[outputs.FoundDataset]]:
            page = page_of(found, offset, limit)
            counts = queries.count_files(page.datasets, files)
            rows = self.rows(page.datasets)
            return page.count, [{**row, "asset_counts": counts[int(row["identifier"])]} for row in rows]

        return Page.of(request).counted_answer(fetch)

    def _files(self, query: dict[str, Any]) -> FileFilter:
        species = tuple(query.get("species", ()))
        if unknown := queries.unknown_species(self.actor, species):
            raise InvalidError(f'"{unknown[0]}" is not a valid choice.', field="species")
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

    @documented({400: outputs.ERRORS}, parameters=[inputs.GenotypeQuery])
    def get(self, request: Request) -> Answer[list[str]]:
        """Return at most ten genotypes that have the text in them."""
        return Answer(queries.genotypes_of(self.actor, self.query(inputs.GenotypeQuery).validated_data["genotype"]))


class SpeciesView(View):
    """Species to choose from."""

    permission_classes = [Anyone]

    @documented({400: outputs.ERRORS, 404: outputs.Detail}, parameters=[inputs.SpeciesQuery, *outputs.PAGE_PARAMETERS])
    def get(self, request: Request) -> Answer[outputs.PageOf[str]]:
        """Return a page of the species that have the text in their name."""
        names = queries.species_of(self.actor, self.query(inputs.SpeciesQuery).validated_data["species"])
        return Page.of(request).answer(count=len(names), fetch=lambda offset, limit: names[offset : offset + limit])
