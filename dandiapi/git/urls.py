"""The addresses of git and git-annex."""

from django.urls import re_path

from dandiapi.git import push, repository

REPOSITORY = r"^git/(?P<identifier>[0-9]{6})(?:\.git)?"

urlpatterns = [
    re_path(rf"{REPOSITORY}/info/refs$", repository.references),
    re_path(rf"{REPOSITORY}/git-upload-pack$", repository.upload_pack),
    re_path(rf"{REPOSITORY}/git-receive-pack$", push.receive_pack),
    re_path(rf"{REPOSITORY}/config$", repository.configuration),
]
