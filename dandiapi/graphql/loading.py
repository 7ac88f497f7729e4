"""What is loaded for the items of lists, by the queries of the domain."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from archive.accounts.policy import Actor
from archive.catalogue import queries
from archive.catalogue.queries import Membership
from archive.datasets.models import Dataset, Version
from archive.uploads.models import UploadSession
from archive.uploads.queries import pending_sessions
from dandiapi.graphql.loaders import Loader


class Loaders:
    """The loaders of one request, for who asks it."""

    def __init__(self, actor: Actor) -> None:
        self.drafts: Loader[Dataset, Version] = Loader(partial(queries.drafts_of_datasets, actor))
        self.versions: Loader[Dataset, list[Version]] = Loader(partial(queries.versions_of_datasets, actor))
        self.openings: Loader[Dataset, datetime] = Loader(partial(queries.openings_of_datasets, actor))
        self.heads: Loader[Dataset, str] = Loader(partial(queries.heads_of_datasets, actor))
        self.hashes: Loader[Version, str] = Loader(partial(queries.hashes_of_versions, actor))
        self.members: Loader[Dataset, list[Membership]] = Loader(partial(queries.members_of_datasets, actor))
        self.uploads: Loader[Dataset, list[UploadSession]] = Loader(partial(pending_sessions, actor))
        self.starred: Loader[Dataset, bool] = Loader(partial(queries.starred_datasets, actor))

    def expect_datasets(self, datasets: Collection[Dataset]) -> None:
        """Note that these datasets are answered, all of which will be asked the same."""
        for loader in (self.drafts, self.versions, self.openings, self.heads, self.members, self.starred, self.uploads):
            loader.expect(datasets)

    def expect_versions(self, versions: Collection[Version]) -> None:
        """Note that these versions are answered, all of which will be asked the same."""
        self.hashes.expect(versions)
