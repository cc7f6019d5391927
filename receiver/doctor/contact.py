"""Whether a service answers at its address, and what stands in the way when it does not: told apart as whoever mends it needs it.

An address is wrong in its path when a 404, a redirect or a page comes from where an API should be; that is told from a proxy or a log-in
page by what the answer's headers say, and by whether the API answers at a neighbouring path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from receiver.doctor.site import Site
from receiver.domain.finding import Finding, problem, unknown
from receiver.domain.reason import Reason, reason
from receiver.errors import SourceError, Unreadable
from receiver.render.text import clean_line
from receiver.transport import ConnectionFailed, Http, Response, TlsFault, TlsProblem, Unreached
from receiver.transport.tls import authorities

# Headers by which proxies and gateways give themselves away. `via` alone proves nothing: load balancers send it with good answers.
PROXY_HEADERS = ("proxy-authenticate", "proxy-connection", "x-squid-error", "x-bluecoat-via", "x-zscaler-error", "via")
PROXY_STATUS = 407


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service as its settings call it. `is_answer`: whether an answer is this API's. `paths`: where else its API often stands, below
    the host. `token`, `ca`: the settings that hold them; empty where there are none.
    """

    name: str
    address: str
    is_answer: Callable[[Response], bool]
    token: str = ""
    ca: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The service's answer. `date`: its clock, as the answer's header has it."""

    response: Response
    date: datetime | None


Ask = Callable[[Http], Response]


def reach(site: Site, service: Service, http: Http, ask: Ask) -> Reached | Finding:
    """The answer to one question, or what is wrong."""
    try:
        response = ask(http)
    except ConnectionFailed as exc:
        return _unreached(site, service, http, exc)
    except SourceError as exc:
        return problem(reason("doctor.reach.failed", error=str(exc)), reason("doctor.do.address", setting=service.address))
    if service.is_answer(response):
        return Reached(response=response, date=_date(response.headers))
    return _refused(site, service, http, response, ask)


def is_json(response: Response) -> bool:
    """Whether a body is JSON, whatever it says it is."""
    try:
        response.json()
    except Unreadable:
        return False
    return True


def is_page(response: Response) -> bool:
    """Whether it is something for a browser."""
    return "html" in response.headers.get("content-type", "").lower() or response.body.lstrip()[:1] == b"<"


def _unreached(site: Site, service: Service, http: Http, exc: ConnectionFailed) -> Finding:
    if exc.tls is not None:
        return _tls(service, http, exc.tls, str(exc))
    proxies = tuple(sorted(name for name in site.own.proxies if name.upper() != "NO_PROXY"))
    if proxies and exc.at is not Unreached.BROKEN:
        return problem(
            reason("doctor.reach.failed", error=str(exc)), reason("doctor.do.not_by_proxy", setting=service.address, variables=proxies)
        )
    todo = {
        Unreached.NAME: reason("doctor.do.name", setting=service.address),
        Unreached.CONNECTION: reason("doctor.do.connection", setting=service.address),
        Unreached.TIME: reason("doctor.do.network", setting=service.address),
        Unreached.BROKEN: reason("doctor.do.protocol", setting=service.address),
    }[exc.at]
    return problem(reason("doctor.reach.failed", error=str(exc)), todo)


def _tls(service: Service, http: Http, fault: TlsFault, error: str) -> Finding:
    what: Reason = reason("doctor.reach.failed", error=error)
    match fault.problem:
        case TlsProblem.DATES:
            return _dates(service, http, what)
        case TlsProblem.UNKNOWN_CA:
            todo = reason("doctor.do.unknown_ca", setting=service.ca) if service.ca else reason("doctor.do.unknown_public_ca")
            return problem(what, todo)
        case TlsProblem.NAME:
            return problem(what, reason("doctor.do.host_name", setting=service.address))
        case TlsProblem.CA_FILE:
            return problem(what, reason("doctor.do.ca_file", setting=service.ca))
        case TlsProblem.HANDSHAKE:
            return problem(what, reason("doctor.do.handshake", setting=service.address))
        case TlsProblem.CERTIFICATE:
            return problem(what, reason("doctor.do.certificate", service=service.name))


def _dates(service: Service, http: Http, what: Reason) -> Finding:
    """An authority that has ended looks like a server's certificate that has: the file tells."""
    for name, ends in _authorities(http.config.ca_path):
        if ends < datetime.now(UTC):
            return problem(
                reason("doctor.reach.expired_ca", what=what, name=clean_line(name, 100), ends=ends, path=http.config.ca_path),
                reason("doctor.do.expired_ca", setting=service.ca),
            )
    return problem(what, reason("doctor.do.expired", service=service.name))


def _authorities(ca_path: str) -> Iterable[tuple[str, datetime]]:
    try:
        return authorities(ca_path) if ca_path else ()
    except OSError:
        return ()


