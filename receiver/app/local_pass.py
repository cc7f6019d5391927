"""How a command finds the receiver that runs beside it, and may ask it.

`serve` leaves a note in a folder that only its own user can enter: where it listens, a random word for this run, and digests of the
settings that decide what is asked where. Whoever can read it could read the receiver's secrets as well. Only the standard library:
a command that finds a note needs little else.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path

from receiver.process.own_folder import is_private, make_private, own_folder

HEADER = "X-Oomtriage-Local"  # as receiver/web/auth.py reads it, which is not imported for its size
COMPARED = (
    "kube_api_url", "kube_token_path", "kube_ca_path", "cluster_name", "prometheus_url", "prometheus_headers", "prometheus_params",
    "prometheus_matchers", "request_rate_query", "alertmanager_url", "label_names", "redaction", "templates_dir",
)  # fmt: skip
NOT_COMPARED = ("sources", "secret_paths")  # where a value came from


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPass:
    """`port`: on this host. `settings`: digests by name. `config`: the settings file that it was started with; empty for none."""

    port: int
    word: str = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)

    pid: int = 0
    config: str = ""

    def serves(self, wanted: Mapping[str, str]) -> bool:
        """Whether that receiver asks the same sources in the same way as these digests want it."""
        return all(self.settings.get(name) == digest for name, digest in wanted.items() if name in COMPARED)

    def differs_in(self, wanted: Mapping[str, str]) -> tuple[str, ...]:
        """Of all settings that a command was given, those that this receiver has otherwise, by their names."""
        return tuple(sorted(name for name, digest in wanted.items() if self.settings.get(name) != digest))


def digests(settings: object, defaults: object) -> dict[str, str]:
    """Of the settings that are not the default's, for comparing: nobody can read them out of the note."""
    names = (f.name for f in fields(defaults) if f.name not in NOT_COMPARED)  # type: ignore[arg-type]  # any dataclass
    found = {name: (_plain(getattr(settings, name)), _plain(getattr(defaults, name))) for name in names}
    return {name: hashlib.sha256(repr(value).encode()).hexdigest() for name, (value, usual) in found.items() if value != usual}


def _plain(value: object) -> object:
    """A secret itself: its repr says nothing, and two that differ must not look the same."""
    reveal = getattr(value, "reveal", None)
    return reveal() if callable(reveal) else value


def leave(port: int, settings: Mapping[str, str], *, config: str = "", folder: Path | None = None) -> tuple[LocalPass, Path | None]:
    """The pass of a receiver that starts, and its note; None where it cannot be written, and commands find no receiver then."""
    local = LocalPass(port=port, word=secrets.token_urlsafe(32), settings=settings, pid=os.getpid(), config=config)
    folder = folder or own_folder()
    note = folder / f"{port}.json"
    try:
        make_private(folder)
        note.unlink(missing_ok=True)
        handle = os.open(note, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"port": port, "word": local.word, "pid": os.getpid(), "config": config, "settings": dict(settings)}, file)
    except OSError:
        return local, None
    return local, note


def found(*, folder: Path | None = None) -> Iterator[LocalPass]:
    """The passes of receivers of this user that run here; what a killed one left behind is removed."""
    folder = folder or own_folder()
    if not is_private(folder):
        return
    for note in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(note.read_text(encoding="utf-8"))
            if not _runs(int(held["pid"])):
                note.unlink(missing_ok=True)
                continue
            yield LocalPass(
                port=int(held["port"]),
                word=str(held["word"]),
                settings=dict(held["settings"]),
                pid=int(held["pid"]),
                config=str(held.get("config") or ""),
            )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
