"""Options that several commands have. Imports nothing: parsing a command line costs no memory."""

from __future__ import annotations

import argparse

from receiver.cli.terminal import COLOR_CHOICES


def add_config(parser: argparse.ArgumentParser) -> None:
    """`--config FILE`."""
    parser.add_argument("--config", metavar="FILE", help="YAML file with settings, default $OOMTRIAGE_CONFIG; the environment wins over it")


def add_color(parser: argparse.ArgumentParser) -> None:
    """`--color WHEN`."""
    parser.add_argument(
        "--color",
        choices=COLOR_CHOICES,
        default="auto",
        help="colours: auto is a terminal without NO_COLOR, or FORCE_COLOR (default: auto)",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """`-o text|json|slack` and `-v`."""
    parser.add_argument("-o", "--output", choices=("text", "json", "slack"), default="text", help="what to print (default: text)")
    parser.add_argument("-v", "--verbose", action="store_true", help="with text: every number behind the verdict")
