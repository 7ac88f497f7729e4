"""What everybody asks of the domain, about the dataset that is hidden, to see what they are told."""

from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from typing import Any

from archive.accounts import queries as accounts
from archive.accounts import services as accounts_services
from archive.accounts.models import Grant
from archive.accounts.policy import Actor
from archive.assets import queries as assets
from archive.assets import services as assets_services
from archive.audit.queries import EventFilter, asset_events
from archive.bids import queries as bids
from archive.bids import services as bids_services
from archive.bids.documents import Contributor
from archive.bids_validation import queries as verdicts
from archive.bids_validation.services import keep_issues, keep_summary, request_validation
from archive.blobs import queries as blobs
from archive.blobs import services as blobs_services
from archive.catalogue import queries as catalogue
from archive.datasets import queries as datasets
from archive.datasets import services as datasets_services
from archive.datasets.models import Version
from archive.embargo.queries import opened_by_release
from archive.embargo.services import release
from archive.fixity import queries as fixity
from archive.fixity import services as fixity_services
from archive.git_annex.keys import AnnexKey
from archive.monitor.queries import operations_report
from archive.monitor.services import report_task
from archive.publishing import queries as publishing
from archive.publishing import services as publishing_services
from archive.search import queries as search
from archive.search import services as search_services
from archive.search.queries import FileFilter
from archive.snapshots import queries as snapshots
from archive.snapshots import services as snapshots_services
from archive.uploads import queries as uploads
from archive.uploads import services as uploads_services
from archive.zarr import queries as zarr
from archive.zarr import services as zarr_services
from tests.archive.accounts.hidden import SPECIES, Hidden
from tests.factories import new_asset, valid_asset_metadata, valid_dandiset_metadata
from tests.factories.zarr import entry

Call = Callable[[Hidden, Actor], Any]
EVERYTHING = datasets.DatasetFilter(embargoed=True)

# --- What is asked ----------------------------------------------------------------------------------------------------


def _version(hidden: Hidden, actor: Actor, name: str = "draft") -> Any:
    return datasets.find_version(actor, hidden.dataset.number, name)


def _in_version(read: Callable[[Any], Any]) -> Call:
    """What is read of a version that the actor was given, of the draft and of the published one."""
    return lambda hidden, actor: [read(_version(hidden, actor, name)) for name in ("draft", hidden.version.version)]


def _page_of(page_of: Callable[..., list[Any]], version: Any, path: str) -> list[Any]:
    """The first page of the assets whose paths begin like that, by either of the queries of pages."""
    return page_of(version, assets.Filter(path=path), order="created", offset=0, limit=9)


def _compared(read: Callable[[Any], Any]) -> Call:
    return lambda hidden, actor: read(
        publishing.compare_versions(actor, hidden.dataset.number, hidden.version.version, "draft")
    )


def _of_the_dataset(function: Callable[..., Any], **arguments: Any) -> Call:
    return lambda hidden, actor: function(actor, hidden.dataset, **arguments)


def _unasked(hidden: Hidden) -> Version:
    """The draft, as a caller has it who forgot to ask."""
    return Version.objects.select_related("dataset").get(dataset=hidden.dataset, version=Version.DRAFT)


def _of_datasets(function: Callable[..., Any]) -> Call:
    return lambda hidden, actor: [*function(actor, [hidden.dataset]).values()]


