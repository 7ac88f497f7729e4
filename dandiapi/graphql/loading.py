"""What is loaded for the items of lists, by the queries of the domain."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from archive.accounts.policy import Actor
from archive.bids import queries as bids
from archive.bids.documents import Contributor, Description
from archive.bids.models import Deprecation
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.queries import details_of_verdicts, summaries_of_verdicts, verdicts_of_versions
from archive.catalogue import queries
from archive.catalogue.queries import Membership
from archive.datasets.models import Dataset, Version
from archive.fixity.models import ContentCheck
from archive.fixity.queries import checks_of_versions
from archive.uploads.models import UploadSession
from archive.uploads.queries import pending_sessions
from dandiapi.graphql.loaders import Loader

V = TypeVar("V")
# Verdicts with more issues are loaded one by one, if at all.
FEW_ISSUES = 1000


class Loaders:
    """The loaders of one request, for who asks it."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._known: list[Version] = []
        self.drafts: Loader[Dataset, Version] = Loader(self._drafts)
        self.versions: Loader[Dataset, list[Version]] = Loader(self._versions)
        self.openings: Loader[Dataset, datetime] = Loader(partial(queries.openings_of_datasets, actor))
        self.heads: Loader[Dataset, str] = Loader(partial(queries.heads_of_datasets, actor))
        self.hashes: Loader[Version, str] = Loader(partial(queries.hashes_of_versions, actor))
        self.members: Loader[Dataset, list[Membership]] = Loader(partial(queries.members_of_datasets, actor))
        self.uploads: Loader[Dataset, list[UploadSession]] = Loader(partial(pending_sessions, actor))
        self.starred: Loader[Dataset, bool] = Loader(partial(queries.starred_datasets, actor))

        self.verdicts: Loader[Version, BidsVerdict] = Loader(self._verdicts)
        self.checks: Loader[Version, ContentCheck] = Loader(partial(checks_of_versions, actor))
        self.verdict_details: Loader[BidsVerdict, BidsVerdict] = Loader(details_of_verdicts)
        self.summaries: Loader[BidsVerdict, dict[str, Any]] = Loader(summaries_of_verdicts)
        self.descriptions: Loader[Version, Description] = Loader(bids.descriptions_of_versions)
        self.readmes: Loader[Version, str] = Loader(bids.readmes_of_versions)
        self.contributors: Loader[Version, list[Contributor]] = Loader(bids.contributors_of_versions)
        self.statements: Loader[Dataset, dict[str, Any]] = Loader(partial(bids.statements_about_datasets, actor))
        self.deprecations: Loader[Version, Deprecation] = Loader(bids.deprecations_of_versions)

    def _drafts(self, datasets: Collection[Dataset]) -> dict[Dataset, Version]:
        found = queries.drafts_of_datasets(self._actor, datasets)
        self._expect_documents(found.values())
        return found

    def _versions(self, datasets: Collection[Dataset]) -> dict[Dataset, list[Version]]:
        """Load the versions of datasets, of each of which the latest will probably be asked for what it says."""
        found = queries.versions_of_datasets(self._actor, datasets)
        self._known += [version for versions in found.values() for version in versions]
        self.hashes.expect(self._known)
        self.deprecations.expect(self._known)
        self._expect_documents(versions[-1] for versions in found.values() if versions)
        return found

    def _expect_documents(self, versions: Iterable[Version]) -> None:
        expected = [*versions]
        for loader in (self.descriptions, self.readmes, self.contributors, self.verdicts, self.checks):
            loader.expect(expected)

    def _verdicts(self, versions: Collection[Version]) -> dict[Version, BidsVerdict]:
        """Load verdicts, of which those with few issues will be asked for all of these at once."""
        found = verdicts_of_versions(self._actor, versions)
        self.summaries.expect(found.values())
        self.verdict_details.expect(each for each in found.values() if each.errors + each.warnings <= FEW_ISSUES)
        return found

    def of_version(self, loader: Loader[Version, V], version: Version) -> V | None:
        """Return what is loaded for a version; if it was not expected, for all that are known at once."""
        return loader.get(version, among=self._known)

    def expect_datasets(self, datasets: Collection[Dataset]) -> None:
        """Note that these datasets are answered, all of which will be asked the same."""
        of_datasets = (self.drafts, self.versions, self.openings, self.heads, self.members, self.starred, self.uploads)
        for loader in (*of_datasets, self.statements):
            loader.expect(datasets)

    def expect_versions(self, versions: Collection[Version]) -> None:
        """Note that these versions are answered, all of which will be asked the same."""
        self.hashes.expect(versions)
