"""`oomtriage diagnose CASE.json`: replay a saved case offline."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from receiver.app.build import make_renderer
from receiver.app.triage import printed
from receiver.case import facts_of
from receiver.cli.arguments import add_config, add_output
from receiver.cli.shared import settings_for
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case, case_from_json
from receiver.errors import ConfigError, PayloadError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("case", metavar="CASE.json", help="a case that `triage --save` wrote")
    add_output(parser)
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING")
    report = diagnose(facts_of(read_case(arguments.case)))
    print(printed(report, make_renderer(settings), output=arguments.output, is_verbose=arguments.verbose))
    return 0


def read_case(path: str) -> Case:
    """A saved case. ConfigError when the file cannot be read or holds none."""
    try:
        return case_from_json(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigError(f"cannot read {path}: {exc.strerror or exc}") from exc
    except (ValueError, TypeError, AttributeError, PayloadError) as exc:
        raise ConfigError(f"{path} holds no saved case: {exc}") from exc
