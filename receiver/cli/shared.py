"""What several commands need: settings, output formats, and a report on stdout."""

from __future__ import annotations

import argparse
import json
import sys

from receiver.app.build import make_renderer
from receiver.domain.report import Report
from receiver.errors import ConfigError
from receiver.render.document import report_document
from receiver.render.renderer import standalone_view
from receiver.settings import Settings, load_settings
from receiver.settings.parsing import without_password
from receiver.telemetry import configure_logging
from receiver.transport import Http, HttpConfig


def add_config(parser: argparse.ArgumentParser) -> None:
    """`--config FILE`."""
    parser.add_argument("--config", metavar="FILE", help="YAML file with settings; the environment wins over it")


def add_output(parser: argparse.ArgumentParser) -> None:
    """`-o text|json|slack` and `-v`."""
    parser.add_argument("-o", "--output", choices=("text", "json", "slack"), default="text", help="what to print (default: text)")
    parser.add_argument("-v", "--verbose", action="store_true", help="with text: every number behind the verdict")


def settings_for(arguments: argparse.Namespace, *, log_level: str = "") -> Settings:
    """Settings for a command at a terminal; logs go to stderr."""
    settings = load_settings(config_path=arguments.config)
    configure_logging(log_level or settings.log_level, is_terminal=True)
    return settings


def receiver_http(settings: Settings, url: str | None, *, read_timeout_s: float = 10.0) -> Http:
    """The running receiver at `--url`, else where LISTEN says. ConfigError for what is no address."""
    address = url or f"http://{settings.listen}"
    if not address.startswith(("http://", "https://")):
        raise ConfigError(f"--url {without_password(address)!r}: expected a URL that starts with http:// or https://")
    return Http(HttpConfig(base_url=address, name="the receiver", token=settings.admin_token.reveal(), read_timeout_s=read_timeout_s))


def print_report(report: Report, settings: Settings, *, output: str, verbose: bool) -> None:
    """A report on stdout: text for people, the document, or the Slack messages as JSON lines."""
    if output == "json":
        json.dump(report_document(report), sys.stdout, ensure_ascii=False, indent=2)
        print()
        return
    renderer = make_renderer(settings)
    if output == "text":
        print(renderer.report_text(report, verbose))
        return
    for line in renderer.slack_lines(renderer.incident(standalone_view(report), report)):
        print(json.dumps(line, ensure_ascii=False))
