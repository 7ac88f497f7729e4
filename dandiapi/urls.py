"""The addresses of all faces."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from dandiapi.rest.general import InfoView

handler400 = "dandiapi.web.errors.bad_request"
handler404 = "dandiapi.web.errors.not_found"
handler500 = "dandiapi.web.errors.server_error"

urlpatterns = [
    path("", include("dandiapi.graphql.urls")),
    # WebDAV's is part of the one document.
    path("api/webdav/docs/swagger/", RedirectView.as_view(pattern_name="swagger", permanent=True)),
    path("api/", include("dandiapi.rest.urls")),
    re_path(r"^server-info/?$", InfoView.as_view()),
    path("swagger/", RedirectView.as_view(pattern_name="swagger", permanent=True)),
    path("redoc/", RedirectView.as_view(pattern_name="redoc", permanent=True)),
    path("accounts/", include("allauth.urls")),
    # Passwords are tried and changed in one place, which counts the wrong ones; gone where there are none.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("", include("dandiapi.git.urls")),
    path("", include("dandiapi.web.urls")),
]
