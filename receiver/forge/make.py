"""Which forges there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from receiver.forge.base import Forge, ForgeConfig
from receiver.forge.github import GitHub
from receiver.forge.gitlab import GitLab

KINDS: Mapping[str, Callable[[ForgeConfig], Forge]] = {"github": GitHub, "gitlab": GitLab}


def make_forge(config: ForgeConfig) -> Forge:
    """The client of the forge that a repository is at."""
    return KINDS[config.kind](config)
