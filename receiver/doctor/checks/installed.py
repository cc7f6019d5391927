"""The settings themselves, and what of them can be told to be missing without asking anybody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem
from receiver.domain.reason import reason


def settings(site: Site) -> Iterator[Finding]:
    """Each setting that would stop `serve`, in the words in which it would say so."""
    seen: Counter[str] = Counter()
    for text in site.own.problems:
        key = _key(text)
        seen[key] += 1
        part = f"{key} {seen[key]}".strip() if seen[key] > 1 else key
        yield problem(reason("doctor.settings.refused", error=text), reason("doctor.do.setting"), part=part)
    if not site.own.problems:
        yield ok(reason("doctor.settings.ok"))


def _key(text: str) -> str:
    """The key that a message begins with: the part of the line's id; nothing where it begins with something else."""
    found = re.match(r"[A-Z][A-Z_]{3,}\b|[a-z]+(?:_[a-z]+)+[\w.\[\]]*", text)
    return found[0] if found else ""


def webhook(site: Site) -> Iterator[Finding]:
    """Alertmanager's way in, and people's way to pages and actions."""
    own = site.own
    if own.is_loopback:
        yield advice(reason("doctor.webhook.loopback", listen=own.listen), reason("doctor.do.listen"))
    elif not own.has_webhook_token:
        yield advice(reason("doctor.webhook.open", listen=own.listen), reason("doctor.do.webhook_token"))
    else:
        yield ok(reason("doctor.webhook.ok", listen=own.listen))
    if not own.is_loopback and not own.has_admin_token:
        yield advice(reason("doctor.webhook.no_admin_token"), reason("doctor.do.admin_token"), part="ADMIN_TOKEN")
    if not own.public_url:
        yield advice(reason("doctor.webhook.no_public_url"), reason("doctor.do.public_url"), part="PUBLIC_URL")
