"""The search index: a projection of each dataset's versions, and one of the files of its draft."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from archive.assets.models import Asset
from archive.datasets.models import Version
from archive.datasets.queries import unclosed_versions
from archive.datasets.work import draft_hook
from archive.search.models import Document, Facts
from archive.search.text import fold, lexemes, searchable_text
from archive.timeline.errors import NotYetError
from archive.timeline.work.projections import Span, projection

BATCH = 1000
# How many characters are indexed within a request: some ten pages.
CHARACTERS_AT_ONCE = 30_000
# How long to wait for the validation of a draft, if its end is not announced.
VALIDATION_PATIENCE = 5.0
MAX_NAME = 1000
# How many names of a kind are kept of one file, since lists of choices read the names of all files.
NAMES_OF_A_FILE = 50


# --- Versions ---------------------------------------------------------------------------------------------------------


@draft_hook
def index_draft(draft: Version) -> None:
    """Index a draft whose metadata have just changed, in the same transaction: those who change it find the change.

    Of large metadata the beginning, with the names first: the projection follows with all of it.
    """
    names = {key: draft.metadata.get(key) for key in ("name", "identifier")}
    text = searchable_text({**names, **draft.metadata}, CHARACTERS_AT_ONCE)
    _write_document(draft, draft.metadata, text, is_newest=draft.pk == _newest(draft.dataset_id))


def _newest(dataset_id: int) -> int | None:
    shown = unclosed_versions().filter(dataset=dataset_id).order_by("-created", "-pk")
    return shown.values_list("pk", flat=True).first()


@projection("search", after="validation")
def index_versions(span: Span) -> None:
    """Write the documents of a dataset's versions anew, those that have changed.

    A draft's summary comes from its validation, and a version's from its publishing: what is not settled is written as
    it is, and looked at again.
    """
    shown = unclosed_versions().filter(dataset=span.dataset_id).order_by("-created", "-pk")
    rows = list(shown.defer("metadata", "problems"))
    known = dict(Document.objects.filter(dataset=span.dataset_id).values_list("version", "modified"))
    newest = rows[0].pk if rows else None
    newest_published = next((version.pk for version in rows if not version.is_draft), None)
    for version in rows:
        if known.get(version.pk) != version.modified:
            content = Version.objects.filter(pk=version.pk).values_list("metadata", flat=True).first() or {}
            _write_document(
                version,
                content,
                searchable_text(content),
                is_newest=version.pk == newest,
                is_newest_published=version.pk == newest_published,
            )
        span.heartbeat.beat()
    _mark_newest(span.dataset_id, newest, newest_published)
    _wait_for_settlement(span.dataset_id)


def _write_document(
    version: Version,
    content: Mapping[str, Any],
    text: str,
    *,
    is_newest: bool,
    is_newest_published: bool = False,
) -> None:
    """Write what there is to find of a version, unless somebody who has read a newer one has done so already."""
    summary = content.get("assetsSummary")
    row: dict[str, Any] = {
        "version_id": version.pk,
        "dataset_id": version.dataset_id,
        "text": text,
        "lexemes": lexemes(text),
        "species": _folded_names(summary, "species"),
        "approach": _folded_names(summary, "approach"),
        "technique": _folded_names(summary, "measurementTechnique"),
        "modified": version.modified,
        "published": None if version.is_draft else version.created,
        "is_newest": is_newest,
        "is_newest_published": is_newest_published,
    }
    columns = ", ".join(row)
    values = ", ".join("array_to_tsvector(%s::text[])" if name == "lexemes" else "%s" for name in row)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in row if name != "version_id")
    with connection.cursor() as cursor:
        # A version that was deleted or closed meanwhile gets no document: the SELECT then finds no row.
        cursor.execute(
            f"INSERT INTO archive_search_document AS known ({columns}) SELECT {values}"  # noqa: S608 - of constants only
            " FROM archive_version WHERE id = %s AND NOT is_closed FOR SHARE"
            f" ON CONFLICT (version_id) DO UPDATE SET {updates}"
            " WHERE known.modified <= EXCLUDED.modified",
            [*row.values(), version.pk],
        )


def _folded_names(summary: object, key: str) -> str:
    items = summary.get(key) if isinstance(summary, Mapping) else None
    return "\n".join(fold(name) for name in _names(items))


def _mark_newest(dataset_id: int, newest: int | None, newest_published: int | None) -> None:
    """Put the marks on these versions, and take them off those that had them before."""
    is_newest, is_newest_published = Q(version=newest), Q(version=newest_published)
    wrong = ~Q(is_newest=is_newest) | ~Q(is_newest_published=is_newest_published)
    Document.objects.filter(wrong, dataset=dataset_id).update(
        is_newest=is_newest, is_newest_published=is_newest_published
    )


def _wait_for_settlement(dataset_id: int) -> None:
    status = Version.Status
    unsettled = Version.objects.filter(
        dataset=dataset_id, status__in=[status.PENDING, status.VALIDATING, status.PUBLISHING]
    )
    if unsettled.exists():
        raise NotYetError("The draft is still being validated or published.", retry_after=VALIDATION_PATIENCE)


# --- Files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _FactsOfFile:
    file_type: str
    techniques: tuple[str, ...]
    genotypes: tuple[str, ...]
    species: tuple[str, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@projection("facets")
def index_files(span: Span) -> None:
    """Add the files that have come into the draft along the span, take out those that have left it."""
    while _take_out(span.dataset_id, span.since) == BATCH:
        span.heartbeat.beat()
    while _add(span.dataset_id, span.since) == BATCH:
        span.heartbeat.beat()


def _take_out(dataset_id: int, since: int) -> int:
    """Take out some of what was retired after `since`; returns how many that were."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM archive_search_asset WHERE asset_id IN (
                    SELECT a.id FROM archive_asset a JOIN archive_search_asset s ON s.asset_id = a.id
                     WHERE a.dataset_id = %s AND a.retired > %s LIMIT %s)
                RETURNING facts_id),
            counts AS (SELECT facts_id, count(*) AS files FROM gone GROUP BY facts_id),
            counted AS (UPDATE archive_search_facts f SET file_count = f.file_count - counts.files
                          FROM counts WHERE f.id = counts.facts_id)
            SELECT COALESCE(sum(files), 0) FROM counts
            """,
            [dataset_id, since, BATCH],
        )
        [files] = cursor.fetchone()
    return int(files)


def _add(dataset_id: int, since: int) -> int:
    """Add some of what was introduced after `since`; returns how many that were."""
    live = Asset.objects.filter(dataset=dataset_id, introduced__gt=since).live()
    fresh = live.extra(where=["NOT EXISTS (SELECT FROM archive_search_asset s WHERE s.asset_id = archive_asset.id)"])
    assets = list(fresh.values_list("pk", "size", "metadata")[:BATCH])
    facts = {pk: _facts_of(metadata) for pk, _, metadata in assets}
    with transaction.atomic():
        known = _facts_rows(dataset_id, set(facts.values()))
        _insert([pk for pk, _, _ in assets], [size for _, size, _ in assets], [known[facts[pk]] for pk, _, _ in assets])
    return len(assets)


def _insert(assets: Sequence[int], sizes: Sequence[int], facts: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        # The join leaves out assets that were deleted meanwhile, with their dataset.
        cursor.execute(
            """
            WITH come AS (
                INSERT INTO archive_search_asset (asset_id, size, facts_id)
                SELECT n.asset_id, n.size, n.facts_id FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
                    AS n(asset_id, size, facts_id) JOIN archive_asset a ON a.id = n.asset_id
                ON CONFLICT DO NOTHING RETURNING facts_id)
            UPDATE archive_search_facts f SET file_count = f.file_count + counts.files
              FROM (SELECT facts_id, count(*) AS files FROM come GROUP BY facts_id) AS counts
             WHERE f.id = counts.facts_id
            """,
            [list(assets), list(sizes), list(facts)],
        )


def _facts_rows(dataset_id: int, wanted: Iterable[_FactsOfFile]) -> dict[_FactsOfFile, int]:
    by_digest = {facts.digest: facts for facts in wanted}
    Facts.objects.bulk_create(
        [
            Facts(
                dataset_id=dataset_id,
                digest=digest,
                file_type=facts.file_type,
                techniques=list(facts.techniques),
                genotypes=list(facts.genotypes),
                species=list(facts.species),
            )
            for digest, facts in by_digest.items()
        ],
        ignore_conflicts=True,
    )
    rows = Facts.objects.filter(dataset=dataset_id, digest__in=by_digest).values_list("digest", "pk")
    return {by_digest[digest]: pk for digest, pk in rows}


def _facts_of(metadata: Mapping[str, Any]) -> _FactsOfFile:
    """Return what searches ask of a file. Metadata need not be valid to be stored: what cannot be read is left out."""
    people = [one for one in _list(metadata.get("wasAttributedTo")) if isinstance(one, Mapping)]
    genotypes = {one["genotype"][:MAX_NAME] for one in people if isinstance(one.get("genotype"), str)}
    return _FactsOfFile(
        file_type=str(metadata.get("encodingFormat") or "").lower()[:128],
        techniques=_some(_names(metadata.get("measurementTechnique"))),
        genotypes=_some(genotypes - {""}),
        species=_some(_names([one.get("species") for one in people])),
    )


def _some(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names))[:NAMES_OF_A_FILE])


def _names(items: object) -> list[str]:
    found = [item.get("name") for item in _list(items) if isinstance(item, Mapping)]
    return [name[:MAX_NAME] for name in found if isinstance(name, str) and name]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