READS: dict[Callable[..., Any], Call] = {
    accounts.reviewer_links_of: _of_the_dataset(accounts.reviewer_links_of),
    accounts.owners_seen_by: _of_the_dataset(accounts.owners_seen_by),
    accounts.editors_seen_by: _of_the_dataset(accounts.editors_seen_by),
    accounts.viewers_seen_by: _of_the_dataset(accounts.viewers_seen_by),
    assets.find_asset_anywhere: lambda hidden, actor: assets.find_asset_anywhere(actor, hidden.asset.asset_id),
    asset_events: lambda hidden, actor: asset_events(actor, EventFilter(), cursor=None, limit=1000),
    verdicts.verdicts_of_versions: lambda hidden, actor: [
        *verdicts.verdicts_of_versions(actor, [hidden.version]).values()
    ],
    verdicts.issues_of_file: lambda hidden, actor: verdicts.issues_of_file(actor, hidden.version, hidden.asset.path),
    verdicts.find_verdict: lambda hidden, actor: verdicts.find_verdict(actor, hidden.version),
    blobs.readable_blobs: lambda hidden, actor: blobs.readable_blobs(actor).filter(pk=hidden.asset.blob_id),
    blobs.attachable_blobs: lambda hidden, actor: blobs.attachable_blobs(actor).filter(pk=hidden.asset.blob_id),
    blobs.attachable_blob: lambda hidden, actor: blobs.attachable_blob(actor, hidden.dataset, hidden.asset.blob_id),
    blobs.attachable_blobs_for: lambda hidden, actor: blobs.attachable_blobs_for(
        actor, hidden.dataset, [hidden.asset.blob_id]
    ),
    blobs.find_blob_by_digest: lambda hidden, actor: blobs.find_blob_by_digest(
        actor, "dandi:dandi-etag", hidden.asset.blob.etag
    ),
    blobs.find_attachable_blob: lambda hidden, actor: blobs.find_attachable_blob(actor, hidden.asset.blob.etag),
    blobs.attachable_by_etag: lambda hidden, actor: blobs.attachable_by_etag(actor, [hidden.asset.blob.etag]),
    blobs.find_annex_content: lambda hidden, actor: blobs.find_annex_content(actor, hidden.dataset, hidden.key),
    blobs.attachable_by_digest: lambda hidden, actor: blobs.attachable_by_digest(
        actor, hidden.dataset, "SHA256", [hidden.key.digest]
    ),
    blobs.uploads_of: _of_the_dataset(blobs.uploads_of),
    blobs.find_upload: lambda hidden, actor: blobs.find_upload(actor, hidden.upload.pk),
    blobs.find_finished_upload: lambda hidden, actor: blobs.find_finished_upload(actor, hidden.asset.blob_id),
    uploads.pending_sessions: _of_datasets(uploads.pending_sessions),
    uploads.find_session: lambda hidden, actor: uploads.find_session(actor, hidden.session.name),
    catalogue.page_of_datasets: lambda hidden, actor: catalogue.page_of_datasets(
        actor, catalogue.Listing(), offset=0, limit=9
    ),
    catalogue.drafts_of_datasets: _of_datasets(catalogue.drafts_of_datasets),
    catalogue.versions_of_datasets: _of_datasets(catalogue.versions_of_datasets),
    catalogue.openings_of_datasets: _of_datasets(catalogue.openings_of_datasets),
    catalogue.heads_of_datasets: _of_datasets(catalogue.heads_of_datasets),
    catalogue.members_of_datasets: _of_datasets(catalogue.members_of_datasets),
    catalogue.starred_datasets: _of_datasets(catalogue.starred_datasets),
    catalogue.hashes_of_versions: lambda hidden, actor: [
        *catalogue.hashes_of_versions(actor, [hidden.version]).values()
    ],
    catalogue.entries_in: lambda hidden, actor: catalogue.entries_in(actor, _unasked(hidden), ""),
    catalogue.find_file: lambda hidden, actor: catalogue.find_file(actor, _unasked(hidden), "platypus/a.nwb"),
    catalogue.find_keyed_content: lambda hidden, actor: catalogue.find_keyed_content(
        actor, hidden.dataset, str(hidden.key)
    ),
    datasets.readable_among: lambda hidden, actor: [*datasets.readable_among(actor, [hidden.dataset])],
    datasets.versions_seen_by: lambda hidden, actor: [*datasets.versions_seen_by(actor, [_unasked(hidden)]).values()],
    datasets.blinded_for: _in_version(lambda version: version),
    datasets.find_dataset: lambda hidden, actor: datasets.find_dataset(actor, hidden.dataset.number),
    datasets.find_named_dataset: lambda hidden, actor: datasets.find_named_dataset(actor, "Platypus-1"),
    datasets.visible_datasets: lambda hidden, actor: datasets.visible_datasets(actor),
    datasets.owned_datasets: lambda hidden, actor: datasets.owned_datasets(actor),
    datasets.page_of_versions: _of_the_dataset(datasets.page_of_versions, limit=10),
    datasets.count_versions: _of_the_dataset(datasets.count_versions),
    datasets.find_version: _in_version(lambda version: version),
    datasets.has_star: _of_the_dataset(datasets.has_star),
    datasets.filtered_datasets: lambda hidden, actor: datasets.filtered_datasets(actor, EVERYTHING),
    datasets.latest_versions: lambda hidden, actor: datasets.latest_versions(actor, [hidden.dataset]),
    datasets.latest_of: _of_the_dataset(datasets.latest_of),
    datasets.visible_jobs: lambda hidden, actor: datasets.visible_jobs(actor),
    datasets.find_job: lambda hidden, actor: datasets.find_job(actor, hidden.job.pk),
    datasets.projections_of: _of_the_dataset(datasets.projections_of),
    operations_report: lambda hidden, actor: operations_report(actor),
    opened_by_release: _of_the_dataset(opened_by_release),
    publishing.find_version_details: lambda hidden, actor: publishing.find_version_details(
        actor, hidden.dataset.number, "draft"
    ),
    publishing.compare_versions: _compared(lambda comparison: comparison),
    search.search_datasets: lambda hidden, actor: search.search_datasets(actor, EVERYTHING, "platypus"),
    search.search_datasets_by_files: lambda hidden, actor: search.search_datasets_by_files(
        actor, EVERYTHING, "", FileFilter(file_type=("application/x-nwb",))
    ),
    search.species_of: lambda hidden, actor: search.species_of(actor, "platypus"),
    search.unknown_species: lambda hidden, actor: [
        name for name in [SPECIES] if not search.unknown_species(actor, [name])
    ],
    search.genotypes_of: lambda hidden, actor: search.genotypes_of(actor, "platypus"),
    snapshots.find_annexed: lambda hidden, actor: snapshots.find_annexed(actor, hidden.annex_uuid),
    snapshots.require_commit_access: _of_the_dataset(snapshots.require_commit_access),
    snapshots.clone_state: _of_the_dataset(snapshots.clone_state),
    snapshots.page_of_version_commits: _of_the_dataset(snapshots.page_of_version_commits, offset=0, limit=10),
    snapshots.count_version_commits: _of_the_dataset(snapshots.count_version_commits),
    snapshots.newest_commits: _of_the_dataset(snapshots.newest_commits, limit=9),
    snapshots.find_commit: _of_the_dataset(snapshots.find_commit, sha="0" * 40),
    fixity.checks_of_versions: lambda hidden, actor: [*fixity.checks_of_versions(actor, [hidden.version]).values()],
    snapshots.find_content: _of_the_dataset(lambda actor, dataset: None),
    snapshots_services.find_repository: _of_the_dataset(snapshots_services.find_repository),
    zarr.visible_zarrs: lambda hidden, actor: zarr.visible_zarrs(actor),
    zarr.visible_revisions: lambda hidden, actor: zarr.visible_revisions(actor),
    zarr.find_zarr: lambda hidden, actor: zarr.find_zarr(actor, hidden.zarr.pk),
    zarr.find_view: lambda hidden, actor: zarr.find_view(actor, hidden.zarr.pk),
    zarr.find_view_to_read: lambda hidden, actor: zarr.find_view_to_read(actor, hidden.zarr.pk),
}
READS[snapshots.find_content] = lambda hidden, actor: snapshots.find_content(actor, hidden.dataset, hidden.key)

