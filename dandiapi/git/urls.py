"""The addresses of git and git-annex."""

from django.urls import re_path

from dandiapi.git import annex, keys, push, repository

# As DANDI's datasets are called, or as OpenNeuro's are, behind the number of a worker, of which there is one.
REPOSITORY = r"^git/(?:[0-9]+/ds)?(?P<identifier>[0-9]{6})(?:\.git)?"
ANNEX = r"^git-annex/(?P<annex_uuid>[^/]+)"
VERSION = rf"{ANNEX}/v(?P<version>[0-4])"
# `putoffset` came with version 1, what has to do with time with version 3.
SINCE_1 = rf"{ANNEX}/v(?P<version>[1-4])"
SINCE_3 = rf"{ANNEX}/v(?P<version>[34])"

urlpatterns = [
    re_path(rf"{REPOSITORY}/info/refs$", repository.references),
    re_path(rf"{REPOSITORY}/git-upload-pack$", repository.upload_pack),
    re_path(rf"{REPOSITORY}/git-receive-pack$", push.receive_pack),
    re_path(rf"{REPOSITORY}/config$", repository.configuration),
    re_path(rf"{REPOSITORY}/annex/(?P<key>[^/]+)$", keys.content),
    re_path(rf"{ANNEX}/key/(?P<key>.+)$", annex.content),
    re_path(rf"{VERSION}/key/(?P<key>.+)$", annex.get),
    re_path(rf"{VERSION}/checkpresent$", annex.checkpresent),
    re_path(rf"{VERSION}/lockcontent$", annex.lockcontent),
    re_path(rf"{VERSION}/keeplocked$", annex.keeplocked),
    re_path(rf"{VERSION}/remove$", annex.remove),
    re_path(rf"{SINCE_3}/remove-before$", annex.remove_before),
    re_path(rf"{SINCE_3}/gettimestamp$", annex.gettimestamp),
    re_path(rf"{SINCE_1}/putoffset$", annex.putoffset),
    re_path(rf"{VERSION}/put$", annex.put),
    re_path(r"^git-annex/", annex.unknown_version),
]
