"""Parsing of the command line, and what every command shares: exit codes, quiet Ctrl-C, one line for an error."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from receiver.app.release import version
from receiver.cli.examples import epilog
from receiver.cli.terminal import complain
from receiver.errors import ConfigError, ReceiverError

if TYPE_CHECKING:
    from receiver.cli.tree import Node

Formatter = argparse.RawDescriptionHelpFormatter
# name, module (with `add_arguments(parser)`), help. Only the chosen module is imported: the others cost a second.
COMMANDS = (
    ("serve", "serve", "run the receiver"),
    ("demo", "demo", "show the main job on recorded real incidents; nothing else is needed"),
    ("triage", "triage", "diagnose one pod or workload now, or list what died in a namespace"),
    ("diagnose", "diagnose", "diagnose a saved case offline"),
    ("preview", "preview", "show every kind of message as your templates make it"),
    ("classify", "classify", "judge the shape of memory series"),
    ("rules", "rules", "check or render the Prometheus rules"),
    ("doctor", "doctor", "say what is wrong with this installation, and what to do about it"),
    ("test-alert", "test_alert", "send a marked alert through the running receiver into a channel, and time each hop"),
    ("dead", "admin", "dead letters of a running receiver"),
    ("backup", "backup", "copy the state of a running receiver, or of one that is stopped, into a file"),
    ("restore", "restore", "put a backup in the place of a stopped receiver's state"),
    ("migrate-store", "migrate_store", "move the state of a stopped installation into another database"),
    ("ack", "incident", "say that somebody looks after an incident"),
    ("fixed", "incident", "say that an incident's fix is applied"),
    ("fix", "fix", "the proposed change in Git: in a checkout, or as a pull request"),
    ("tick", "incident", "tick an item of an incident's checklist, or take the tick back"),
    ("config", "config", "show the effective settings, or the route that labels would take"),
    ("completion", "completion", "print the completion script of a shell"),
)

HIDDEN = "names"  # what completion scripts call


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `oomtriage` and exit."""
    words = list(sys.argv[1:] if argv is None else argv)
    _run(parser_for(words).parse_args(words))


def parser_for(words: Sequence[str], *, is_whole: bool = False) -> argparse.ArgumentParser:
    """A parser of the whole command line; only the command that `words` begin with has its arguments, or all of them (`is_whole`)."""
    parser = argparse.ArgumentParser(
        prog="oomtriage", description="A Slack message that has already done the first twenty minutes of an OOMKilled incident.",
        formatter_class=Formatter, epilog=epilog("", "oomtriage"),
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"oomtriage {version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module, summary in COMMANDS:
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=Formatter,
            epilog=epilog(name, f"oomtriage {name}"),
        )
        command.set_defaults(command=name)
        if is_whole or name in words[:1]:
            import_module(f"receiver.cli.{module}").add_arguments(command)
    hidden = commands.add_parser(HIDDEN)
    if HIDDEN in words[:1]:
        import_module(f"receiver.cli.{HIDDEN}").add_arguments(hidden)
    return parser


def whole_tree() -> Node:
    """Every command with its options, as data."""
    from receiver.cli.tree import node_of

    return node_of(parser_for((), is_whole=True), "oomtriage")


def plugin_parser() -> argparse.ArgumentParser:
    """The parser of `kubectl oomtriage`: `oomtriage triage` under the plugin's name."""
    parser = argparse.ArgumentParser(
        prog="kubectl oomtriage",
        description="What died here, and why.",
        formatter_class=Formatter,
        epilog=epilog("triage", "kubectl oomtriage"),
    )
    parser.add_argument("--version", action="version", version=f"oomtriage {version()}")
    import_module("receiver.cli.triage").add_arguments(parser)
    return parser


def kubectl_main() -> NoReturn:
    """`kubectl oomtriage POD -n NS`: the plugin's way to `oomtriage triage`."""
    _run(plugin_parser().parse_args())


def _run(arguments: argparse.Namespace) -> NoReturn:
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigError as exc:
        code = _complain(str(exc), 2)
    except ReceiverError as exc:
        code = _complain(str(exc), 1)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BrokenPipeError:  # `oomtriage ... | head`: nobody reads any more, and that is fine
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _complain(text: str, code: int) -> int:
    complain(text)
    return code
