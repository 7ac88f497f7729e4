"""Who may do what: every route and method, for everybody, in every state (docs/dialects/dandi.md#access)."""

import pytest
from django.urls import resolve

from dandiapi.rest.urls import urlpatterns
from tests.dandiapi.rest.api import ROOT
from tests.dandiapi.rest.world import EmbargoedWorld, Line, MissingWorld, PublishedWorld, ReleasingWorld, World
from tests.worker import Worker

# Each line: what is asked, then what is answered to
#   somebody who is not signed in, somebody who is not approved yet, a stranger, an owner, an administrator,
#   the owner by a token that may only read, a viewer, somebody who has nothing but a reviewer link, and an editor.

OF_THE_SITE = """
GET    ?                                                                200 200 200 200 200 200 200 200 200
GET    info/                                                            200 200 200 200 200 200 200 200 200
GET    stats/                                                           200 200 200 200 200 200 200 200 200
GET    schemas/?model=Asset                                             200 200 200 200 200 200 200 200 200
GET    schemas/available/                                               200 200 200 200 200 200 200 200 200
GET    schema/                                                          200 200 200 200 200 200 200 200 200
GET    docs/swagger/                                                    200 200 200 200 200 200 200 200 200
GET    docs/redoc/                                                      200 200 200 200 200 200 200 200 200
GET    auth/token/                                                      401 403 200 200 200 200 200 200 200
POST   auth/token/                                                      401 403 200 200 200 403 200 403 200
GET    users/                                                           401 403 403 403 200 403 403 403 403
GET    users/me/                                                        401 200 200 200 200 200 200 403 200
GET    users/search/?username=doe                                       401 403 200 200 200 200 200 403 200
GET    jobs/                                                            401 200 200 200 200 200 200 403 200
GET    dandisets/                                                       200 200 200 200 200 200 200 200 200
GET    dandisets/?embargoed=true                                        401 200 200 200 200 200 200 401 200
GET    dandisets/?starred=true                                          401 200 200 200 200 200 200 401 200
POST   dandisets/                                                       401 403 200 200 200 403 200 403 200
GET    dandisets/search/                                                200 200 200 200 200 200 200 200 200
GET    dandisets/search/?embargoed=true                                 401 200 200 200 200 200 200 401 200
GET    search/genotypes/                                                200 200 200 200 200 200 200 200 200
GET    search/species/                                                  200 200 200 200 200 200 200 200 200
GET    audit/events/asset/                                              401 403 403 403 200 403 403 403 403
GET    zarr/                                                            200 200 200 200 200 200 200 200 200
"""

