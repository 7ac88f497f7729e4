"""Uploading many files: prepare, receive each, and put all of them into the draft together."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from archive import paths
from archive.accounts.policy import Action, Actor, require
from archive.assets.services import MAX_BATCH, BatchFile, take_batch
from archive.blobs.services import keep_stream, require_sender
from archive.datasets.models import Dataset
from archive.errors import ConflictError, InvalidError, NotFoundError
from archive.uploads.fingerprints import Naming, fingerprint, is_fingerprint
from archive.uploads.models import UploadedFile, UploadSession
from archive.uploads.queries import stale_sessions

__all__ = ["Naming", "end_stale_sessions", "finish_upload", "prepare_upload", "receive_file"]

SHOWN = 10
# The one file with a dot that is sent in earnest.
KEPT_DOTFILE = ".bidsignore"
_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)


def prepare_upload(*, actor: Actor, dataset: Dataset, upload_id: str) -> UploadSession:
    """Return the actor's session of that name: the one to go on with, or a new one."""
    user = require_sender(actor, dataset)
    if not _NAME.fullmatch(upload_id):
        raise InvalidError("An upload is named by 1 to 100 letters, digits, dots, dashes and underscores.")
    session, is_new = UploadSession.objects.get_or_create(dataset=dataset, user=user, name=upload_id, finished=None)
    if not is_new:
        _touch(session)
    return session


def receive_file(
    *, actor: Actor, session: UploadSession, path: str, length: int | None, chunks: Iterable[bytes]
) -> UploadedFile:
    """Keep a file of a session; returns it with its content, or without, if it is one that is skipped.

    What comes is read to its end in any case. When less comes than was announced, or more, InvalidError is raised, and
    the file counts as missing.
    """
    require_sender(actor, session.dataset)
    _require_going_on(actor, session)
    if _is_dotfile(path):
        return _skip(actor, session, path, chunks)
    paths.check_path(path, field="path")
    _note(actor, session, path, {"size": length, "blob": None})
    blob = keep_stream(actor=actor, dataset=session.dataset, length=length, chunks=chunks)
    return _note(actor, session, path, {"size": blob.size, "blob": blob})


def _note(actor: Actor, session: UploadSession, path: str, values: Mapping[str, Any]) -> UploadedFile:
    """Note what is known of a file, unless the session has been finished meanwhile."""
    with transaction.atomic():
        held = UploadSession.objects.select_for_update().get(pk=session.pk)
        _require_going_on(actor, held)
        file, _ = held.files.update_or_create(path=path, defaults=values)
        _touch(held)
    return file


def _require_going_on(actor: Actor, session: UploadSession) -> None:
    if session.user_id != actor.user_id:
        raise NotFoundError("There is no such upload: prepare it first.")
    if session.finished:
        raise ConflictError("This upload is finished; prepare another.")


def _is_dotfile(path: str) -> bool:
    """Return whether a file is skipped: clients send what is hidden on their disk, and git's own folders."""
    parts = path.split("/")
    return path != KEPT_DOTFILE and not {"", ".", ".."} & {*parts} and any(part.startswith(".") for part in parts)


def _skip(actor: Actor, session: UploadSession, path: str, chunks: Iterable[bytes]) -> UploadedFile:
    # What must not be a name here may be one that is skipped, but for what nobody can write down.
    paths.check_path(re.sub(r"(^|/)\.", r"\1_", path), field="path")
    return _note(actor, session, path, {"size": _drained(chunks), "is_skipped": True})


def _drained(chunks: Iterable[bytes]) -> int:
    """Read all that comes; returns how many bytes those were."""
    return sum(len(chunk) for chunk in chunks)


def _touch(session: UploadSession) -> None:
    UploadSession.objects.filter(pk=session.pk).update(modified=timezone.now())


def finish_upload(*, actor: Actor, session: UploadSession, naming: Naming | None) -> None:
    """Put the files of a session into the draft, and end the session; nothing if that was done before.

    They are one change, or one for each MAX_BATCH files, in one transaction. Raises InvalidError while files are
    missing: some that were begun and have no content, or as the name says, if it was made of the files by `naming`.
    """
    require(actor, Action.CHANGE_DRAFT, session.dataset)
    if session.user_id != actor.user_id:
        raise NotFoundError("There is no such upload: prepare it first.")
    with transaction.atomic():
        held = UploadSession.objects.select_for_update().get(pk=session.pk)
        if held.finished:
            return
        files = list(held.files.select_related("blob").order_by("path"))
        _require_all(files, held.name, naming)
        _take(actor, session, files)
        held.finished = timezone.now()
        held.save(update_fields=["finished", "modified"])


def _require_all(files: Sequence[UploadedFile], name: str, naming: Naming | None) -> None:
    missing = [file.path for file in files if file.blob is None and not file.is_skipped]
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
        raise InvalidError(f"{len(missing)} of the {len(files)} files of this upload are missing: {shown}")
    if not files:
        raise InvalidError("No file of this upload has come.")
    if naming is None or not is_fingerprint(name):
        return
    if fingerprint(naming, [(file.path, file.size or 0) for file in files]) != name:
        raise InvalidError(f"Files of this upload are missing: these {len(files)} are not all. Send the rest.")


def _take(actor: Actor, session: UploadSession, files: Sequence[UploadedFile]) -> None:
    put = [BatchFile(file.path, sha256=file.blob.sha256 or "") for file in files if file.blob]
    for start in range(0, len(put), MAX_BATCH):
        key = f"upload {session.pk} {start}"
        take_batch(actor=actor, dataset=session.dataset, put=put[start : start + MAX_BATCH], key=key)


def end_stale_sessions() -> None:
    """End the sessions that nobody has touched for long; their content is then collected, if nothing else has it."""
    stale_sessions().delete()
