"""Who may see the pages, who may press something on them, and how they come in and out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from receiver.app.build import Application, build
from receiver.settings import load_settings
from receiver.web.attempts import OF_ONE, WINDOW_S, Attempts
from receiver.web.login import own_path
from receiver.web.visitor import SESSION_S, Sessions
from tests.support import Clock

ADMIN, READER = "admin-token-1", "reader-token-2"
HTML = {"Accept": "text/html"}
HTTPS = {"X-Forwarded-Proto": "https"}
FAR = {"REMOTE_ADDR": "10.9.8.7"}  # of a machine elsewhere

Open = Callable[..., Application]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Receivers with the pages' settings, not started."""
    made: list[Application] = []

    def make(**environ: str) -> Application:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        settings = load_settings({"STORE_URL": f"sqlite:///{folder}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", **environ})
        with (folder / "console").open("w") as console:
            made.append(build(settings, console=console))
        return made[-1]

    yield make
    for application in made:
        application.close()


@pytest.fixture
def guarded(opened: Open) -> FlaskClient:
    """The browser of somebody before a receiver with both tokens."""
    return opened(ADMIN_TOKEN=ADMIN, READ_TOKEN=READER).web.test_client()


def _log_in(client: FlaskClient, token: str = ADMIN, *, to: str = "/", **more: object) -> TestResponse:
    return client.post("/login", data={"token": token, "next": to}, **more)


def _csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/").text)
    assert found is not None
    return found[1]


class TestWhoMayLook:
    def test_a_browser_is_shown_the_form_and_a_script_a_challenge(self, guarded: FlaskClient) -> None:
        person, script = guarded.get("/?q=a", headers=HTML), guarded.get("/", headers={"Accept": "*/*"})

        assert (person.status_code, script.status_code) == (401, 401)
        assert 'name="token"' in person.text
        assert 'name="next" value="/?q=a"' in person.text
        assert "WWW-Authenticate" not in person.headers  # a browser would ask in a window of its own
        assert "Basic" in script.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("token", [ADMIN, READER])
    def test_a_token_opens_the_pages_in_every_way(self, guarded: FlaskClient, token: str) -> None:
        assert guarded.get("/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert guarded.get("/", auth=("anybody", token)).status_code == 200
        assert _log_in(guarded, token).status_code == 303
        assert guarded.get("/").status_code == 200

    def test_a_wrong_one_opens_nothing(self, guarded: FlaskClient) -> None:
        said = _log_in(guarded, "guess")

        assert said.status_code == 401
        assert "no token of this receiver" in said.text
        assert "guess" not in said.text
        assert "Set-Cookie" not in said.headers
        assert guarded.get("/", auth=("x", "guess")).status_code == 401

    def test_without_tokens_loopback_is_open_and_says_so_to_nobody_else(self, opened: Open) -> None:
        near = opened().web.test_client()
        far = opened(LISTEN="0.0.0.0:1", WEBHOOK_AUTH="none").web.test_client()

        assert near.get("/").status_code == 200
        assert far.get("/").status_code == 403
        assert "Set ADMIN_TOKEN" in far.get("/").text

    def test_a_read_token_alone_closes_loopback_too(self, opened: Open) -> None:
        client = opened(READ_TOKEN=READER).web.test_client()

        assert client.get("/").status_code == 401
        assert client.get("/", auth=("x", READER)).status_code == 200


class TestSessions:
    def test_the_cookie_is_out_of_reach_for_scripts_and_foreign_forms(self, guarded: FlaskClient) -> None:
        cookie = _log_in(guarded).headers["Set-Cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ADMIN not in cookie

    def test_over_https_it_is_sent_back_over_https_alone(self, guarded: FlaskClient) -> None:
        cookie = _log_in(guarded, headers=HTTPS).headers["Set-Cookie"]

        assert cookie.startswith("__Host-oomtriage=")
        assert "Secure" in cookie

    def test_no_token_is_taken_over_plain_http_from_elsewhere(self, opened: Open) -> None:
        """What is typed there can be read on the way; unless somebody meant it."""
        shut = opened(ADMIN_TOKEN=ADMIN, LISTEN="0.0.0.0:1", WEBHOOK_AUTH="none").web.test_client()
        meant = opened(ADMIN_TOKEN=ADMIN, LISTEN="0.0.0.0:1", WEBHOOK_AUTH="none", LOGIN_OVER_HTTP="yes").web.test_client()
        elsewhere = {"base_url": "http://oomtriage.shop.svc"}

        assert 'name="token"' not in shut.get("/", headers=HTML, **elsewhere).text
        assert "Set-Cookie" not in _log_in(shut, **elsewhere).headers
        assert "oomtriage=" in _log_in(meant, **elsewhere).headers["Set-Cookie"]

    def test_logged_out_is_out_with_the_old_cookie_too(self, guarded: FlaskClient) -> None:
        """A copy of the cookie is worth nothing after it."""
        kept = _log_in(guarded).headers["Set-Cookie"].partition(";")[0]
        out = guarded.post("/logout", data={"csrf": _csrf(guarded)})

        assert out.status_code == 303
        assert guarded.get("/").status_code == 401
        assert guarded.get("/", headers={"Cookie": kept}).status_code == 401

    def test_nobody_logs_out_somebody_else(self, guarded: FlaskClient) -> None:
        _log_in(guarded)

        assert guarded.post("/logout").status_code == 403
        assert guarded.get("/").status_code == 200

    def test_a_session_that_somebody_handed_over_is_not_kept(self, guarded: FlaskClient) -> None:
        """Session fixation: whoever planted a cookie does not hold the session that begins."""
        planted = _log_in(guarded, READER).headers["Set-Cookie"].partition(";")[0]
        begun = _log_in(guarded, ADMIN).headers["Set-Cookie"].partition(";")[0]

        assert begun != planted
        assert guarded.application.test_client(use_cookies=False).get("/", headers={"Cookie": planted}).text.count("may only look") == 1

    def test_a_form_that_a_foreign_page_sent_logs_nobody_in(self, guarded: FlaskClient) -> None:
        said = _log_in(guarded, headers={"Sec-Fetch-Site": "cross-site"})

        assert said.status_code == 403
        assert "Set-Cookie" not in said.headers

    def test_a_session_ends_by_itself_and_with_its_token(self) -> None:
        clock = Clock()
        sessions = Sessions("a", clock=clock.now)
        _, cookie = sessions.begin("act")
        assert sessions.read(cookie) is not None
        assert Sessions("b", clock=clock.now).read(cookie) is None
        assert sessions.read(cookie.replace(".", ".A", 1)) is None
        clock.advance(SESSION_S)

        assert sessions.read(cookie) is None


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "javascript:alert(1)", "/\nSet-Cookie: a=b", "", "evil",
     "http://[", "/login?next=/", "/" + "a" * 3000],
)  # fmt: skip
def test_after_the_login_nobody_is_sent_elsewhere(guarded: FlaskClient, to: str) -> None:
    assert own_path(to) == "/"
    assert _log_in(guarded, to=to).location == "/"