OF_A_DRAFT = """
GET    dandisets/{identifier}/                                          200 200 200 200 200 200 200 200 200
DELETE dandisets/{identifier}/                                          401 403 403 204 204 403 403 403 403
GET    dandisets/{identifier}/users/                                    200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/users/                                    401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/projections/                              401 403 403 200 200 200 403 401 200
GET    dandisets/{identifier}/repository/                               200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/repository/versions/                      200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/star/                                     401 403 200 200 200 403 200 403 200
DELETE dandisets/{identifier}/star/                                     401 403 200 200 200 403 200 403 200
POST   dandisets/{identifier}/unembargo/                                401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/unembargo/                                401 403 403 200 200 403 403 401 403
GET    dandisets/{identifier}/uploads/                                  401 403 403 200 200 200 403 401 200
DELETE dandisets/{identifier}/uploads/                                  401 403 403 204 204 403 403 403 204
GET    dandisets/{identifier}/viewers/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/viewers/                                  401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/editors/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/editors/                                  401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 200 403 401 403
POST   dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 403 403 403 403
DELETE dandisets/{identifier}/reviewer-links/{link_id}/                 401 403 403 204 204 403 403 403 403
GET    dandisets/{identifier}/versions/                                 200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/                                 401 403 403 202 202 403 403 403 202
GET    dandisets/{identifier}/versions/{version}/                       200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/                       401 403 403 200 200 403 403 403 200
DELETE dandisets/{identifier}/versions/{version}/                       401 403 403 403 403 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/info/                  200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/diff/draft/            200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/bids-validation/       404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/{version}/publish/               401 403 403 202 202 403 403 403 202
PUT    dandisets/{identifier}/versions/{version}/access/                401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/assets/                200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/{version}/assets/                401 403 403 200 200 403 403 403 200
POST   dandisets/{identifier}/versions/{version}/assets/batch/          401 403 403 200 200 403 403 403 200
GET    dandisets/{identifier}/versions/{version}/assets/paths/          200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 200 200 403 403 403 200
DELETE dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 204 204 403 403 403 204
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/info/ 200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/validation/ 200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/download/ 302 302 302 302 302 302 302 302 302
GET    assets/{asset_id}/                                               200 200 200 200 200 200 200 200 200
GET    assets/{asset_id}/info/                                          200 200 200 200 200 200 200 200 200
GET    assets/{asset_id}/download/                                      302 302 302 302 302 302 302 302 302
GET webdav/assets/atpath/?dandiset_id={identifier}&version_id={version}&children=1 200 200 200 200 200 200 200 200 200
GET    jobs/{job_id}/                                                   401 404 404 200 200 200 404 403 200
POST   jobs/{job_id}/cancel/                                            401 403 404 200 200 403 404 403 200
POST   jobs/{job_id}/retry/                                             401 403 404 409 409 403 404 403 409
POST   blobs/digest/                                                    200 200 200 200 200 200 200 200 200
POST   uploads/initialize/                                              401 403 403 200 200 403 403 403 200
POST   uploads/{upload_id}/complete/                                    401 403 404 200 200 403 404 403 404
POST   uploads/{upload_id}/validate/                                    401 403 404 200 200 403 404 403 404
POST   zarr/                                                            401 403 403 200 200 403 403 403 200
GET    zarr/{zarr_id}/                                                  200 200 200 200 200 200 200 200 200
POST   zarr/{zarr_id}/finalize/                                         401 403 403 204 204 403 403 403 204
GET    zarr/{zarr_id}/files/                                            200 200 200 200 200 200 200 200 200
GET    zarr/{zarr_id}/files/?prefix=.zattrs&download=true               302 302 302 302 302 302 302 302 302
HEAD   zarr/{zarr_id}/files/?prefix=.zattrs                             302 302 302 302 302 302 302 302 302
POST   zarr/{zarr_id}/files/                                            401 403 403 200 200 403 403 403 200
DELETE zarr/{zarr_id}/files/                                            401 403 403 204 204 403 403 403 204
GET    zarr/{zarr_id}/content/.zattrs/                                  302 302 302 302 302 302 302 302 302
"""

OF_A_PUBLISHED_VERSION = """
GET    dandisets/{identifier}/                                          200 200 200 200 200 200 200 200 200
DELETE dandisets/{identifier}/                                          401 403 403 403 403 403 403 403 403
GET    dandisets/{identifier}/users/                                    200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/users/                                    401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/projections/                              401 403 403 200 200 200 403 401 200
GET    dandisets/{identifier}/repository/                               200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/repository/versions/                      200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/star/                                     401 403 200 200 200 403 200 403 200
DELETE dandisets/{identifier}/star/                                     401 403 200 200 200 403 200 403 200
POST   dandisets/{identifier}/unembargo/                                401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/unembargo/                                401 403 403 200 200 403 403 401 403
GET    dandisets/{identifier}/uploads/                                  401 403 403 200 200 200 403 401 200
DELETE dandisets/{identifier}/uploads/                                  401 403 403 204 204 403 403 403 204
GET    dandisets/{identifier}/viewers/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/viewers/                                  401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/editors/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/editors/                                  401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 200 403 401 403
POST   dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 403 403 403 403
DELETE dandisets/{identifier}/reviewer-links/{link_id}/                 401 403 403 204 204 403 403 403 403
GET    dandisets/{identifier}/versions/                                 200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/                                 401 403 403 202 202 403 403 403 202
GET    dandisets/{identifier}/versions/{version}/                       200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/                       401 403 403 405 405 403 403 403 405
DELETE dandisets/{identifier}/versions/{version}/                       401 403 403 403 204 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/info/                  200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/diff/draft/            200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/bids-validation/       404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/{version}/publish/               401 403 403 405 405 403 403 403 405
PUT    dandisets/{identifier}/versions/{version}/access/                401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/assets/                200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/{version}/assets/                401 403 403 405 405 403 403 403 405
POST   dandisets/{identifier}/versions/{version}/assets/batch/          401 403 403 405 405 403 403 403 405
GET    dandisets/{identifier}/versions/{version}/assets/paths/          200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 405 405 403 403 403 405
DELETE dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 405 405 403 403 403 405
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/info/ 200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/validation/ 200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/download/ 302 302 302 302 302 302 302 302 302
GET    assets/{asset_id}/                                               200 200 200 200 200 200 200 200 200
GET    assets/{asset_id}/info/                                          200 200 200 200 200 200 200 200 200
GET    assets/{asset_id}/download/                                      302 302 302 302 302 302 302 302 302
GET webdav/assets/atpath/?dandiset_id={identifier}&version_id={version}&children=1 200 200 200 200 200 200 200 200 200
GET    jobs/{job_id}/                                                   401 404 404 200 200 200 404 403 200
POST   jobs/{job_id}/cancel/                                            401 403 404 200 200 403 404 403 200
POST   jobs/{job_id}/retry/                                             401 403 404 409 409 403 404 403 409
POST   blobs/digest/                                                    200 200 200 200 200 200 200 200 200
POST   uploads/initialize/                                              401 403 403 200 200 403 403 403 200
POST   uploads/{upload_id}/complete/                                    401 403 404 200 200 403 404 403 404
POST   uploads/{upload_id}/validate/                                    401 403 404 200 200 403 404 403 404
POST   zarr/                                                            401 403 403 200 200 403 403 403 200
GET    zarr/{zarr_id}/                                                  200 200 200 200 200 200 200 200 200
POST   zarr/{zarr_id}/finalize/                                         401 403 403 204 204 403 403 403 204
GET    zarr/{zarr_id}/files/                                            200 200 200 200 200 200 200 200 200
GET    zarr/{zarr_id}/files/?prefix=.zattrs&download=true               302 302 302 302 302 302 302 302 302
HEAD   zarr/{zarr_id}/files/?prefix=.zattrs                             302 302 302 302 302 302 302 302 302
POST   zarr/{zarr_id}/files/                                            401 403 403 200 200 403 403 403 200
DELETE zarr/{zarr_id}/files/                                            401 403 403 204 204 403 403 403 204
GET    zarr/{zarr_id}/content/.zattrs/                                  302 302 302 302 302 302 302 302 302
"""

