"""The database of STORE_URL: whether a receiver can work with it, and whether one does."""

from __future__ import annotations

from collections.abc import Callable

from receiver.doctor.site import Database
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.errors import StoreError


def usable(ask: Callable[[], Database]) -> Finding:
    """Reached, logged in, written to, of a version that is known."""
    try:
        found = ask()
    except StoreError as exc:
        return problem(reason("doctor.database.away", error=str(exc)), reason("doctor.do.database"))
    if found.is_too_old:
        return problem(reason("doctor.database.too_old", version=found.version), reason("doctor.do.database_version"))
    if found.is_read_only:
        return problem(reason("doctor.database.read_only", place=found.place), reason("doctor.do.primary"))
    if found.is_newer_schema:
        return problem(reason("doctor.database.newer", place=found.place), reason("doctor.do.newer_release"))
    if not found.may_make_tables:
        return problem(reason("doctor.database.no_create", place=found.place), reason("doctor.do.database_rights"))
    return ok(reason("doctor.database.ok", place=found.place, version=found.version))


def led(ask: Callable[[], Database]) -> Finding:
    """Whether one of its receivers dispatches."""
    try:
        found = ask()
    except StoreError as exc:
        return unknown(reason("doctor.database.away", error=str(exc)))
    return ok(reason("doctor.database.led")) if found.leads else advice(reason("doctor.database.unled"), reason("doctor.do.start_receiver"))
