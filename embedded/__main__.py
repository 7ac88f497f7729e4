"""The command line: `python -m embedded run | exec | env`."""

import argparse
import os
import shlex
import sys

from .home import Home
from .keeper import keep
from .processes import EmbeddedError
from .session import execute, execute_in_throwaway_home
from .supervisor import interrupt_on_signals

DESCRIPTION = "Runs the archive on this machine, with a Postgres, a Valkey and an S3 store of its own."
EPILOGUE = """\
environment:
  ARCHIVE_HOME    the folder that everything is kept in (default: .archive in the project's folder)
  PORT            where the archive listens (default: 8000)
  DATABASE_URL, REDIS_URL, S3_ENDPOINT_URL or AWS_ACCESS_KEY_ID
                  use this Postgres, Valkey or Redis, or S3 store, and do not start one
"""


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    options = _parser().parse_args()
    if options.kept:
        keep()
    interrupt_on_signals()
    try:
        return _dispatch(options)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if options.action == "run" else 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m embedded",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--kept",
        action="store_true",
        help="stop when the process that started this one is gone, and leave no process behind, not even when killed",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("run", help="run the archive until Ctrl-C")
    actions.add_parser("env", help="print `export` lines for the archive that runs in ARCHIVE_HOME")
    execution = actions.add_parser(
        "exec",
        help="run a command beside the services: those that run already, or its own",
        usage="%(prog)s [--throwaway] -- COMMAND...",
    )
    execution.add_argument(
        "--throwaway",
        action="store_true",
        help="start services in a new folder, faster and not safe against a power cut, and delete it afterwards",
    )
    execution.add_argument("command", nargs="+", metavar="COMMAND")
    return parser


def _dispatch(options: argparse.Namespace) -> int:
    action: str = options.action
    command: list[str] = getattr(options, "command", [])
    url = os.environ.get("ARCHIVE_URL") or f"http://127.0.0.1:{_port()}"
    home = Home.from_environment()
    if action == "run":
        from .archive import run

        run(home, _port(), url)
        return 0
    if action == "env":
        return _print_environment(home)
    if options.throwaway:
        return execute_in_throwaway_home(command)
    return execute(home, command, url)


def _print_environment(home: Home) -> int:
    shared = home.environment()
    if shared is None:
        raise EmbeddedError(f"No archive is running in {home.folder}; `make run` starts one.")
    for name, value in shared.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise EmbeddedError(f"PORT is {text!r}, which is no port number.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