OF_WHAT_IS_EMBARGOED = """
GET    dandisets/{identifier}/                                          401 403 403 200 200 200 200 200 200
DELETE dandisets/{identifier}/                                          401 403 403 204 204 403 403 403 403
GET    dandisets/{identifier}/users/                                    401 403 403 200 200 200 200 200 200
PUT    dandisets/{identifier}/users/                                    401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/projections/                              401 403 403 200 200 200 403 401 200
GET    dandisets/{identifier}/repository/                               401 403 403 200 200 200 200 403 200
GET    dandisets/{identifier}/repository/versions/                      401 403 403 200 200 200 200 403 200
POST   dandisets/{identifier}/star/                                     401 403 403 200 200 403 200 403 200
DELETE dandisets/{identifier}/star/                                     401 403 403 200 200 403 200 403 200
POST   dandisets/{identifier}/unembargo/                                401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/unembargo/                                401 403 403 200 200 403 403 401 403
GET    dandisets/{identifier}/uploads/                                  401 403 403 200 200 200 403 401 200
DELETE dandisets/{identifier}/uploads/                                  401 403 403 204 204 403 403 403 204
GET    dandisets/{identifier}/viewers/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/viewers/                                  401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/editors/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/editors/                                  401 403 403 200 200 403 403 403 403
GET    dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 200 403 401 403
POST   dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 403 403 403 403
DELETE dandisets/{identifier}/reviewer-links/{link_id}/                 401 403 403 204 204 403 403 403 403
GET    dandisets/{identifier}/versions/                                 401 403 403 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/                                 401 403 403 202 202 403 403 403 202
GET    dandisets/{identifier}/versions/{version}/                       401 403 403 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/                       401 403 403 200 200 403 403 403 200
DELETE dandisets/{identifier}/versions/{version}/                       401 403 403 403 403 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/info/                  401 403 403 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/diff/draft/            401 403 403 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/bids-validation/       401 403 403 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/{version}/publish/               401 403 403 400 400 403 403 403 400
PUT    dandisets/{identifier}/versions/{version}/access/                401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/assets/                401 403 403 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/{version}/assets/                401 403 403 200 200 403 403 403 200
POST   dandisets/{identifier}/versions/{version}/assets/batch/          401 403 403 200 200 403 403 403 200
GET    dandisets/{identifier}/versions/{version}/assets/paths/          401 403 403 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 200 200 403 403 403 200
DELETE dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 204 204 403 403 403 204
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/info/ 401 403 403 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/validation/ 401 403 403 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/download/ 401 403 403 302 302 302 302 302 302
GET    assets/{asset_id}/                                               401 403 403 200 200 200 200 200 200
GET    assets/{asset_id}/info/                                          401 403 403 200 200 200 200 200 200
GET    assets/{asset_id}/download/                                      401 403 403 302 302 302 302 302 302
GET webdav/assets/atpath/?dandiset_id={identifier}&version_id={version}&children=1 403 403 403 200 200 200 200 200 200
GET    jobs/{job_id}/                                                   401 404 404 200 200 200 404 403 200
POST   jobs/{job_id}/cancel/                                            401 403 404 200 200 403 404 403 200
POST   jobs/{job_id}/retry/                                             401 403 404 409 409 403 404 403 409
POST   blobs/digest/                                                    404 404 404 200 200 200 200 200 200
POST   uploads/initialize/                                              401 403 404 200 200 403 403 403 200
POST   uploads/{upload_id}/complete/                                    401 403 404 200 200 403 404 403 404
POST   uploads/{upload_id}/validate/                                    401 403 404 200 200 403 404 403 404
POST   zarr/                                                            401 403 404 200 200 403 403 403 200
GET    zarr/{zarr_id}/                                                  404 404 404 200 200 200 200 200 200
POST   zarr/{zarr_id}/finalize/                                         401 403 404 204 204 403 403 403 204
GET    zarr/{zarr_id}/files/                                            401 404 404 200 200 200 200 200 200
GET    zarr/{zarr_id}/files/?prefix=.zattrs&download=true               401 404 404 302 302 302 302 302 302
HEAD   zarr/{zarr_id}/files/?prefix=.zattrs                             401 404 404 302 302 302 302 302 302
POST   zarr/{zarr_id}/files/                                            401 403 404 200 200 403 403 403 200
DELETE zarr/{zarr_id}/files/                                            401 403 404 204 204 403 403 403 204
GET    zarr/{zarr_id}/content/.zattrs/                                  401 404 404 302 302 302 302 302 302
"""

