"""Who may do what with repositories and their content: every address, for everybody, in every state of a dataset."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.urls import resolve

from archive.accounts.models import Token
from archive.accounts.policy import SYSTEM
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from archive.embargo.work import begin_release
from archive.git_annex.keys import AnnexKey
from archive.snapshots.services import repository_of
from dandiapi.git.urls import urlpatterns
from tests.dandiapi.git.caller import Caller
from tests.dandiapi.rest.world import Line, embargo
from tests.factories import (
    make_admin,
    make_asset,
    make_blob,
    make_dataset,
    make_reviewer_link,
    make_unapproved_user,
    make_user,
    make_viewer,
)

LENGTH = "X-git-annex-data-length"
# To ask for no more than the names of branches, and to push nothing.
BODIES = {
    "application/x-git-upload-pack-request": b"0014command=ls-refs\n0000",
    "application/x-git-receive-pack-request": b"0000",
}

# Each line: what is asked, then what is answered to
#   somebody who brings nothing, somebody who is not approved yet, a stranger, an owner, an administrator,
#   the owner by a token that may only read, a viewer, and somebody who has nothing but a reviewer link.

OF_WHAT_IS_OPEN = """
GET  git/{identifier}/config                                     200 200 200 200 200 200 200 200
GET  git/{identifier}/info/refs?service=git-upload-pack          200 200 200 200 200 200 200 200
GET  git/{identifier}/info/refs?service=git-receive-pack         401 403 403 200 200 403 403 401
POST git/{identifier}/git-upload-pack                            200 200 200 200 200 200 200 200
POST git/{identifier}/git-receive-pack                           401 403 403 200 200 403 403 401
GET  git/{identifier}/annex/{key}                                303 303 303 303 303 303 303 303
POST git/{identifier}/annex/{key}                                401 403 403 200 200 403 403 401
GET  git-annex/{uuid}/key/{key}                                  302 302 302 302 302 302 302 302
GET  git-annex/{uuid}/v4/key/{key}                               200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/checkpresent?key={key}                  200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/lockcontent?key={key}                   200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/keeplocked?lockid=1                     200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/gettimestamp                            200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/putoffset?key={absent}                  401 403 403 200 200 403 403 401
POST git-annex/{uuid}/v4/put?key={key}                           401 403 403 200 200 403 403 401
POST git-annex/{uuid}/v4/put?key={key}&data-present=true         401 403 403 200 200 403 403 401
POST git-annex/{uuid}/v4/remove?key={key}                        401 403 403 200 200 403 403 401
POST git-annex/{uuid}/v4/remove-before?key={key}&timestamp=1     401 403 403 200 200 403 403 401
"""

OF_WHAT_IS_EMBARGOED = """
GET  git/{identifier}/config                                     401 404 404 200 200 200 200 403
GET  git/{identifier}/info/refs?service=git-upload-pack          401 404 404 200 200 200 200 403
GET  git/{identifier}/info/refs?service=git-receive-pack         401 404 404 200 200 403 403 403
POST git/{identifier}/git-upload-pack                            401 404 404 200 200 200 200 403
POST git/{identifier}/git-receive-pack                           401 404 404 200 200 403 403 403
GET  git/{identifier}/annex/{key}                                401 404 404 303 303 303 303 403
POST git/{identifier}/annex/{key}                                401 404 404 200 200 403 403 403
GET  git-annex/{uuid}/key/{key}                                  401 404 404 302 302 302 302 302
GET  git-annex/{uuid}/v4/key/{key}                               401 404 404 200 200 200 200 200
POST git-annex/{uuid}/v4/checkpresent?key={key}                  401 404 404 200 200 200 200 200
POST git-annex/{uuid}/v4/lockcontent?key={key}                   401 404 404 200 200 200 200 200
POST git-annex/{uuid}/v4/keeplocked?lockid=1                     401 404 404 200 200 200 200 200
POST git-annex/{uuid}/v4/gettimestamp                            401 404 404 200 200 200 200 200
POST git-annex/{uuid}/v4/putoffset?key={absent}                  401 404 404 200 200 403 403 401
POST git-annex/{uuid}/v4/put?key={key}                           401 404 404 200 200 403 403 401
POST git-annex/{uuid}/v4/put?key={key}&data-present=true         401 404 404 200 200 403 403 401
POST git-annex/{uuid}/v4/remove?key={key}                        401 404 404 200 200 403 403 401
POST git-annex/{uuid}/v4/remove-before?key={key}&timestamp=1     401 404 404 200 200 403 403 401
"""

# While it is being released nothing comes in, and its repository is written anew.
OF_WHAT_IS_BEING_RELEASED = """
GET  git/{identifier}/config                                     200 200 200 200 200 200 200 200
GET  git/{identifier}/info/refs?service=git-upload-pack          503 503 503 503 503 503 503 503
GET  git/{identifier}/info/refs?service=git-receive-pack         401 403 403 503 503 403 403 401
POST git/{identifier}/git-upload-pack                            503 503 503 503 503 503 503 503
POST git/{identifier}/git-receive-pack                           401 403 403 503 503 403 403 401
GET  git/{identifier}/annex/{key}                                303 303 303 303 303 303 303 303
POST git/{identifier}/annex/{key}                                401 403 403 400 400 403 403 401
GET  git-annex/{uuid}/key/{key}                                  302 302 302 302 302 302 302 302
GET  git-annex/{uuid}/v4/key/{key}                               200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/checkpresent?key={key}                  200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/lockcontent?key={key}                   200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/keeplocked?lockid=1                     200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/gettimestamp                            200 200 200 200 200 200 200 200
POST git-annex/{uuid}/v4/putoffset?key={absent}                  401 403 403 400 400 403 403 401
POST git-annex/{uuid}/v4/put?key={key}                           401 403 403 400 400 403 403 401
POST git-annex/{uuid}/v4/put?key={key}&data-present=true         401 403 403 200 200 403 403 401
POST git-annex/{uuid}/v4/remove?key={key}                        401 403 403 200 200 403 403 401
POST git-annex/{uuid}/v4/remove-before?key={key}&timestamp=1     401 403 403 200 200 403 403 401
"""

OF_WHAT_IS_MISSING = "\n".join(
    f"{' '.join(line.split()[:2])} 401 404 404 404 404 404 404 404" for line in OF_WHAT_IS_OPEN.strip().splitlines()
)

TABLES = [OF_WHAT_IS_OPEN, OF_WHAT_IS_EMBARGOED, OF_WHAT_IS_BEING_RELEASED, OF_WHAT_IS_MISSING]
EXAMPLE = {"identifier": "000001", "uuid": str(uuid4()), "key": "k", "absent": "k"}


class World:
    """A dataset of one file with its bytes, everybody who asks about it, and the names that addresses have for it."""

    def __init__(self) -> None:
        owner = make_user()
        self.dataset = make_dataset(owner)
        blob = make_blob(self.dataset)
        blob.sha256 = "0" * 64
        blob.save()
        make_asset(self.dataset, blob=blob)
        self.callers = [
            Caller(),
            Caller(make_unapproved_user()),
            Caller(make_user()),
            Caller(owner),
            Caller(make_admin()),
            Caller(owner, scope=Token.Scope.READ),
            Caller(make_viewer(self.dataset)),
            Caller(secret=make_reviewer_link(self.dataset)[1]),
        ]
        key = AnnexKey("SHA256", blob.size, "0" * 64)
        self.names = {
            "identifier": self.dataset.identifier,
            "uuid": str(repository_of(self.dataset).annex_uuid),
            "key": str(key),
            "absent": str(key._replace(digest="1" * 64)),
        }

    def answered(self, line: Line) -> Line:
        """The line, with what is really answered."""
        address = "/" + line.address.format(**self.names)
        return line._replace(statuses=tuple(str(self._status(caller, line.method, address)) for caller in self.callers))

    def _status(self, caller: Caller, method: str, address: str) -> int:
        if method == "GET":
            response = caller.get(address)
        elif address.endswith("-pack"):
            media_type = f"application/x-{address.rpartition('/')[2]}-request"
            response = caller.post(address, BODIES[media_type], media_type, **{"Git-Protocol": "version=2"})
        else:
            response = caller.post(address, b"", "application/octet-stream", **{LENGTH: "0"})
        if response.streaming:
            b"".join(response.streaming_content)
        return int(response.status_code)


def asked(table: str) -> Iterator[tuple[str, str]]:
    for text in table.strip().splitlines():
        line = Line.read(text)
        yield line.method, resolve("/" + line.address.format(**EXAMPLE).partition("?")[0]).route


def embargoed(world: World) -> None:
    embargo(world.dataset)


def releasing(world: World) -> None:
    embargo(world.dataset)
    begin_release(world.dataset.number, SYSTEM)


def missing(world: World) -> None:
    world.names |= {"identifier": "999999", "uuid": str(uuid4())}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("become", "table"),
    [
        (lambda world: None, OF_WHAT_IS_OPEN),
        (embargoed, OF_WHAT_IS_EMBARGOED),
        (releasing, OF_WHAT_IS_BEING_RELEASED),
        (missing, OF_WHAT_IS_MISSING),
    ],
    ids=["open", "embargoed", "releasing", "missing"],
)
def test_access_is_given_and_refused_as_written(become: Any, table: str) -> None:
    world = World()
    become(world)
    lines = [Line.read(text) for text in table.strip().splitlines()]
    assert [world.answered(line) for line in lines] == lines
    assert Blob.objects.count() == 1
    assert Dataset.objects.count() == 1


def test_access_of_every_address_is_written() -> None:
    of_nothing = "^git-annex/"
    assert {route for _, route in asked(OF_WHAT_IS_OPEN)} == {str(each.pattern) for each in urlpatterns} - {of_nothing}


@pytest.mark.parametrize("table", TABLES)
def test_access_is_written_for_every_state(table: str) -> None:
    assert set(asked(table)) == set(asked(OF_WHAT_IS_OPEN))