def _refused(site: Site, service: Service, http: Http, response: Response, ask: Ask) -> Finding:
    status = response.status
    answered = reason("doctor.reach.status", service=service.name, origin=http.origin, status=status, said=_said(response))
    by = next((name for name in PROXY_HEADERS if name in response.headers), "")
    if status == PROXY_STATUS or (by and by != "via"):
        return problem(_proxied(service, http, response, by), reason("doctor.do.proxy", setting=service.address))
    if status == 429:
        return unknown(answered)
    if status == 401:
        return problem(answered, _about_token(service))
    if status == 403 and not is_page(response):
        return problem(answered, _about_token(service))
    if status in (404, 405) or 300 <= status < 400 or is_page(response) or status == 200:
        right = _right_path(site, service, http, response, ask)
        if right:
            what = reason("doctor.reach.wrong_path", service=service.name, origin=http.origin, path=_path(http), status=status)
            return problem(what, reason("doctor.do.path", setting=service.address, address=right))
    if by:
        return problem(_proxied(service, http, response, by), reason("doctor.do.proxy", setting=service.address))
    if is_page(response):
        what = reason(
            "doctor.reach.page", service=service.name, origin=http.origin, path=_path(http), status=status, title=_title(response)
        )
        return problem(what, reason("doctor.do.page", setting=service.address))
    if status in (404, 405):
        what = reason("doctor.reach.wrong_path", service=service.name, origin=http.origin, path=_path(http), status=status)
        return problem(what, reason("doctor.do.some_path", setting=service.address))
    if 300 <= status < 400:
        to = reason("doctor.reach.redirect", service=service.name, origin=http.origin, status=status, to=_origin_of(response, http))
        return problem(to, reason("doctor.do.redirect", setting=service.address))
    return problem(answered, reason("doctor.do.status", service=service.name))


def _about_token(service: Service) -> Reason:
    return reason("doctor.do.token", setting=service.token) if service.token else reason("doctor.do.status", service=service.name)


def _proxied(service: Service, http: Http, response: Response, by: str) -> Reason:
    told_by = f"{by}: {clean_line(response.headers[by], 80)}" if by else ""
    return reason("doctor.reach.proxy", service=service.name, origin=http.origin, status=response.status, told_by=told_by)


def _right_path(site: Site, service: Service, http: Http, response: Response, ask: Ask) -> str:
    """An address near this one at which the API answers; empty when none does."""
    for path in dict.fromkeys((*_redirected(response, http), "", *_parents(_path(http)), *service.paths)):
        if path == _path(http) or site.deadline.is_over:
            continue
        other = Http(replace(http.config, base_url=f"{_with_login(http)}{path}", read_timeout_s=min(3.0, site.question_s or 0.1)))
        try:
            if service.is_answer(ask(other)):
                return f"{http.origin}{path}"
        except SourceError:
            continue
        finally:
            other.close()
    return ""


def _with_login(http: Http) -> str:
    """Scheme and host of the address with whatever user and password it holds: to ask, never to show."""
    parts = urlsplit(http.config.base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _redirected(response: Response, http: Http) -> tuple[str, ...]:
    """The first part of where a redirect of this host leads: `/prometheus` of `/prometheus/graph`."""
    to = urlsplit(urljoin(f"{http.origin}/", response.headers.get("location", "")))
    first = to.path.strip("/").partition("/")[0]
    return (
        (f"/{first}",) if first and f"{to.scheme}://{to.netloc}" == http.origin and first not in ("graph", "query", "login", "api") else ()
    )


def _parents(path: str) -> tuple[str, ...]:
    """`/a` of `/a/b`."""
    parts = path.strip("/").split("/")
    return tuple("/" + "/".join(parts[:n]) for n in range(len(parts) - 1, 0, -1))


def _path(http: Http) -> str:
    return urlsplit(http.config.base_url).path.rstrip("/")


def _origin_of(response: Response, http: Http) -> str:
    """Where it leads, without what may be a secret."""
    to = urlsplit(urljoin(f"{http.origin}/", response.headers.get("location", "")))
    return clean_line(f"{to.scheme}://{to.hostname or ''}{to.path}", 120)


def _said(response: Response) -> str:
    """The beginning of a body that is no page."""
    if is_page(response):
        return ""
    return clean_line(response.body[:400].decode("utf-8", "replace"), 120)


def _title(response: Response) -> str:
    """The page's title: it says whose page it is."""
    text = response.body[:4096].decode("utf-8", "replace")
    lower = text.lower()
    begin, end = lower.find("<title>"), lower.find("</title>")
    return clean_line(text[begin + len("<title>") : end], 80) if 0 <= begin < end else ""


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        at = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
