"""How the text of a setting becomes a value. Each parser raises ValueError with what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from receiver.domain.units import parse_bytes, parse_duration_s
from receiver.domain.weekly import DAY_NAMES, WeeklyTime
from receiver.errors import ConfigError
from receiver.promql.selectors import parse_matchers


def text(value: object) -> str:
    """Any single value, as text without blanks around it."""
    if isinstance(value, (dict, list)):
        raise ValueError("expected one value, not a list or mapping")
    return str(value).strip()


def one_of(*words: str) -> Callable[[object], str]:
    """A parser for a closed choice."""

    def parse(value: object) -> str:
        word = text(value).lower()
        if word not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return word

    return parse


def duration_s(value: object) -> float:
    """A positive duration in seconds."""
    seconds = parse_duration_s(value if isinstance(value, (int, float)) else text(value))
    if not 0 < seconds < float("inf"):
        raise ValueError("expected a duration above zero, for example 10s, 30m or 24h")
    return seconds


def durations_s(value: object) -> tuple[float, ...]:
    """Durations above zero, parted by commas, the shortest first; empty for none."""
    words = value if isinstance(value, list) else [w for w in text(value).split(",") if w.strip()]
    return tuple(sorted({duration_s(w if isinstance(w, (int, float)) else str(w).strip()) for w in words}))


def pace_s(value: object) -> float:
    """A duration that may be zero."""
    seconds = parse_duration_s(value if isinstance(value, (int, float)) else text(value))
    if not 0 <= seconds < float("inf"):
        raise ValueError("expected a duration, for example 1.1s")
    return seconds


def ttl_s(value: object) -> float:
    """For how long a lease is valid: long enough to be renewed over a network, short enough that somebody still waits."""
    seconds = pace_s(value)
    if not 2 <= seconds <= 300:
        raise ValueError("expected a duration from 2s to 5m, for example 15s")
    return seconds


def size_bytes(value: object) -> int:
    """A size: `16 MiB`, `16Mi`, `16777216`."""
    cleaned = re.sub(r"\s+", "", text(value)).removesuffix("B")
    try:
        n_bytes = parse_bytes(cleaned)
    except ValueError:
        raise ValueError("expected a size, for example 16 MiB") from None
    if n_bytes <= 0:
        raise ValueError("expected a size above zero, for example 16 MiB")
    return n_bytes


def count(value: object) -> int:
    """A whole number above zero."""
    try:
        number = int(text(value))
    except ValueError:
        raise ValueError("expected a whole number") from None
    if number < 1:
        raise ValueError("expected a whole number above zero")
    return number


def url(value: object) -> str:
    """An http(s) URL without a slash at its end; empty for none."""
    cleaned = text(value).rstrip("/")
    if not cleaned:
        return ""
    parts = urlsplit(cleaned)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected a URL that starts with http:// or https://")
    try:
        _ = parts.port
    except ValueError:  # its text would show what stands there: of a password with a slash, the beginning
        raise ValueError("expected a URL whose port is a number, and whose password has / ? # and @ percent-encoded") from None
    return cleaned


def without_password(address: str) -> str:
    """An address as it may be shown: `http://user:****@host`. In doubt too much is hidden."""
    head, at, host = address.rpartition("@")
    if not at:
        return address
    scheme, slashes, credentials = head.rpartition("://") if "://" in head else ("", "", head)
    user, colon, _ = credentials.partition(":")
    if not colon and "/" in credentials:  # an @ in the path
        return address
    return f"{scheme}{slashes}{user if colon else ''}{colon}****@{host}"


def weekly_time(value: object) -> WeeklyTime | None:
    """A moment of every week in UTC, `Mon 09:00`; None for none."""
    cleaned = text(value)
    if not cleaned:
        return None
    found = re.fullmatch(r"([A-Za-z]{3,9})\s+([0-9]{1,2}):([0-9]{2})", cleaned)
    day = next((i for i, name in enumerate(DAY_NAMES) if found and found[1].lower() == name.lower()), None)
    if found is None or day is None or int(found[2]) > 23 or int(found[3]) > 59:
        raise ValueError("expected a day and a time in UTC, for example Mon 09:00")
    return WeeklyTime(day=day, minute=int(found[2]) * 60 + int(found[3]))


def listen(value: object) -> str:
    """An address to listen on, `host:port`; IPv6 in brackets. An empty host means all addresses."""
    cleaned = text(value)
    host, separator, port = cleaned.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise ValueError("expected host:port, for example 127.0.0.1:8080 or [::1]:8080")
    return f"{host or '0.0.0.0'}:{port}"  # noqa: S104  # said on purpose, and refused without a token


def headers(value: object) -> dict[str, str]:
    """HTTP headers: a mapping, or `Name: value` one a line."""
    if isinstance(value, dict):
        return {str(k): str(v) for k, v in value.items()}
    result = {}
    for line in text(value).splitlines():
        if not line.strip():
            continue
        name, separator, content = line.partition(":")
        if not separator or not re.fullmatch(r"[A-Za-z0-9-]+", name.strip()):
            raise ValueError("expected one header a line, for example X-Scope-OrgID: team-a")
        result[name.strip()] = content.strip()
    return result


def parameters(value: object) -> dict[str, str]:
    """Parameters of a query: a mapping, or `name=value` one a line."""
    if isinstance(value, dict):
        return {str(k): str(v) for k, v in value.items()}
    result = {}
    for line in filter(None, (part.strip() for part in text(value).splitlines())):
        name, separator, content = line.partition("=")
        if not separator or not re.fullmatch(r"[\w.\[\]-]+", name.strip()):
            raise ValueError("expected one parameter a line, for example max_source_resolution=5m")
        result[name.strip()] = content.strip()
    return result


def matchers(value: object) -> str:
    """Label matchers as they stand between the braces of a PromQL selector; empty for none."""
    cleaned = text(value).removeprefix("{").removesuffix("}").strip().strip(",").strip()
    try:
        parse_matchers(cleaned)
    except ConfigError:
        raise ValueError('expected PromQL matchers, for example cluster="prod",env!="test"') from None
    return cleaned


def networks(value: object) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks, parted by commas; empty for none. Never all of them: then anybody could say who they are."""
    words = [str(w).strip() for w in (value if isinstance(value, (list, tuple)) else text(value).split(",")) if str(w).strip()]
    try:
        found = tuple(ip_network(word) for word in words)
    except ValueError:
        raise ValueError("expected addresses and networks parted by commas, for example 10.0.3.7,10.1.0.0/16") from None
    if any(not network.prefixlen for network in found):
        raise ValueError("expected networks that hold a proxy and not every address: with /0 anybody could say who they are")
    return found


def header_name(value: object) -> str:
    """The name of an HTTP header."""
    word = text(value)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", word):
        raise ValueError("expected the name of a header, for example X-Forwarded-User")
    return word


def slack_channel(value: object) -> str:
    """A channel ID, or a name with or without `#` (resolved at start)."""
    cleaned = text(value).removeprefix("#")
    if cleaned and not re.fullmatch(r"[\w.-]{1,80}", cleaned):
        raise ValueError("expected a channel ID such as C0123456789")
    return cleaned


def log_level(value: object) -> str:
    """A level of the standard library's logging."""
    word = text(value).upper()
    if word not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("expected one of DEBUG, INFO, WARNING, ERROR")
    return word
