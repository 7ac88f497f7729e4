"""Which requests may be larger than what is spooled of them."""

import pytest

from dandiapi.server.requests import STREAMED

KEY = b"SHA256E-s1--0.nii.gz"


@pytest.mark.parametrize(
    "target",
    [
        b"/git/000001/git-receive-pack",
        b"/git/000001.git/git-receive-pack",
        b"/git/0/ds000001/git-receive-pack",
        b"/git/0/ds000001/annex/" + KEY,
        b"/git-annex/a/v3/put?key=b",
        b"/uploads/0/ds000001/1a2b/sub-01:anat:a.nii.gz",
    ],
)
def test_content_may_be_larger_than_what_is_spooled(target: bytes) -> None:
    assert STREAMED.match(target)


@pytest.mark.parametrize(
    "target",
    [b"/git/000001/git-upload-pack", b"/crn/graphql", b"/api/uploads/", b"/git/0/ds000001/annex/a/b", b"/?/uploads/"],
)
def test_other_bodies_may_not(target: bytes) -> None:
    assert not STREAMED.match(target)
