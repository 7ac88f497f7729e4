"""Who may send each mutation, and who is told what is private: for everybody, as tables.

`ok` is done. The others are refused: `read`, `write` and `admin` in the sentences that clients match, `login` as one
who is not signed in, `site` as one who does not run the site, `worker` as no worker of it, `token` for one that is for
something else, `absent` as what there is not, `kept` for what stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from archive.accounts.models import User
from archive.accounts.services import create_token, revoke_token
from archive.bids import waiting
from archive.datasets.models import Dataset, Version
from archive.embargo.services import release
from archive.publishing.services import publish
from archive.snapshots.models import Commit
from archive.snapshots.queries import COMMITS_NAME_PEOPLE
from archive.snapshots.services import repository_of
from archive.timeline.models import Change
from archive.uploads.models import UploadSession
from archive.uploads.services import receive_file
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.test_datasets import id_of, person
from tests.dandiapi.graphql.test_schema import BUILT, FACTS
from tests.dandiapi.graphql.test_snapshots import described
from tests.factories import (
    make_admin,
    make_editor,
    make_embargoed_dataset,
    make_reviewer_link,
    make_user,
    make_viewer,
    owner_of,
)
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db

SAID = {
    "You do not have access to read this dataset.": "read",
    "You do not have access to modify this dataset.": "write",
    "You do not have admin access to this dataset.": "admin",
    "You must be logged in to do this.": "login",
    "You must be logged in to create a dataset.": "login",
    "This token is for something else.": "token",
    "There is no such upload: prepare it first.": "absent",
    "A dataset that has published versions cannot be deleted.": "kept",
    COMMITS_NAME_PEOPLE: "names",
    "Only administrators may do this.": "site",
    "Only the workers of the archive may do this.": "worker",
    # A snapshot is being made, for which these tests do not wait.
    "The version is still being made, which goes on: look for it in a while.": "ok",
}
PEOPLE = ("anonymous", "stranger", "ro", "rw", "admin", "reviewer", "site", "revoked", "other")
# Of each mutation that there is: whom it is for, while the dataset is private, and once it is open. `other` has a token
# to upload to another dataset with; `revoked` had one of an owner's.
PRIVATE = """
                        anonymous stranger ro     rw     admin  reviewer site   revoked other
addMetadata             read      read     write  ok     ok     login    ok     read    read
cacheClear              read      read     site   site   site   login    ok     read    read
createDataset           login     ok       ok     ok     ok     login    ok     login   token
createGitEvent          read      read     write  ok     ok     login    ok     read    read
createReviewer          read      read     admin  admin  ok     login    ok     read    read
createSnapshot          read      read     write  ok     ok     login    ok     read    read
deleteDataset           read      read     admin  admin  ok     login    ok     read    read
deleteFiles             read      read     write  ok     ok     login    ok     read    read
deleteReviewer          read      read     admin  admin  ok     login    ok     read    read
deleteSnapshot          read      read     admin  admin  ok     login    ok     read    read
deprecateSnapshot       read      read     write  ok     ok     login    ok     read    read
finishUpload            absent    absent   absent absent ok     absent   absent absent  absent
fsckDataset             read      read     write  ok     ok     login    ok     read    read
prepareRepoAccess       read      read     ok     ok     ok     login    ok     read    read
prepareUpload           read      read     write  ok     ok     login    ok     read    read
publishDataset          read      read     admin  admin  ok     login    ok     read    read
removePermissions       read      read     admin  admin  ok     login    ok     read    read
removeUser              login     site     site   site   site   login    ok     login   token
resetDraft              read      read     write  ok     ok     login    ok     read    read
revalidate              read      read     write  ok     ok     login    ok     read    read
setAdmin                login     site     site   site   site   login    ok     login   token
setBlocked              login     site     site   site   site   login    ok     login   token
starDataset             read      read     ok     ok     ok     login    ok     read    read
undoDeprecateSnapshot   read      read     write  ok     ok     login    ok     read    read
updateContributors      read      read     write  ok     ok     login    ok     read    read
updateDescription       read      read     write  ok     ok     login    ok     read    read
updateDescriptionList   read      read     write  ok     ok     login    ok     read    read
updateFileCheck         read      read     worker worker worker login    worker read    read
updateOrcidPermissions  read      read     admin  admin  ok     login    ok     read    read
updatePermissions       read      read     admin  admin  ok     login    ok     read    read
updatePublic            read      read     admin  admin  ok     login    ok     read    read
updateReadme            read      read     write  ok     ok     login    ok     read    read
updateSummary           read      read     worker worker worker login    worker read    read
updateValidation        read      read     worker worker worker login    worker read    read
updateWorkerTask        login     worker   worker worker worker login    worker login   token
"""
OPEN = """
                        anonymous stranger ro     rw     admin  reviewer site   revoked other
