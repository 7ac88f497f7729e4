"""The addresses of the REST face: one table."""

from django.urls import re_path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from dandiapi.auth import Anyone
from dandiapi.rest import (
    assets,
    audit,
    bids,
    datasets,
    differences,
    embargo,
    general,
    jobs,
    repository,
    search,
    uploads,
    versions,
    webdav,
    zarr,
)
from dandiapi.rest.openapi import DocumentView

DATASET = r"dandisets/(?P<identifier>[0-9]{6})"
# Its name by the clock, its label or its ordinal.
VERSION_NAME = r"[^/]{1,64}"
VERSION = rf"{DATASET}/versions/(?P<version>{VERSION_NAME})"
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ASSET = rf"assets/(?P<asset_id>{UUID4})"
ZARR = rf"zarr/(?P<zarr_id>{UUID4})"
JOB = rf"jobs/(?P<job_id>{UUID4})"
UPLOAD = r"uploads/(?P<upload_id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"

urlpatterns = [
    # What programs ask for again and again comes first: the table is gone through from its beginning.
    re_path(rf"^{VERSION}/info/$", versions.VersionInfoView.as_view()),
    re_path(rf"^{VERSION}/assets/$", assets.AssetsView.as_view()),
    re_path(rf"^{VERSION}/assets/batch/$", assets.BatchView.as_view()),
    re_path(rf"^{VERSION}/assets/paths/$", assets.PathsView.as_view()),
    re_path(rf"^{VERSION}/{ASSET}/$", assets.AssetView.as_view()),
    re_path(rf"^{VERSION}/{ASSET}/info/$", assets.AssetInfoView.as_view()),
    re_path(rf"^{VERSION}/{ASSET}/validation/$", assets.AssetValidationView.as_view()),
    re_path(rf"^{VERSION}/{ASSET}/download/$", assets.AssetDownloadView.as_view()),
    re_path(rf"^{ASSET}/$", assets.FlatAssetView.as_view()),
    re_path(rf"^{ASSET}/info/$", assets.FlatAssetInfoView.as_view()),
    re_path(rf"^{ASSET}/download/$", assets.FlatAssetDownloadView.as_view()),
    re_path(r"^blobs/digest/$", uploads.DigestView.as_view()),
    re_path(r"^uploads/initialize/$", uploads.StartUploadView.as_view()),
    re_path(rf"^{UPLOAD}/complete/$", uploads.CompleteUploadView.as_view()),
    re_path(rf"^{UPLOAD}/validate/$", uploads.ValidateUploadView.as_view()),
    re_path(r"^$", general.RootView.as_view()),
    re_path(r"^info/$", general.InfoView.as_view(), name="info"),
    re_path(r"^stats/$", general.StatsView.as_view()),
    re_path(r"^schemas/$", general.SchemasView.as_view()),
    re_path(r"^schemas/available/$", general.AvailableSchemasView.as_view()),
    re_path(r"^auth/token/$", general.TokenView.as_view()),
    re_path(r"^users/$", general.UsersView.as_view()),
    re_path(r"^users/me/$", general.MeView.as_view()),
    re_path(r"^users/search/$", general.UserSearchView.as_view()),
    re_path(r"^dandisets/$", datasets.DatasetsView.as_view()),
    re_path(r"^dandisets/search/$", search.SearchDatasetsView.as_view()),
    re_path(r"^search/genotypes/$", search.GenotypesView.as_view()),
    re_path(r"^search/species/$", search.SpeciesView.as_view()),
    re_path(rf"^{DATASET}/$", datasets.DatasetView.as_view()),
    re_path(rf"^{DATASET}/users/$", datasets.OwnersView.as_view()),
    re_path(rf"^{DATASET}/projections/$", jobs.ProjectionsView.as_view()),
    re_path(rf"^{DATASET}/repository/$", repository.RepositoryView.as_view()),
    re_path(rf"^{DATASET}/repository/versions/$", repository.RepositoryVersionsView.as_view()),
    re_path(rf"^{DATASET}/star/$", datasets.StarView.as_view()),
    re_path(rf"^{DATASET}/unembargo/$", embargo.ReleaseView.as_view()),
    re_path(rf"^{DATASET}/uploads/$", embargo.UploadsView.as_view()),
    re_path(rf"^{DATASET}/editors/$", embargo.EditorsView.as_view()),
    re_path(rf"^{DATASET}/viewers/$", embargo.ViewersView.as_view()),
    re_path(rf"^{DATASET}/reviewer-links/$", embargo.ReviewerLinksView.as_view()),
    re_path(rf"^{DATASET}/reviewer-links/(?P<link_id>[0-9]{{1,18}})/$", embargo.ReviewerLinkView.as_view()),
    re_path(rf"^{DATASET}/versions/$", versions.VersionsView.as_view()),
    re_path(rf"^{VERSION}/$", versions.VersionView.as_view()),
    re_path(rf"^{VERSION}/diff/(?P<other>{VERSION_NAME})/$", differences.DifferenceView.as_view()),
    re_path(rf"^{VERSION}/bids-validation/$", bids.BidsValidationView.as_view()),
    re_path(rf"^{VERSION}/access/$", versions.AccessView.as_view()),
    re_path(rf"^{VERSION}/publish/$", versions.PublishView.as_view()),
    re_path(r"^jobs/$", jobs.JobsView.as_view()),
    re_path(rf"^{JOB}/$", jobs.JobView.as_view()),
    re_path(rf"^{JOB}/cancel/$", jobs.CancelView.as_view()),
    re_path(rf"^{JOB}/retry/$", jobs.RetryView.as_view()),
    re_path(r"^zarr/$", zarr.ZarrsView.as_view()),
    re_path(rf"^{ZARR}/$", zarr.ZarrDetailView.as_view()),
    re_path(rf"^{ZARR}/finalize/$", zarr.FinalizeZarrView.as_view()),
    re_path(rf"^{ZARR}/files/$", zarr.ZarrFilesView.as_view()),
    # Read with or without the slash, which no path of a file ends in.
    re_path(rf"^{ZARR}/content/(?P<path>.+)/$", zarr.ZarrContentView.as_view()),
    re_path(r"^webdav/assets/atpath/$", webdav.AtPathView.as_view()),
    re_path(r"^audit/events/asset/$", audit.AssetEventsView.as_view()),
    re_path(r"^schema/$", DocumentView.as_view(), name="openapi"),
    re_path(
        r"^docs/swagger/$",
        SpectacularSwaggerView.as_view(permission_classes=[Anyone], url_name="openapi"),
        name="swagger",
    ),
    re_path(
        r"^docs/redoc/$",
        SpectacularRedocView.as_view(permission_classes=[Anyone], url_name="openapi"),
        name="redoc",
    ),
]
