"""The addresses of the GraphQL face. All that is below `/crn/` is also below `/api/`, as clients have it."""

from django.urls import re_path

from dandiapi.graphql import accounts, dois, downloads, sign_in, site, uploads
from dandiapi.graphql.views import graphql

# Both are known to clients.
BASE = r"^(?:crn|api)/"
DATASET = rf"{BASE}datasets/ds(?P<identifier>[0-9]{{6}})"

urlpatterns = [
    re_path(r"^(?:crn/|api/|)graphql/?$", graphql),
    re_path(rf"{BASE}users/self/?$", accounts.users_self),
    re_path(rf"{BASE}git/ds(?P<identifier>[0-9]{{6}})(?P<rest>/.*?)?/?$", site.repository),
    re_path(rf"{DATASET}/files/(?P<path>.+?)/?$", downloads.file),
    re_path(rf"{DATASET}/snapshots/(?P<tag>[^/]+)/files/(?P<path>.+?)/?$", downloads.file),
    re_path(rf"{DATASET}/objects/(?P<key>[^/]+)/?$", downloads.content),
    re_path(r"^uploads/[0-9]+/ds(?P<identifier>[0-9]{6})/(?P<upload_id>[^/]+)/(?P<path>.+)$", uploads.receive),
    re_path(rf"{BASE}config\.js$", site.configuration),
    re_path(rf"{BASE}sitemap/?$", site.sitemap),
    re_path(r"^sitemap\.xml$", site.sitemap),
    re_path(r"^datasets/ds(?P<identifier>[0-9]{6})(?:/versions/(?P<tag>[^/]+))?/?$", site.page),
    re_path(rf"{BASE}doi/ds(?P<identifier>[0-9]{{6}})/(?P<tag>[^/]+)/?$", dois.doi),
    re_path(rf"{BASE}keygen/?$", accounts.keygen),
    re_path(r"^keygen/?$", accounts.key_page),
    re_path(rf"{BASE}auth/(?P<provider>orcid|google|github)/?$", sign_in.begin),
    re_path(rf"{BASE}auth/complete/?$", sign_in.complete),
    re_path(rf"{BASE}reviewer/(?P<token>[\w.-]+)/?$", accounts.reviewer),
]