# What is read of what an actor was given: a version, a comparison, a Zarr archive.
READS |= {
    assets.find_asset: lambda hidden, actor: assets.find_asset(_version(hidden, actor), hidden.asset.asset_id),
    assets.find_asset_at: _in_version(lambda version: assets.find_asset_at(version, "platypus/NAMED.nwb")),
    assets.page_of_assets: _in_version(
        lambda version: [
            [(asset, asset.metadata) for asset in _page_of(assets.page_of_assets, version, path)]
            for path in ("", "platypus")
        ]
    ),
    assets.page_of_brief_assets: _in_version(
        lambda version: [_page_of(assets.page_of_brief_assets, version, path) for path in ("", "platypus")]
    ),
    assets.find_readme: _in_version(assets.find_readme),
    assets.page_of_children: _in_version(
        lambda version: assets.page_of_children(version, "platypus", offset=0, limit=9)
    ),
    assets.assets_among: _in_version(
        lambda version: assets.assets_among(version, assets.page_of_children(version, "platypus", offset=0, limit=9))
    ),
    bids.descriptions_of_versions: _in_version(lambda version: bids.descriptions_of_versions([version])),
    bids.contributors_of_versions: _in_version(lambda version: bids.contributors_of_versions([version])),
    bids.statements_about_datasets: lambda hidden, actor: [
        *bids.statements_about_datasets(actor, [hidden.dataset]).values()
    ],
    bids.deprecations_of_versions: _in_version(lambda version: bids.deprecations_of_versions([version])),
    publishing.problems_of_draft: lambda hidden, actor: publishing.problems_of_draft(_version(hidden, actor)),
    publishing.asset_problems: lambda hidden, actor: publishing.asset_problems(_version(hidden, actor)),
    publishing.metadata_differences: _compared(publishing.metadata_differences),
    publishing.sums_of_changes: _compared(publishing.sums_of_changes),
    publishing.page_of_changes: _compared(lambda comparison: publishing.page_of_changes(comparison, limit=9)),
    publishing.drafted_changelog: _compared(publishing.drafted_changelog),
    zarr.page_of_entries: lambda hidden, actor: zarr.page_of_entries(
        zarr.find_view_to_read(actor, hidden.zarr.pk), limit=9
    ),
}