addMetadata             login     write    write  ok     ok     login    ok     login   token
cacheClear              login     site     site   site   site   login    ok     login   token
createDataset           login     ok       ok     ok     ok     login    ok     login   token
createGitEvent          login     write    write  ok     ok     login    ok     login   token
createReviewer          login     admin    admin  admin  ok     login    ok     login   token
createSnapshot          login     write    write  ok     ok     login    ok     login   token
deleteDataset           login     admin    admin  admin  kept   login    kept   login   token
deleteFiles             login     write    write  ok     ok     login    ok     login   token
deleteReviewer          login     admin    admin  admin  ok     login    ok     login   token
deleteSnapshot          login     admin    admin  admin  admin  login    ok     login   token
deprecateSnapshot       login     write    write  ok     ok     login    ok     login   token
finishUpload            absent    absent   absent absent ok     absent   absent absent  absent
fsckDataset             login     write    write  ok     ok     login    ok     login   token
prepareRepoAccess       login     ok       ok     ok     ok     login    ok     login   token
prepareUpload           login     write    write  ok     ok     login    ok     login   token
publishDataset          login     admin    admin  admin  ok     login    ok     login   token
removePermissions       login     admin    admin  admin  ok     login    ok     login   token
removeUser              login     site     site   site   site   login    ok     login   token
resetDraft              login     write    write  ok     ok     login    ok     login   token
revalidate              login     write    write  ok     ok     login    ok     login   token
setAdmin                login     site     site   site   site   login    ok     login   token
setBlocked              login     site     site   site   site   login    ok     login   token
starDataset             login     ok       ok     ok     ok     login    ok     login   token
undoDeprecateSnapshot   login     write    write  ok     ok     login    ok     login   token
updateContributors      login     write    write  ok     ok     login    ok     login   token
updateDescription       login     write    write  ok     ok     login    ok     login   token
updateDescriptionList   login     write    write  ok     ok     login    ok     login   token
updateFileCheck         login     worker   worker worker worker login    worker login   token
updateOrcidPermissions  login     admin    admin  admin  ok     login    ok     login   token
updatePermissions       login     admin    admin  admin  ok     login    ok     login   token
updatePublic            login     admin    admin  admin  ok     login    ok     login   token
updateReadme            login     write    write  ok     ok     login    ok     login   token
updateSummary           login     worker   worker worker worker login    worker login   token
updateValidation        login     worker   worker worker worker login    worker login   token
updateWorkerTask        login     worker   worker worker worker login    worker login   token
"""
EMAIL = "a@example.org"
ORCID = "0000-0002-1825-0097"
# What each asks for, of a dataset `$id`.
DOCUMENTS = {
    "addMetadata": 'addMetadata(datasetId: $id, metadata: {datasetId: $id, species: "Mouse"}) { species }',
    "createDataset": "createDataset(affirmedDefaced: true) { id }",
    "createReviewer": "createReviewer(datasetId: $id) { id }",
    "createSnapshot": 'createSnapshot(datasetId: $id, tag: "2.0.0") { id }',
    "deleteDataset": "deleteDataset(id: $id)",
    "deleteFiles": 'deleteFiles(datasetId: $id, files: [{path: "README"}])',
    "deleteReviewer": "deleteReviewer(datasetId: $id, id: LINK) { id }",
    "deleteSnapshot": 'deleteSnapshot(datasetId: $id, tag: "1.0.0")',
    "deprecateSnapshot": 'deprecateSnapshot(datasetId: $id, tag: "1.0.0", reason: "Wrong.") { id }',
    "finishUpload": 'finishUpload(uploadId: "begun")',
    "prepareRepoAccess": "prepareRepoAccess(datasetId: $id) { token }",
    "prepareUpload": 'prepareUpload(datasetId: $id, uploadId: "another") { token }',
    "publishDataset": "publishDataset(datasetId: $id)",
    "removePermissions": 'removePermissions(datasetId: $id, userId: "VIEWER")',
    "revalidate": 'revalidate(datasetId: $id, ref: "1.0.0")',
    "starDataset": "starDataset(datasetId: $id) { starred }",
    "undoDeprecateSnapshot": 'undoDeprecateSnapshot(datasetId: $id, tag: "1.0.0") { id }',
    "updateDescription": 'updateDescription(datasetId: $id, field: "Name", value: "Cats") { id }',
    "updateDescriptionList": 'updateDescriptionList(datasetId: $id, field: "Authors", value: ["A"]) { id }',
    "updateOrcidPermissions": f'updateOrcidPermissions(datasetId: $id, userOrcid: "{ORCID}", level: "ro") {{ id }}',
    "updatePermissions": f'updatePermissions(datasetId: $id, userEmail: "{EMAIL}", level: "ro") {{ id }}',
    "updatePublic": "updatePublic(datasetId: $id, publicFlag: true)",
    "updateReadme": 'updateReadme(datasetId: $id, value: "Cats") ',
    "cacheClear": "cacheClear(datasetId: $id)",
    "createGitEvent": 'createGitEvent(datasetId: $id, commit: "HEXSHA", reference: "refs/heads/main") { id }',
    "fsckDataset": "fsckDataset(datasetId: $id)",
    "removeUser": 'removeUser(id: "VIEWER")',
    "resetDraft": 'resetDraft(datasetId: $id, ref: "1.0.0")',
    "setAdmin": 'setAdmin(id: "VIEWER", admin: true) { id }',
    "setBlocked": 'setBlocked(id: "VIEWER", blocked: true) { id }',
    "updateContributors": 'updateContributors(datasetId: $id, newContributors: [{name: "A, B"}]) { success }',
    "updateFileCheck": 'updateFileCheck(datasetId: $id, hexsha: "1.0.0", refs: [], annexFsck: []) { hexsha }',
    "updateSummary": 'updateSummary(summary: {datasetId: $id, id: "1.0.0", size: 1, totalFiles: 1}) { id }',
    "updateValidation": """updateValidation(
        validation: {datasetId: $id, id: "1.0.0", issues: [], codeMessages: [], validatorMetadata: {}})""",
    "updateWorkerTask": 'updateWorkerTask(id: "1") { id }',
}


@dataclass(frozen=True)
class World:
    """A dataset with a version, an upload and a link of its owner's, and all who may want something of it."""

    dataset: Dataset
    viewer: User
    link: str
    commit: str
    askers: Mapping[str, Asker]

    def ask(self, who: str, document: str) -> Any:
        """What somebody is answered who sends a document, which is then undone."""
        ids = {"LINK": self.link, "VIEWER": str(self.viewer.uuid), "HEXSHA": self.commit}
        for name, value in ids.items():
            document = document.replace(name, value)
        with transaction.atomic():
            before = Change.objects.count()
            answer = self.askers[who].post(document, id=id_of(self.dataset)).json()
            is_done = verdict(answer) == "ok"
            assert is_done | (Change.objects.count() == before)
            transaction.set_rollback(True)
        return answer