def test_after_the_login_the_reader_is_where_they_wanted(guarded: FlaskClient) -> None:
    assert _log_in(guarded, to="/incidents/inc_1?a=b").location == "/incidents/inc_1?a=b"


class TestProxies:
    """oauth2-proxy and its like log people in before us."""

    def test_a_trusted_one_says_who_is_there(self, opened: Open) -> None:
        client = opened(LISTEN="0.0.0.0:1", WEBHOOK_AUTH="none", TRUSTED_PROXIES="10.1.0.0/16, fd00::7").web.test_client()
        named = {"X-Forwarded-User": "ines@example.net"}

        assert "ines@example.net" in client.get("/", headers=named, environ_base={"REMOTE_ADDR": "10.1.2.3"}).text
        assert client.get("/", headers=named, environ_base={"REMOTE_ADDR": "::ffff:10.1.2.3"}).status_code == 200
        assert client.get("/", headers=named, environ_base=FAR).status_code == 401
        assert client.get("/", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 401

    def test_what_it_lets_in_may_be_kept_to_looking(self, opened: Open) -> None:
        client = opened(
            LISTEN="0.0.0.0:1",
            WEBHOOK_AUTH="none",
            TRUSTED_PROXIES="10.1.2.3",
            PROXY_ACCESS="read",
            PROXY_USER_HEADER="X-Auth-Request-Email",
        ).web.test_client()
        shown = client.get("/", headers={"X-Auth-Request-Email": "otto <script>"}, environ_base={"REMOTE_ADDR": "10.1.2.3"}).text

        assert "may only look" in shown
        assert "<script>" not in shown.replace('<script src="/static', "")


class TestGuessing:
    def test_after_ten_wrong_tokens_an_address_waits(self, guarded: FlaskClient) -> None:
        """And only that address."""
        said = [_log_in(guarded, f"guess-{i}", environ_base=FAR).status_code for i in range(OF_ONE)]
        after = _log_in(guarded, ADMIN, environ_base=FAR)

        assert said == [401] * OF_ONE
        assert after.status_code == 429
        assert 0 < int(after.headers["Retry-After"]) <= WINDOW_S + 1
        assert guarded.get("/", auth=("x", ADMIN), environ_base=FAR).status_code == 429
        assert _log_in(guarded, ADMIN, environ_base={"REMOTE_ADDR": "10.9.8.8"}).status_code == 303

    def test_whoever_is_logged_in_stays_so(self, guarded: FlaskClient) -> None:
        _log_in(guarded)
        for i in range(OF_ONE + 1):
            _log_in(guarded, f"guess-{i}")

        assert guarded.get("/").status_code == 200

    def test_a_minute_later_it_is_looked_at_again(self) -> None:
        now = [0.0]
        attempts = Attempts(monotonic=lambda: now[0])
        for _ in range(OF_ONE):
            attempts.wrong("a")
        waits = attempts.wait_s("a"), attempts.wait_s("b")
        now[0] = WINDOW_S

        assert waits == (WINDOW_S, 0.0)
        assert attempts.wait_s("a") == 0.0


class TestTheFrame:
    def test_nothing_on_a_page_is_from_elsewhere(self, guarded: FlaskClient) -> None:
        """No request leaves the browser but to us, and nothing inline runs."""
        _log_in(guarded)
        page = guarded.get("/")

        assert not re.findall(r'(?:src|href|action)="(?![/#])', page.text)
        assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
        assert "<style" not in page.text
        assert re.findall(r"<script[^>]*>", page.text) == re.findall(r'<script src="/static/pages-[0-9a-f]{12}.js" defer>', page.text)

    def test_its_files_are_kept_by_browsers_until_they_change(self, guarded: FlaskClient) -> None:
        """They hold nothing of the cluster: whoever sees the login form has them."""
        for address in re.findall(r"/static/[^\"]+", guarded.get("/", headers=HTML).text):
            file = guarded.get(address)
            assert file.status_code == 200
            assert "immutable" in file.headers["Cache-Control"]
            assert "import" not in file.text.replace("important", "")

        assert guarded.get("/static/../../pyproject.toml").status_code == 404
        assert guarded.get("/static/pages-000000000000.css").status_code == 404


class TestForms:
    """What changes something must come from a page of ours."""

    @pytest.fixture
    def pressed(self, guarded: FlaskClient) -> Callable[..., int]:
        """Presses a button on an incident that is not there: 404 when it was let in."""

        def press(*, csrf: str = "", **more: object) -> int:
            data = {"press": "ack", "click": "c1", "csrf": csrf}
            return guarded.post("/incidents/inc_none/press", data=data, **more).status_code

        return press

    def test_a_session_presses_with_its_own_word_only(self, guarded: FlaskClient, pressed: Callable[..., int]) -> None:
        _log_in(guarded)
        mine = _csrf(guarded)
        other = guarded.application.test_client()
        _log_in(other)

        assert pressed(csrf=mine) == 404
        assert [pressed(), pressed(csrf=_csrf(other)), pressed(csrf="ü")] == [403] * 3
        assert pressed(csrf=mine, headers={"Origin": "https://evil.example"}) == 403

    def test_who_may_only_look_presses_nothing(self, guarded: FlaskClient, pressed: Callable[..., int]) -> None:
        _log_in(guarded, READER)

        assert pressed(csrf=_csrf(guarded)) == 403

    def test_a_script_names_its_token_and_needs_no_word(self, pressed: Callable[..., int]) -> None:
        """A browser that was told the token by basic auth sends it along with a foreign page's form; and says so."""
        bearer, basic = {"Authorization": f"Bearer {ADMIN}"}, {"auth": ("ines", ADMIN)}

        assert [pressed(headers=bearer), pressed(**basic)] == [404, 404]
        assert pressed(**basic, headers={"Sec-Fetch-Site": "cross-site"}) == 403
        assert pressed(**basic, headers={"Origin": "http://localhost"}) == 403