NEW = valid_dandiset_metadata()
NEW_KEY = AnnexKey("SHA256", 3, sha256(b"new").hexdigest())
WRITES: dict[Callable[..., Any], Call] = {
    assets_services.add_asset: lambda hidden, actor: assets_services.add_asset(
        actor=actor,
        dataset=hidden.dataset,
        blob_id=hidden.asset.blob_id,
        metadata=valid_asset_metadata("b.nwb"),
    ),
    assets_services.replace_asset: lambda hidden, actor: assets_services.replace_asset(
        actor=actor,
        dataset=hidden.dataset,
        asset_id=hidden.asset.asset_id,
        blob_id=hidden.asset.blob_id,
        metadata=valid_asset_metadata("b.nwb"),
    ),
    assets_services.remove_asset: lambda hidden, actor: assets_services.remove_asset(
        actor=actor, dataset=hidden.dataset, asset_id=hidden.asset.asset_id
    ),
    assets_services.change_assets: lambda hidden, actor: assets_services.change_assets(
        actor=actor, dataset=hidden.dataset, add=[new_asset("b.nwb", hidden.asset.blob)], remove=["platypus/a.nwb"]
    ),
    assets_services.take_batch: lambda hidden, actor: assets_services.take_batch(
        actor=actor,
        dataset=hidden.dataset,
        put=[assets_services.BatchFile("b.nwb", blob_id=hidden.asset.blob_id)],
        key="1",
    ),
    assets_services.require_changeable: lambda hidden, actor: assets_services.require_changeable(actor, hidden.dataset),
    assets_services.recount_summary: lambda hidden, actor: assets_services.recount_summary(
        actor=actor, dataset=hidden.dataset
    ),
    assets_services.recount_folders: lambda hidden, actor: assets_services.recount_folders(
        actor=actor, dataset=hidden.dataset
    ),
    bids_services.update_contributors: lambda hidden, actor: bids_services.update_contributors(
        actor=actor, dataset=hidden.dataset, contributors=[Contributor("New", 1)]
    ),
    keep_issues: lambda hidden, actor: keep_issues(
        actor=actor, version=hidden.version, validator="1", issues=[], code_messages={}
    ),
    keep_summary: lambda hidden, actor: keep_summary(actor=actor, version=hidden.version, summary={"size": 1}),
    fixity_services.keep_check: lambda hidden, actor: fixity_services.keep_check(
        actor=actor, version=hidden.version, remote="", failures=[]
    ),
    fixity_services.request_check: lambda hidden, actor: fixity_services.request_check(
        actor=actor, version=hidden.version
    ),
    search_services.clear_caches: lambda hidden, actor: search_services.clear_caches(
        actor=actor, dataset=hidden.dataset
    ),
    snapshots_services.reset_draft: lambda hidden, actor: snapshots_services.reset_draft(
        actor=actor, dataset=hidden.dataset, reference=hidden.version.version
    ),
    assets_services.restore_files: lambda hidden, actor: assets_services.restore_files(
        actor=actor, dataset=hidden.dataset, point=1
    ),
    request_validation: lambda hidden, actor: request_validation(actor=actor, version=hidden.version),
    blobs_services.start_upload: lambda hidden, actor: blobs_services.start_upload(
        actor=actor, dataset=hidden.dataset, size=1, etag=f"{'0' * 32}-1"
    ),
    blobs_services.finish_upload: lambda hidden, actor: blobs_services.finish_upload(
        actor=actor, upload_id=hidden.upload.pk
    ),
    blobs_services.keep_contents: lambda hidden, actor: blobs_services.keep_contents(
        actor=actor, dataset=hidden.dataset, contents=[b"new"]
    ),
    blobs_services.keep_stream: lambda hidden, actor: blobs_services.keep_stream(
        actor=actor, dataset=hidden.dataset, length=3, chunks=[b"new"]
    ),
    blobs_services.require_sender: lambda hidden, actor: blobs_services.require_sender(actor, hidden.dataset),
    uploads_services.prepare_upload: lambda hidden, actor: uploads_services.prepare_upload(
        actor=actor, dataset=hidden.dataset, upload_id="another"
    ),
    uploads_services.receive_file: lambda hidden, actor: uploads_services.receive_file(
        actor=actor, session=hidden.session, path="another", length=3, chunks=[b"new"]
    ),
    uploads_services.finish_upload: lambda hidden, actor: uploads_services.finish_upload(
        actor=actor, session=hidden.session, naming=None
    ),
    blobs_services.received_so_far: lambda hidden, actor: blobs_services.received_so_far(
        actor=actor, dataset=hidden.dataset, key=NEW_KEY
    ),
    blobs_services.receive: lambda hidden, actor: blobs_services.receive(
        actor=actor, dataset=hidden.dataset, key=NEW_KEY, offset=0, length=3, chunks=[b"new"]
    ),
    blobs_services.clear_uploads: lambda hidden, actor: blobs_services.clear_uploads(
        actor=actor, dataset=hidden.dataset
    ),
    blobs_services.remove_sent_content: lambda hidden, actor: blobs_services.remove_sent_content(
        actor=actor, dataset=hidden.dataset, key=hidden.key
    ),
    datasets_services.update_draft: lambda hidden, actor: datasets_services.update_draft(
        actor=actor, dataset=hidden.dataset, name="Another name", metadata=NEW
    ),
    datasets_services.migrate_draft: lambda hidden, actor: datasets_services.migrate_draft(
        actor=actor, dataset=hidden.dataset
    ),
    datasets_services.set_owners: lambda hidden, actor: datasets_services.set_owners(
        actor=actor, dataset=hidden.dataset, usernames=[hidden.somebody.username]
    ),
    datasets_services.set_editors: lambda hidden, actor: datasets_services.set_editors(
        actor=actor, dataset=hidden.dataset, usernames=[hidden.somebody.username]
    ),
    datasets_services.set_viewers: lambda hidden, actor: datasets_services.set_viewers(
        actor=actor, dataset=hidden.dataset, usernames=[hidden.somebody.username]
    ),
    datasets_services.create_reviewer_link: lambda hidden, actor: datasets_services.create_reviewer_link(
        actor=actor, dataset=hidden.dataset, label="Another"
    ),
    datasets_services.revoke_reviewer_link: lambda hidden, actor: datasets_services.revoke_reviewer_link(
        actor=actor, dataset=hidden.dataset, link_id=hidden.link_id
    ),
    datasets_services.delete_dataset: lambda hidden, actor: datasets_services.delete_dataset(
        actor=actor, dataset=hidden.dataset
    ),
    datasets_services.give_role: lambda hidden, actor: datasets_services.give_role(
        actor=actor, dataset=hidden.dataset, name=hidden.somebody.username, role=Grant.Role.EDITOR
    ),
    datasets_services.take_role: lambda hidden, actor: datasets_services.take_role(
        actor=actor, dataset=hidden.dataset, user=hidden.viewer
    ),
    datasets_services.delete_version: lambda hidden, actor: datasets_services.delete_version(
        actor=actor, version=hidden.version
    ),
    datasets_services.delete_private_version: lambda hidden, actor: datasets_services.delete_private_version(
        actor=actor, version=hidden.version
    ),
    datasets_services.request_doi_registration: lambda hidden, actor: datasets_services.request_doi_registration(
        actor=actor, version=hidden.version
    ),
    bids_services.update_description: lambda hidden, actor: bids_services.update_description(
        actor=actor, dataset=hidden.dataset, field="Name", value="New"
    ),
    bids_services.add_statement: lambda hidden, actor: bids_services.add_statement(
        actor=actor, dataset=hidden.dataset, values={"species": "platypus"}
    ),
    bids_services.update_readme: lambda hidden, actor: bids_services.update_readme(
        actor=actor, dataset=hidden.dataset, text="New"
    ),
    bids_services.delete_files: lambda hidden, actor: bids_services.delete_files(
        actor=actor, dataset=hidden.dataset, names=["platypus"]
    ),
    bids_services.create_snapshot: lambda hidden, actor: bids_services.create_snapshot(
        actor=actor, dataset=hidden.dataset, tag="1.0.0"
    ),
    bids_services.deprecate_version: lambda hidden, actor: bids_services.deprecate_version(
        actor=actor, version=hidden.version, reason="Because."
    ),
    bids_services.undo_deprecation: lambda hidden, actor: bids_services.undo_deprecation(
        actor=actor, version=hidden.version
    ),
    datasets_services.set_star: lambda hidden, actor: datasets_services.set_star(
        actor=actor, dataset=hidden.dataset, starred=True
    ),
    release: lambda hidden, actor: release(actor=actor, dataset=hidden.dataset),
    publishing_services.publish: lambda hidden, actor: publishing_services.publish(actor=actor, dataset=hidden.dataset),
    publishing_services.set_version_access: lambda hidden, actor: publishing_services.set_version_access(
        actor=actor, version=hidden.version, is_closed=True
    ),
    publishing_services.cancel_job: lambda hidden, actor: publishing_services.cancel_job(actor=actor, job=hidden.job),
    publishing_services.retry_job: lambda hidden, actor: publishing_services.retry_job(actor=actor, job=hidden.job),
    snapshots_services.receiving: lambda hidden, actor: snapshots_services.receiving(
        actor=actor, dataset=hidden.dataset, request=BytesIO(b"0000")
    ),
    zarr_services.create_zarr: lambda hidden, actor: zarr_services.create_zarr(
        actor=actor, dataset=hidden.dataset, name="another.zarr"
    ),
    zarr_services.announce_entries: lambda hidden, actor: zarr_services.announce_entries(
        actor=actor, zarr_id=hidden.zarr.pk, entries=[entry("another", b"chunk")]
    ),
    zarr_services.delete_entries: lambda hidden, actor: zarr_services.delete_entries(
        actor=actor, zarr_id=hidden.zarr.pk, entry_paths=[".zattrs"]
    ),
    zarr_services.look_for_arrivals: lambda hidden, actor: zarr_services.look_for_arrivals(
        actor=actor, view=zarr.find_view_to_read(actor, hidden.zarr.pk), prefix="", after="", limit=9
    ),
    zarr_services.finalize: lambda hidden, actor: zarr_services.finalize(actor=actor, zarr_id=hidden.zarr.pk),
}