OF_WHAT_IS_BEING_RELEASED = """
GET    dandisets/{identifier}/                                          200 200 200 200 200 200 200 200 200
DELETE dandisets/{identifier}/                                          401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/users/                                    200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/users/                                    401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/projections/                              401 403 403 200 200 200 403 401 200
GET    dandisets/{identifier}/repository/                               200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/repository/versions/                      200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/star/                                     401 403 200 200 200 403 200 403 200
DELETE dandisets/{identifier}/star/                                     401 403 200 200 200 403 200 403 200
POST   dandisets/{identifier}/unembargo/                                401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/unembargo/                                401 403 403 200 200 403 403 401 403
GET    dandisets/{identifier}/uploads/                                  401 403 403 200 200 200 403 401 200
DELETE dandisets/{identifier}/uploads/                                  401 403 403 204 204 403 403 403 204
GET    dandisets/{identifier}/viewers/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/viewers/                                  401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/editors/                                  401 403 403 200 200 200 403 401 403
PUT    dandisets/{identifier}/editors/                                  401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 200 403 401 403
POST   dandisets/{identifier}/reviewer-links/                           401 403 403 200 200 403 403 403 403
DELETE dandisets/{identifier}/reviewer-links/{link_id}/                 401 403 403 204 204 403 403 403 403
GET    dandisets/{identifier}/versions/                                 200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/                                 401 403 403 400 400 403 403 403 400
GET    dandisets/{identifier}/versions/{version}/                       200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/                       401 403 403 400 400 403 403 403 400
DELETE dandisets/{identifier}/versions/{version}/                       401 403 403 403 403 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/info/                  200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/diff/draft/            200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/bids-validation/       404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/{version}/publish/               401 403 403 400 400 403 403 403 400
PUT    dandisets/{identifier}/versions/{version}/access/                401 403 403 400 400 403 403 403 403
GET    dandisets/{identifier}/versions/{version}/assets/                200 200 200 200 200 200 200 200 200
POST   dandisets/{identifier}/versions/{version}/assets/                401 403 403 400 400 403 403 403 400
POST   dandisets/{identifier}/versions/{version}/assets/batch/          401 403 403 400 400 403 403 403 400
GET    dandisets/{identifier}/versions/{version}/assets/paths/          200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     200 200 200 200 200 200 200 200 200
PUT    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 400 400 403 403 403 400
DELETE dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 403 400 400 403 403 403 400
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/info/ 200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/validation/ 200 200 200 200 200 200 200 200 200
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/download/ 302 302 302 302 302 302 302 302 302
GET    assets/{asset_id}/                                               200 200 200 200 200 200 200 200 200
GET    assets/{asset_id}/info/                                          200 200 200 200 200 200 200 200 200
GET    assets/{asset_id}/download/                                      302 302 302 302 302 302 302 302 302
GET webdav/assets/atpath/?dandiset_id={identifier}&version_id={version}&children=1 200 200 200 200 200 200 200 200 200
GET    jobs/{job_id}/                                                   401 404 404 200 200 200 404 403 200
POST   jobs/{job_id}/cancel/                                            401 403 404 200 200 403 404 403 200
POST   jobs/{job_id}/retry/                                             401 403 404 409 409 403 404 403 409
POST   blobs/digest/                                                    200 200 200 200 200 200 200 200 200
POST   uploads/initialize/                                              401 403 403 400 400 403 403 403 400
POST   uploads/{upload_id}/complete/                                    401 403 404 200 200 403 404 403 404
POST   uploads/{upload_id}/validate/                                    401 403 404 200 200 403 404 403 404
POST   zarr/                                                            401 403 403 400 400 403 403 403 400
GET    zarr/{zarr_id}/                                                  200 200 200 200 200 200 200 200 200
POST   zarr/{zarr_id}/finalize/                                         401 403 403 400 400 403 403 403 400
GET    zarr/{zarr_id}/files/                                            200 200 200 200 200 200 200 200 200
GET    zarr/{zarr_id}/files/?prefix=.zattrs&download=true               302 302 302 302 302 302 302 302 302
HEAD   zarr/{zarr_id}/files/?prefix=.zattrs                             302 302 302 302 302 302 302 302 302
POST   zarr/{zarr_id}/files/                                            401 403 403 400 400 403 403 403 400
DELETE zarr/{zarr_id}/files/                                            401 403 403 400 400 403 403 403 400
GET    zarr/{zarr_id}/content/.zattrs/                                  302 302 302 302 302 302 302 302 302
"""

