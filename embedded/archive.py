"""`run`: the whole archive on one machine, from the services to a first login."""

import os
import sys
import time
from dataclasses import replace

from .account import Account, known_account
from .home import PROJECT, Home, port_is_free
from .output import Output
from .processes import Command, EmbeddedError, end_leftovers, run_quietly
from .services import ObjectStore, answers
from .session import Session, running_services

WEB_SECONDS = 60.0


def run(home: Home, port: int, url: str) -> None:
    """Run the archive until it is interrupted.

    Raises EmbeddedError when something is in the way, and KeyboardInterrupt when it was interrupted.
    """
    with home.held("An archive", url) as mine:
        if not mine:
            raise EmbeddedError(_occupied(home))
        end_leftovers(home.processes())
        if not port_is_free(port):
            raise EmbeddedError(
                f"Port {port} is in use by another program; stop that one, or choose another port, for example "
                f"`PORT={port + 1} make run`."
            )
        _run(home, port, url)


def _run(home: Home, port: int, url: str) -> None:
    output = Output(sys.stdout)
    with running_services(home, output, os.environ, durable=True) as session:
        try:
            _open(session, port, url)
            session.supervisor.watch(until=lambda: False)
        except KeyboardInterrupt as interrupt:
            output.write("archive", f"stopping ({interrupt})")
            raise


def _open(session: Session, port: int, url: str) -> None:
    """Bring the archive from running services to the point where it can be used."""
    home = session.home
    local_url = f"http://127.0.0.1:{port}"
    _prepare(session)
    home.announce(session.shared)
    _start_processes(session, port, local_url)
    account = known_account(home)
    if account:
        _load_samples(session, account, local_url)
    session.output.write_plain(_banner(home, url, account))


def _prepare(session: Session) -> None:
    """Bring database, bucket, static files and the first account up to date with the code."""
    command = _python(session, "prepare", ["-m", "embedded.prepare"])
    code = session.supervisor.run(command)
    if code != 0:
        raise EmbeddedError(f"Preparing the database and the bucket failed with code {code}; the lines above say why.")
    session.supervisor.after_restart(ObjectStore.name, lambda: _prepare_bucket(session))


def _prepare_bucket(session: Session) -> None:
    """Set the policy of a store that was restarted: after a crash it has forgotten it."""
    deadline = time.monotonic() + WEB_SECONDS
    while not answers(f"{session.environment['S3_ENDPOINT_URL']}/_ministack/ready"):
        if time.monotonic() > deadline:
            raise EmbeddedError("The store does not answer.")
        time.sleep(0.1)
    manage = [sys.executable, str(PROJECT / "manage.py"), "prepare_bucket"]
    run_quietly(manage, environment=session.environment)


def _start_processes(session: Session, port: int, local_url: str) -> None:
    """Start web, and the others once it answers: started together they would compete for the processors."""
    live_port = session.home.port("live")
    own = {
        "ARCHIVE_LIVE_URL": f"http://127.0.0.1:{live_port}",
        "SNAPSHOT_CACHE": str(session.home.folder / "repositories"),
    }
    environment = own | session.environment
    web, *others = _processes(replace(session, environment=environment), port, live_port)
    session.supervisor.start(web)
    info = f"{local_url}/api/info/"
    deadline = time.monotonic() + WEB_SECONDS
    session.supervisor.watch(until=lambda: answers(info) or time.monotonic() > deadline)
    if not answers(info):
        session.output.write("archive", f"web does not answer at {info} yet; its lines above say why.")
    for command in others:
        session.supervisor.start(command)


def _processes(session: Session, port: int, live_port: int) -> list[Command]:
    """Return the processes of the `Procfile`, sized for one small machine."""
    web = [
        *("-m", "gunicorn", "--config", "python:dandiapi.server.options", "--bind", f"127.0.0.1:{port}"),
        *("--workers", "2", "--graceful-timeout", "8", "dandiapi.wsgi:application"),
    ]
    live = [
        *("-m", "granian", "--interface", "asgi", "--http", "1", "--host", "127.0.0.1", "--port", str(live_port)),
        *("--backpressure", "8192", "--workers", "1", "--workers-kill-timeout", "3", "dandiapi.asgi:application"),
    ]
    celery = ["-m", "celery", "--quiet", "--app", "dandiapi.celery"]
    worker = [*celery, "worker", "--queues", "quick", "--concurrency", "2", "--loglevel", "INFO"]
    bulk = [*celery, "worker", "--queues", "bulk", "--concurrency", "2", "--hostname", "bulk@%h", "--loglevel", "INFO"]
    beat = [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(session.home.folder / "beat-schedule")]
    return [
        _python(session, "web", web),
        _python(session, "live", live),
        _python(session, "worker", worker, DATABASE_POOL_SIZE="0"),
        _python(session, "bulk", bulk, DATABASE_POOL_SIZE="0"),
        _python(session, "beat", beat),
    ]


def _python(session: Session, name: str, arguments: list[str], **variables: str) -> Command:
    return Command(name, [sys.executable, *arguments], {**session.environment, **variables}, folder=PROJECT)


def _load_samples(session: Session, account: Account, local_url: str) -> None:
    """Upload the sample datasets once; if that is interrupted, the next start goes on with it."""
    if os.environ.get("ARCHIVE_SAMPLES") == "0" or session.home.read().get("samples_loaded"):
        return
    arguments = ["-m", "embedded.samples", "--api-url", f"{local_url}/api", "--token", account["token"]]
    if session.supervisor.run(_python(session, "samples", arguments)) == 0:
        session.home.remember(samples_loaded=True)
    else:
        session.output.write("archive", "The sample data could not be loaded; the next start tries again.")


def _banner(home: Home, url: str, account: Account | None) -> str:
    lines = ["", f"  The archive runs at {url} (Ctrl-C stops it)", f"  Its data lies in    {home.folder}"]
    if account:
        lines += [
            f"  Login               {account['email']}",
            f"  Password            {account['password']}",
            f"  Token               {account['token']}",
        ]
    return "\n".join([*lines, ""])


def _occupied(home: Home) -> str:
    occupant = home.occupant()
    where = f" at {occupant['url']}" if occupant["url"] else ""
    return (
        f"{occupant['what']} is already running in {home.folder}{where} (process {occupant['pid']}); stop that first."
    )