# About people and the archive, not about any dataset: who may ask at all is what there is to it.
OF_THE_ARCHIVE: dict[Callable[..., Any], Call] = {
    accounts.search_users: lambda hidden, actor: list(accounts.search_users(actor, "Zebulon")),
    accounts.page_of_people: lambda hidden, actor: accounts.page_of_people(
        actor, search="Zebulon", is_admin=None, is_active=None, offset=0, limit=9
    ),
    accounts.find_person_by_id: lambda hidden, actor: accounts.find_person_by_id(actor, str(hidden.owner.uuid)),
    accounts.users_by_need: lambda hidden, actor: list(accounts.users_by_need(actor)),
    accounts.find_user: lambda hidden, actor: accounts.find_user(actor, hidden.owner.username),
    accounts.client_usernames: lambda hidden, actor: accounts.client_usernames(actor),
    accounts.approved_users: lambda hidden, actor: list(accounts.approved_users(actor)),
    accounts.find_account: lambda hidden, actor: accounts.find_account(actor, str(hidden.owner.uuid)),
    accounts_services.set_admin: lambda hidden, actor: accounts_services.set_admin(
        actor=actor, user=hidden.somebody, is_admin=True
    ),
    accounts_services.set_blocked: lambda hidden, actor: accounts_services.set_blocked(
        actor=actor, user=hidden.somebody, is_blocked=True
    ),
    datasets_services.remove_person: lambda hidden, actor: datasets_services.remove_person(
        actor=actor, user=hidden.somebody
    ),
    report_task: lambda hidden, actor: report_task(actor=actor, task_id="1", values={}),
    accounts_services.replace_api_key: lambda hidden, actor: accounts_services.replace_api_key(actor=actor),
    accounts_services.create_own_token: lambda hidden, actor: accounts_services.create_own_token(
        actor=actor, name="laptop", scope="write", expires=None
    ),
    accounts_services.approve_user: lambda hidden, actor: accounts_services.approve_user(
        actor=actor, user=hidden.somebody
    ),
    accounts_services.reject_user: lambda hidden, actor: accounts_services.reject_user(
        actor=actor, user=hidden.somebody, reason="Because."
    ),
    datasets_services.create_dataset: lambda hidden, actor: datasets_services.create_dataset(
        actor=actor, name="New", metadata=NEW
    ),
}
