"""From a filter to rows: the datasets that a search finds, and what there is to filter files by.

Only ever what the asker may read: every question begins from `archive.datasets.queries.filtered_datasets`, or from
`visible`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Count, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat, Lower

from archive.accounts.models import Grant, User
from archive.accounts.policy import Actor, blinded_dataset, visible
from archive.datasets.models import Dataset
from archive.datasets.queries import DatasetFilter, filtered_datasets, unclosed_versions
from archive.errors import InvalidError
from archive.metadata.documents import without_people
from archive.patterns import regex_text
from archive.search import grammar
from archive.search.models import Document, Facts, IndexedAsset
from archive.search.text import fold, is_told_by_probes, probes, searchable_text

GENOTYPES_SHOWN = 10
# Each is matched against whole texts; Postgres caches 32 compiled patterns, and would compile more again and again.
MAX_PATTERNS = 30


# --- Datasets ---------------------------------------------------------------------------------------------------------


def search_datasets(actor: Actor, wanted: DatasetFilter, search: str = "") -> QuerySet[Dataset]:
    """Return the datasets that the actor may read, that `wanted` asks for, and that a search (`grammar`) finds.

    InvalidError, naming the field `search`, if it cannot be understood.
    """
    datasets = filtered_datasets(actor, wanted)
    terms = grammar.parse(search).terms
    return datasets.filter(_condition(terms, blinded_dataset(actor))) if terms else datasets


def _condition(terms: Sequence[grammar.Term], blinded: int | None) -> Q:
    """Return the condition that all terms hold of a dataset: texts of one version, names of one version.

    What finds the dataset that is read `blinded` must not confirm a guess at who its people are.
    """
    texts = [fold(term.text) for term in terms if isinstance(term, grammar.Text)]
    names = [term for term in terms if isinstance(term, grammar.Name)]
    conditions = [_other(term) for term in terms if not isinstance(term, grammar.Text | grammar.Name)]
    if texts:
        conditions.append(_telling(texts, blinded))
    if names:
        conditions.append(_described(reduce(and_, map(_names, names))))
    if blinded is not None and any(isinstance(term, grammar.Owner) for term in terms):
        conditions.append(~Q(pk=blinded))
    return reduce(and_, conditions)


def _telling(texts: Sequence[str], blinded: int | None) -> Q:
    """Return the condition that one version has all the folded texts in what the asker may read of it."""
    telling = Q(pk__in=_numbers_with(texts))
    if blinded is None:
        return telling
    return telling | Q(pk=blinded) if _tells_blinded(blinded, texts) else telling & ~Q(pk=blinded)


def _tells_blinded(number: int, texts: Sequence[str]) -> bool:
    """Return whether one version of the dataset has all the folded texts in it even without its people."""
    versions = unclosed_versions().filter(dataset=number).values_list("metadata", flat=True)
    told = (searchable_text(without_people(metadata)) for metadata in versions)
    return any(all(text in version for text in texts) for version in told)


def _numbers_with(texts: Sequence[str]) -> RawSQL:
    """Return the numbers of datasets of which one version has all the folded texts in it: by the index, if possible."""
    words = " & ".join(probe for text in texts for probe in probes(text))
    patterns = [regex_text(text) for text in texts if not is_told_by_probes(text)]
    if len(patterns) > MAX_PATTERNS:
        raise InvalidError(
            f"A search has at most {MAX_PATTERNS} phrases and words with signs in them; this one has {len(patterns)}.",
            field="search",
        )
    if words:
        return RawSQL("SELECT archive_find_documents(%s::tsquery, %s::text[])", [words, patterns])
    return RawSQL("SELECT dataset_id FROM archive_search_document WHERE text ~ ALL (%s::text[])", [patterns])


def _described(condition: Q) -> Q:
    return Q(pk__in=Document.objects.filter(condition).values("dataset_id"))


def _names(term: grammar.Name) -> Q:
    return Q(**{f"{term.kind}__contains": fold(term.text)})


def _other(term: grammar.Moment | grammar.FileType | grammar.Owner) -> Q:
    if isinstance(term, grammar.Moment):
        return _at(term)
    if isinstance(term, grammar.FileType):
        return Q(pk__in=_holding(FileFilter(file_type=(term.prefix,))).values("dataset_id"))
    return Q(pk__in=_owned_by(term.name))


def _at(term: grammar.Moment) -> Q:
    midnight = datetime(term.day.year, term.day.month, term.day.day, tzinfo=UTC)
    comparison = {"lt" if term.is_before else "gte": midnight}
    [(operator, moment)] = comparison.items()
    if term.kind == "created":
        return Q(**{f"created__{operator}": moment})
    newest = "is_newest_published" if term.kind == "published" else "is_newest"
    return _described(Q(**{newest: True, f"{term.kind}__{operator}": moment}))


def _owned_by(name: str) -> QuerySet[Grant, int]:
    people = User.objects.annotate(whole_name=Lower(Concat("first_name", Value(" "), "last_name")))
    same = ("username__iexact", "github_login__iexact", "email__iexact", "first_name__iexact", "last_name__iexact")
    named = reduce(or_, (Q(**{field: name}) for field in same), Q(whole_name=name.lower()))
    owners = Grant.objects.filter(user__in=people.filter(named).values("pk"), role=Grant.Role.OWNER)
    return owners.values_list("dataset_id", flat=True)


# --- Files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileFilter:
    """A filter of files: one of each list, and a size between two (docs/dialects/dandi.md#file-filters)."""

    file_type: tuple[str, ...] = ()
    measurement_technique: tuple[str, ...] = ()
    genotype: tuple[str, ...] = ()
    species: tuple[str, ...] = ()
    size_min: int | None = None
    size_max: int | None = None

    def parts(self) -> "dict[str, FileFilter]":
        """Return the filter as several, each of one thing, by the names of `asset_counts`."""
        lists = [field.name for field in fields(self) if field.name not in {"size_min", "size_max"}]
        parts = {name: FileFilter(**{name: getattr(self, name)}) for name in lists if getattr(self, name)}
        if self.has_size:
            parts["file_size"] = FileFilter(size_min=self.size_min, size_max=self.size_max)
        return parts

    @property
    def has_size(self) -> bool:
        return self.size_min is not None or self.size_max is not None


def search_datasets_by_files(
    actor: Actor, wanted: DatasetFilter, search: str = "", files: FileFilter | None = None
) -> QuerySet[Dataset]:
    """Return what `search_datasets` finds, as far as the draft has a file that `files` asks for."""
    datasets = search_datasets(actor, wanted, search)
    if files is None or files == FileFilter():
        return datasets
    return datasets.filter(pk__in=_holding(files).values("dataset_id"))


def count_files(datasets: Sequence[Dataset], files: FileFilter) -> dict[int, dict[str, int]]:
    """Return how many files of each dataset each part of the filter finds by itself, by number and part."""
    parts = files.parts()
    if not parts:
        return {dataset.number: {} for dataset in datasets}
    numbers = [dataset.number for dataset in datasets]
    sums = {f"of_{name}": _count_of(part) for name, part in parts.items()}
    facts = Facts.objects.filter(dataset__in=numbers, file_count__gt=0)
    rows = facts.values("dataset_id").annotate(**sums).values_list("dataset_id", *sums)
    counted = {number: dict(zip(parts, counts, strict=True)) for number, *counts in rows}
    return {number: counted.get(number) or dict.fromkeys(parts, 0) for number in numbers}


def _count_of(part: FileFilter) -> Sum:
    """Return the sum, over facts, of the files that the part asks for."""
    if not part.has_size:
        return Sum("file_count", filter=_described_by(part), default=0)
    sized = _sized(part).filter(facts=OuterRef("pk")).order_by().values("facts")
    return Sum(Subquery(sized.values(count=Count("*"))), default=0)


def _holding(files: FileFilter) -> QuerySet[Facts]:
    """Return the facts of files that the filter asks for."""
    facts = Facts.objects.filter(_described_by(files), file_count__gt=0)
    return facts.filter(Exists(_sized(files).filter(facts=OuterRef("pk")))) if files.has_size else facts


def _described_by(files: FileFilter) -> Q:
    """Return the condition of facts that the filter asks for, sizes apart."""
    condition = Q()
    if files.file_type:
        condition &= reduce(or_, (Q(file_type__startswith=prefix.lower()) for prefix in files.file_type))
    if files.measurement_technique:
        condition &= Q(techniques__overlap=list(files.measurement_technique))
    if files.genotype:
        condition &= Q(genotypes__overlap=list(files.genotype))
    if files.species:
        condition &= Q(species__overlap=list(files.species))
    return condition


def _sized(files: FileFilter) -> QuerySet[IndexedAsset]:
    return IndexedAsset.objects.filter(size__gte=files.size_min or 0, size__lte=_most(files))


def _most(files: FileFilter) -> int:
    return 2**62 if files.size_max is None else files.size_max


# --- What there is to choose from -------------------------------------------------------------------------------------


def species_of(actor: Actor, text: str = "") -> list[str]:
    """Return the species of all files that the actor may read whose name contains `text`, in any case; sorted."""
    return _values(actor, "species", text)


def unknown_species(actor: Actor, names: Sequence[str]) -> list[str]:
    """Return those of the names that are not among `species_of`, sorted."""
    facts = Facts.objects.filter(visible(actor, to="dataset__"), file_count__gt=0)
    known = [facts.filter(species__contains=[name]).values_list(Value(name))[:1] for name in set(names)]
    found = {name for (name,) in known[0].union(*known[1:], all=True)} if known else set()
    return sorted(set(names) - found)


def genotypes_of(actor: Actor, text: str = "") -> list[str]:
    """Return at most GENOTYPES_SHOWN genotypes of files that the actor may read that contain `text`; sorted."""
    return _values(actor, "genotypes", text)[:GENOTYPES_SHOWN]


def _values(actor: Actor, field: str, text: str) -> list[str]:
    facts = Facts.objects.filter(visible(actor, to="dataset__"), file_count__gt=0)
    rows: Any = facts.annotate(value=Func(F(field), function="unnest")).values_list("value", flat=True).distinct()
    return sorted(value for value in rows if fold(text) in fold(value))
