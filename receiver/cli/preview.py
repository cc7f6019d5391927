"""`oomtriage preview`: every kind of message as your templates make it, and the templates that are broken."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from receiver.app.files import slack_loader
from receiver.case import facts_of
from receiver.cli.arguments import add_config
from receiver.cli.diagnose import read_case
from receiver.cli.shared import settings_for
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.incident import Message
from receiver.errors import ConfigError
from receiver.render.environment import broken_templates, slack_environment
from receiver.render.renderer import Renderer, standalone_view
from receiver.render.samples import Sample, sample_inventory, sample_storm, samples

BROKEN = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The messages of one sample."""

    name: str
    messages: tuple[Message, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--case", metavar="CASE.json", help="show this saved case instead of made-up samples")
    parser.add_argument("--templates", metavar="DIR", default="", help="folder with your templates (default: TEMPLATES_DIR)")
    parser.add_argument("-o", "--output", choices=("text", "slack"), default="text", help="what to print (default: text)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING")
    folder = arguments.templates or settings.templates_dir
    if folder and not Path(folder).is_dir():
        raise ConfigError(f"there is no folder of templates at {folder}")
    environment = slack_environment(slack_loader(folder))
    broken = broken_templates(environment)
    renderer = Renderer(environment, slack_environment(slack_loader()), on_broken=broken.setdefault)
    for shown in _shown(renderer, _case(arguments.case) if arguments.case else None):
        _print(renderer, shown, output=arguments.output)
    _tell(broken, folder, output=arguments.output)
    return BROKEN if broken else 0


def _case(path: str) -> Sample:
    report = diagnose(facts_of(read_case(path)))
    return Sample(name=Path(path).name, view=standalone_view(report), report=report)


def _shown(renderer: Renderer, case: Sample | None) -> Iterator[Shown]:
    for sample in (case,) if case is not None else samples():
        yield Shown(name=sample.name, messages=renderer.incident(sample.view, sample.report))
    first = case or samples()[0]
    yield Shown(name=f"{first.name}, for a sink without threads", messages=(renderer.single(first.view, first.report),))
    yield Shown(name=f"{first.name}, a later state", messages=(renderer.later(first.view, first.report),))
    if case is None:
        yield Shown(name="storm", messages=renderer.digest(sample_storm()))
        yield Shown(name="inventory", messages=renderer.digest(sample_inventory()))


def _print(renderer: Renderer, shown: Shown, *, output: str) -> None:
    if output == "slack":
        for line in renderer.slack_lines(shown.messages):
            print(json.dumps({"sample": shown.name, **line}, ensure_ascii=False))
        return
    for message in shown.messages:
        place = f"{message.slot} (reply)" if message.is_reply else message.slot
        print(f"=== {shown.name}: {place}\nlock screen: {message.text}\n\n{renderer.console(message)}\n")


def _tell(broken: dict[str, str], folder: str, *, output: str) -> None:
    """The verdict: at the end of the text, or beside the JSON lines on stderr."""
    stream = sys.stdout if output == "text" else sys.stderr
    for name, why in sorted(broken.items()):
        print(f"broken: {name}: {why}", file=stream)
    if folder:
        names = set(slack_environment(slack_loader()).list_templates())
        own = sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*.j2"))
        for name in own:
            if name not in names:
                print(f"note: {name} replaces no built-in template; only what includes it uses it", file=stream)
        if not broken:
            print(f"{len(own)} of your templates, none broken", file=stream)