OF_WHAT_IS_MISSING = """
GET    dandisets/{identifier}/                                          404 404 404 404 404 404 404 404 404
DELETE dandisets/{identifier}/                                          401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/users/                                    404 404 404 404 404 404 404 404 404
PUT    dandisets/{identifier}/users/                                    401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/projections/                              404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/repository/                               404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/repository/versions/                      404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/star/                                     401 403 404 404 404 403 404 403 404
DELETE dandisets/{identifier}/star/                                     401 403 404 404 404 403 404 403 404
POST   dandisets/{identifier}/unembargo/                                401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/unembargo/                                404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/uploads/                                  404 404 404 404 404 404 404 404 404
DELETE dandisets/{identifier}/uploads/                                  401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/viewers/                                  404 404 404 404 404 404 404 404 404
PUT    dandisets/{identifier}/viewers/                                  401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/editors/                                  404 404 404 404 404 404 404 404 404
PUT    dandisets/{identifier}/editors/                                  401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/reviewer-links/                           404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/reviewer-links/                           401 403 404 404 404 403 404 403 404
DELETE dandisets/{identifier}/reviewer-links/{link_id}/                 401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/versions/                                 404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/                                 401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/versions/{version}/                       404 404 404 404 404 404 404 404 404
PUT    dandisets/{identifier}/versions/{version}/                       401 403 404 404 404 403 404 403 404
DELETE dandisets/{identifier}/versions/{version}/                       401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/versions/{version}/info/                  404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/versions/{version}/diff/draft/            404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/versions/{version}/bids-validation/       404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/{version}/publish/               401 403 404 404 404 403 404 403 404
PUT    dandisets/{identifier}/versions/{version}/access/                401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/versions/{version}/assets/                404 404 404 404 404 404 404 404 404
POST   dandisets/{identifier}/versions/{version}/assets/                401 403 404 404 404 403 404 403 404
POST   dandisets/{identifier}/versions/{version}/assets/batch/          401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/versions/{version}/assets/paths/          404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     404 404 404 404 404 404 404 404 404
PUT    dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 404 404 404 403 404 403 404
DELETE dandisets/{identifier}/versions/{version}/assets/{asset_id}/     401 403 404 404 404 403 404 403 404
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/info/ 404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/validation/ 404 404 404 404 404 404 404 404 404
GET    dandisets/{identifier}/versions/{version}/assets/{asset_id}/download/ 404 404 404 404 404 404 404 404 404
GET    assets/{asset_id}/                                               404 404 404 404 404 404 404 404 404
GET    assets/{asset_id}/info/                                          404 404 404 404 404 404 404 404 404
GET    assets/{asset_id}/download/                                      404 404 404 404 404 404 404 404 404
GET webdav/assets/atpath/?dandiset_id={identifier}&version_id={version}&children=1 404 404 404 404 404 404 404 404 404
GET    jobs/{job_id}/                                                   401 404 404 404 404 404 404 403 404
POST   jobs/{job_id}/cancel/                                            401 403 404 404 404 403 404 403 404
POST   jobs/{job_id}/retry/                                             401 403 404 404 404 403 404 403 404
POST   blobs/digest/                                                    404 404 404 404 404 404 404 404 404
POST   uploads/initialize/                                              401 403 404 404 404 403 404 403 404
POST   uploads/{upload_id}/complete/                                    401 403 404 404 404 403 404 403 404
POST   uploads/{upload_id}/validate/                                    401 403 404 404 404 403 404 403 404
POST   zarr/                                                            401 403 404 404 404 403 404 403 404
GET    zarr/{zarr_id}/                                                  404 404 404 404 404 404 404 404 404
POST   zarr/{zarr_id}/finalize/                                         401 403 404 404 404 403 404 403 404
GET    zarr/{zarr_id}/files/                                            404 404 404 404 404 404 404 404 404
GET    zarr/{zarr_id}/files/?prefix=.zattrs&download=true               404 404 404 404 404 404 404 404 404
HEAD   zarr/{zarr_id}/files/?prefix=.zattrs                             404 404 404 404 404 404 404 404 404
POST   zarr/{zarr_id}/files/                                            401 403 404 404 404 403 404 403 404
DELETE zarr/{zarr_id}/files/                                            401 403 404 404 404 403 404 403 404
GET    zarr/{zarr_id}/content/.zattrs/                                  404 404 404 404 404 404 404 404 404
"""