def make_commit(dataset: Dataset) -> str:
    """A commit of the dataset's repository, which no worker has written; returns its hash."""
    repository = repository_of(dataset)
    told = {"author_name": "A", "author_email": EMAIL, "recorded": timezone.now(), "message": "A change"}
    return Commit.objects.create(repository=repository, at=repository.at, sha="c" * 40, annex="d" * 40, **told).sha


def make_world(worker: Worker, *, is_open: bool) -> World:
    dataset = described(make_embargoed_dataset())
    actor, other = owner_of(dataset), make_embargoed_dataset(person(dataset))
    viewer, editor = make_viewer(dataset), make_editor(dataset)
    if is_open:
        release(actor=actor, dataset=dataset)
    # Its files are validated, for which the version would wait.
    worker.run()
    publish(actor=actor, dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    owner = Asker.of(person(dataset))
    owner.ask(f'mutation {{ prepareUpload(datasetId: "{id_of(dataset)}", uploadId: "begun") {{ token }} }}')
    owner.ask(f'mutation {{ createReviewer(datasetId: "{id_of(dataset)}") {{ id }} }}')
    link, secret = make_reviewer_link(dataset)
    revoked, revoked_secret = create_token(user=person(dataset), name="revoked")
    revoke_token(user=person(dataset), token_id=revoked.pk)
    upload = owner.ask(f'mutation {{ prepareUpload(datasetId: "{id_of(other)}", uploadId: "other") {{ token }} }}')[
        "prepareUpload"
    ]["token"]
    dataset.refresh_from_db()
    askers = {
        "anonymous": Asker(),
        "stranger": Asker.of(make_user()),
        "ro": Asker.of(viewer),
        "rw": Asker.of(editor),
        "admin": owner,
        "reviewer": Asker(secret),
        "site": Asker.of(make_admin()),
        "revoked": Asker(revoked_secret),
        "other": Asker(upload),
    }
    commit = make_commit(dataset)
    return World(dataset, viewer, str(link.pk), commit, askers)


@pytest.fixture(scope="module", autouse=True)
def worlds(made_once: MadeOnce[dict[str, World]]) -> dict[str, World]:
    """A private world and an open one."""
    return made_once(
        lambda worker: {"private": make_world(worker, is_open=False), "open": make_world(worker, is_open=True)}
    )


def rows_of(table: str) -> dict[str, dict[str, str]]:
    heading, *rows = (line.split() for line in table.strip().splitlines())
    return {name: dict(zip(heading, cells, strict=True)) for name, *cells in rows}


def verdict(answer: dict[str, Any]) -> str:
    if "errors" not in answer:
        return "ok"
    [error] = answer["errors"]
    return SAID.get(error["message"], error["message"])


TABLES = {"private": rows_of(PRIVATE), "open": rows_of(OPEN)}


@pytest.mark.parametrize("name", sorted(BUILT))
@pytest.mark.parametrize("state", TABLES)
def test_mutation_is_for_whom_the_table_says(
    worlds: dict[str, World], state: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", timedelta(0))
    world = worlds[state]
    prepare(world, name)
    # One of all calls an id a text.
    type_ = "String!" if name == "updateContributors" else "ID!"
    variables = f"($id: {type_})" if "$id" in DOCUMENTS[name] else ""
    asked = f"mutation{variables} {{ {DOCUMENTS[name]} }}"
    assert {who: verdict(world.ask(who, asked)) for who in PEOPLE} == TABLES[state][name]


def prepare(world: World, name: str) -> None:
    """Have files of an upload received, which is then finished."""
    if name == "finishUpload":
        session = UploadSession.objects.get(dataset=world.dataset, name="begun")
        receive_file(actor=owner_of(world.dataset), session=session, path="a", length=1, chunks=[b"a"])


@pytest.mark.parametrize("name", sorted(set(FACTS["types"]["Mutation"]["fields"]) - BUILT))
def test_mutation_that_is_not_built_says_so_to_everybody(worlds: dict[str, World], name: str) -> None:
    answers = [worlds["private"].ask(who, document_of(name)) for who in PEOPLE]
    assert {answer["errors"][0]["extensions"]["code"] for answer in answers} == {"NOT_IMPLEMENTED"}


def document_of(name: str) -> str:
    """A document of one mutation, with some value for each argument that it must have."""
    fact = FACTS["types"]["Mutation"]["fields"][name]
    required = {each: type_ for each, type_ in fact["args"].items() if type_.endswith("!")}
    given = ", ".join(f"{each}: {literal_of(type_)}" for each, type_ in required.items())
    below = " { __typename }" if fact["type"].strip("[]!") in FACTS["types"] else ""
    return f"mutation {{ {name}{f'({given})' if given else ''}{below} }}"


def literal_of(type_: str) -> str:
    """Some value of a type that must be there."""
    bare = type_.removesuffix("!")
    if bare.startswith("["):
        return "[]"
    if bare in FACTS["enums"]:
        return str(FACTS["enums"][bare][0])
    if bare in FACTS["inputs"]:
        fields = {name: of for name, of in FACTS["inputs"][bare].items() if of.endswith("!")}
        return f"{{{', '.join(f'{name}: {literal_of(of)}' for name, of in fields.items())}}}"
    return {"Boolean": "true", "Int": "1", "BigInt": "1"}.get(bare, '"1"')


# Of what not everybody is told: the levels of people, the owner's address, links of reviewers, pending uploads; and
# whether the commits are told, which name people.
TOLD_OF_PRIVATE = """
           levels       address links uploads history
anonymous  -            -       -     -       read
stranger   -            -       -     -       read
ro         admin,ro     no      0     0       ok
rw         admin,rw     no      0     0       ok
admin      admin,ro,rw  yes     2     1       ok
reviewer   none         no      0     0       names
site       admin,ro,rw  yes     2     0       ok
revoked    -            -       -     -       read
other      -            -       -     -       read
"""
TOLD_OF_OPEN = """
           levels       address links uploads history
anonymous  admin        no      0     0       ok
stranger   admin        no      0     0       ok
ro         admin,ro     no      0     0       ok
rw         admin,rw     no      0     0       ok
admin      admin,ro,rw  yes     2     1       ok
reviewer   admin        no      0     0       ok
site       admin,ro,rw  yes     2     0       ok
revoked    admin        no      0     0       ok
other      admin        no      0     0       ok
"""
FIELDS = """query($id: ID!) { dataset(id: $id) { uploader { email } permissions { userPermissions { level } }
  reviewers { id } draft { uploads { id } } } }"""
HISTORY = "query($id: ID!) { dataset(id: $id) { history { id authorName authorEmail } } }"


@pytest.mark.parametrize(("state", "table"), [("private", TOLD_OF_PRIVATE), ("open", TOLD_OF_OPEN)])
def test_private_fields_are_for_whom_the_table_says(worlds: dict[str, World], state: str, table: str) -> None:
    world = worlds[state]
    assert {who: told_of(world, who) for who in PEOPLE} == rows_of(table)


def told_of(world: World, who: str) -> dict[str, str]:
    history = verdict(world.ask(who, HISTORY))
    found = (world.ask(who, FIELDS)["data"] or {}).get("dataset")
    if not found:
        return dict.fromkeys(("levels", "address", "links", "uploads"), "-") | {"history": history}
    levels = sorted(each["level"] for each in found["permissions"]["userPermissions"])
    return {
        "levels": ",".join(levels) or "none",
        "address": "yes" if (found["uploader"] or {}).get("email") else "no",
        "links": str(len(found["reviewers"])),
        "uploads": str(len(found["draft"]["uploads"])),
        "history": history,
    }


PERSON = 'query { users(search: "{text}") { users { email blocked admin } } }'


@pytest.mark.parametrize("who", PEOPLE)
def test_people_are_found_by_their_address_by_administrators_alone(worlds: dict[str, World], who: str) -> None:
    answer = worlds["open"].ask(who, PERSON.replace("{text}", worlds["open"].viewer.email))
    found = answer["data"] and answer["data"]["users"]["users"]
    by_themselves = [{"email": worlds["open"].viewer.email, "blocked": False, "admin": False}]
    expected = {"site": by_themselves, "stranger": [], "ro": [], "rw": [], "admin": []}
    assert found == expected.get(who)
