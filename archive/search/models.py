"""Document, Facts, IndexedAsset: what searches read. Only the projections of `archive.search.work` write them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from archive.assets.models import Asset
from archive.datasets.models import Dataset, Version


class Document(models.Model):
    """The searchable content of a version: its metadata as folded text, and the names in its summary.

    `lexemes` holds all ends of all words of the text (docs/decisions/search-by-word-ends.md). Names are folded, one
    on each line.
    """

    version = models.OneToOneField(Version, models.CASCADE, primary_key=True, related_name="document")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="documents")
    text = models.TextField()
    lexemes = SearchVectorField()
    species = models.TextField(blank=True)
    approach = models.TextField(blank=True)
    technique = models.TextField(blank=True)
    modified = models.DateTimeField()
    published = models.DateTimeField(null=True)
    # Among all versions of the dataset, and among the published ones.
    is_newest = models.BooleanField()
    is_newest_published = models.BooleanField()

    class Meta:
        db_table = "archive_search_document"
        indexes = [GinIndex(fields=["lexemes"], name="document_by_lexeme", fastupdate=False)]

    def __str__(self) -> str:
        return f"document of {self.version_id}"


class Facts(models.Model):
    """The facts that several files of a dataset share, as far as searches ask for them, and how many files they are."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="facts")
    file_type = models.CharField(max_length=128, blank=True)
    techniques = ArrayField(models.TextField(), default=list)
    genotypes = ArrayField(models.TextField(), default=list)
    species = ArrayField(models.TextField(), default=list)
    # The digest of the four fields above, which identifies the row in its dataset.
    digest = models.CharField(max_length=64)
    file_count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "facts"
        db_table = "archive_search_facts"
        constraints = [
            models.UniqueConstraint(fields=["dataset", "digest"], name="facts_once_per_dataset"),
            models.CheckConstraint(condition=models.Q(file_count__gte=0), name="facts_count_not_negative"),
        ]
        indexes = [
            GinIndex(fields=["techniques"], name="facts_by_technique", fastupdate=False),
            GinIndex(fields=["genotypes"], name="facts_by_genotype", fastupdate=False),
            GinIndex(fields=["species"], name="facts_by_species", fastupdate=False),
            models.Index(fields=["file_type"], name="facts_by_file_type", opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.file_count} {self.file_type} of {self.dataset_id:06}"


class IndexedAsset(models.Model):
    """An asset of a draft in the index: its facts and its size."""

    asset = models.OneToOneField(Asset, models.CASCADE, primary_key=True, related_name="+")
    facts = models.ForeignKey(Facts, models.CASCADE, related_name="assets", db_index=False)
    size = models.BigIntegerField()

    class Meta:
        db_table = "archive_search_asset"
        indexes = [models.Index(fields=["facts", "size"], name="indexed_asset_by_size")]

    def __str__(self) -> str:
        return f"asset {self.asset_id}"
