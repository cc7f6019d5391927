"""What stands between us and a service is told apart by what comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.doctor.contact import Reached, Service, is_json, reach
from receiver.doctor.site import Own
from receiver.domain.finding import Finding
from receiver.render.wording import say
from receiver.transport import Http, HttpConfig, Response
from tests.fakes.raw import raw_server, silent
from tests.unit.doctor.kit import site

PAGE = b"<!doctype html><html><head><title>Sign in</title></head></html>"


def is_answer(response: Response) -> bool:
    return response.status == 200 and is_json(response)


SERVICE = Service(name="the service", address="X_URL", is_answer=is_answer, token="X_TOKEN", ca="X_CA_PATH", paths=("/usual",))


class Somebody(Standin):
    """Answers as told; `api`: the path below which the service's own API is."""

    def __init__(self, reply: Reply, *, api: str | None = None) -> None:
        super().__init__()
        self._reply, self._api = reply, api

    def answer(self, asked: Asked) -> Reply:
        return json_reply({"ok": True}) if self._api is not None and asked.path == f"{self._api}/ping" else self._reply


def page(status: int, **headers: str) -> Reply:
    return Reply(status=status, body=PAGE, content_type="text/html", headers={k.replace("_", "-"): v for k, v in headers.items()})


def found(url: str, *, proxies: dict[str, str] | None = None, timeout_s: float = 5.0) -> Reached | Finding:
    http = Http(HttpConfig(base_url=url, name="the service", tries=1))
    return reach(site(Own(proxies=proxies or {})), SERVICE, http, lambda h: h.get("ping", timeout_s=timeout_s))


@pytest.mark.parametrize(
    ("reply", "path", "api", "code", "todo"),
    [
        (page(404), "/graph", "", "wrong_path", "path"),
        (page(200), "/a/b", "/a", "wrong_path", "path"),
        (Reply(status=404, body=b"404 page not found\n", content_type="text/plain"), "", "/usual", "wrong_path", "path"),
        (page(302, Location="/inside/graph"), "", "/inside", "wrong_path", "path"),
        (Reply(status=404, body=b"404 page not found\n", content_type="text/plain"), "/x", None, "wrong_path", "some_path"),
        (page(200), "", None, "page", "page"),
        (page(403), "", None, "page", "page"),
        (page(404, Via="1.1 squid"), "", None, "proxy", "proxy"),
        (page(407, Proxy_Authenticate="Basic"), "", None, "proxy", "proxy"),
        (page(503, X_Squid_Error="ERR_DNS_FAIL 0"), "/x", "", "proxy", "proxy"),
        (Reply(status=302, headers={"Location": "https://login.example/start?token=planted"}), "", None, "redirect", "redirect"),
        (json_reply({"error": "no"}, 401), "", None, "status", "token"),
        (json_reply({"error": "no"}, 403), "", None, "status", "token"),
        (json_reply({"error": "broken"}, 500), "", None, "status", "status"),
    ],
)  # fmt: skip
def test_what_came_back(reply: Reply, path: str, api: str | None, code: str, todo: str) -> None:
    """By status, kind and headers, and by whether the API is at a neighbouring path."""
    with Somebody(reply, api=api) as somebody:
        finding = found(f"{somebody.url}{path}")
        right = f"{somebody.url}{api}"

    assert isinstance(finding, Finding)
    assert (finding.state.value, finding.what.code) == ("problem", f"doctor.reach.{code}")
    assert finding.todo is not None
    assert finding.todo.code == f"doctor.do.{todo}"
    assert "planted" not in say(finding.what) + say(finding.todo)
    if todo == "path":
        assert finding.todo["address"] == right


def test_too_many_requests_are_no_fault_of_the_settings() -> None:
    """It could not be asked now."""
    with Somebody(json_reply({}, 429)) as somebody:
        finding = found(somebody.url)

    assert isinstance(finding, Finding)
    assert finding.state.value == "unknown"


def test_an_answer_through_a_load_balancer_is_one() -> None:
    """`Via` alone proves nothing; the service's clock comes along."""
    with Somebody(Reply(body=b"{}", headers={"Via": "1.1 google"})) as somebody:
        reached = found(somebody.url)

    assert isinstance(reached, Reached)
    assert reached.date is not None


@pytest.mark.parametrize(
    ("address", "todo"), [(lambda: "http://127.0.0.1:9", "connection"), (lambda: "http://nowhere.invalid", "name")], ids=["refused", "name"]
)
def test_how_far_it_came(address: Callable[[], str], todo: str) -> None:
    """A name, a port: each has its own next step; where a proxy is set, that it is not used is one."""
    alone, beside = found(address()), found(address(), proxies={"HTTPS_PROXY": "http://proxy", "NO_PROXY": "x"})

    assert isinstance(alone, Finding)
    assert isinstance(beside, Finding)
    assert (alone.todo and alone.todo.code, beside.todo and beside.todo.code) == (f"doctor.do.{todo}", "doctor.do.not_by_proxy")


def test_nothing_comes_back() -> None:
    """It has its time, and no more."""
    with raw_server(silent) as address:
        finding = found(f"http://{address}", timeout_s=0.2)

    assert isinstance(finding, Finding)
    assert finding.todo is not None
    assert finding.todo.code == "doctor.do.network"


def test_a_password_in_the_address_is_used_and_not_shown() -> None:
    """Also where another path is the right one."""
    with Somebody(page(404), api="") as somebody:
        finding = found(somebody.url.replace("http://", "http://user:planted@") + "/wrong")

    assert isinstance(finding, Finding)
    assert finding.todo is not None
    assert "planted" not in say(finding.what) + say(finding.todo)
    assert finding.todo["address"] == somebody.url