TABLES = [
    (World, OF_THE_SITE),
    (World, OF_A_DRAFT),
    (PublishedWorld, OF_A_PUBLISHED_VERSION),
    (EmbargoedWorld, OF_WHAT_IS_EMBARGOED),
    (ReleasingWorld, OF_WHAT_IS_BEING_RELEASED),
    (MissingWorld, OF_WHAT_IS_MISSING),
]
EXAMPLE = {
    "identifier": "000001",
    "version": "draft",
    "asset_id": "00000000-0000-4000-8000-000000000000",
    "link_id": "1",
    "upload_id": "00000000-0000-4000-8000-000000000000",
    "zarr_id": "00000000-0000-4000-8000-000000000000",
    "job_id": "00000000-0000-4000-8000-000000000000",
}


def asked(table: str) -> set[tuple[str, str]]:
    """The methods and routes that a table has."""
    lines = [Line.read(text) for text in table.strip().splitlines()]
    spelled = [line for line in lines if line.method != "HEAD"]
    return {(line.method, resolve(ROOT + line.address.format(**EXAMPLE).partition("?")[0]).route) for line in spelled}


def offered() -> set[tuple[str, str]]:
    """The methods and routes that there are, but for HEAD and OPTIONS, which follow GET."""
    return {
        (method.upper(), f"api/{str(entry.pattern).lstrip('^')}")
        for entry in urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(entry.callback.cls, method)
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("world", "table"), TABLES)
def test_access_is_given_and_refused_as_written(world: type[World], table: str, worker: Worker) -> None:
    lines = [Line.read(text) for text in table.strip().splitlines()]
    asking = world(worker)
    assert [asking.answered(line) for line in lines] == lines
    assert asking.changed_by_refusal == []


def test_access_of_every_route_and_method_is_written() -> None:
    assert asked(OF_THE_SITE) | asked(OF_A_DRAFT) == offered()


@pytest.mark.parametrize(
    "table", [OF_A_PUBLISHED_VERSION, OF_WHAT_IS_EMBARGOED, OF_WHAT_IS_BEING_RELEASED, OF_WHAT_IS_MISSING]
)
def test_access_is_written_for_every_state(table: str) -> None:
    assert asked(table) == asked(OF_A_DRAFT)
