"""Both forges do the same for who asks them, whatever they call it, and each refusal is told apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, Unavailable
from receiver.forge import Branch, Edit, Forge, ForgeConfig, State, make_forge
from receiver.forge.base import Moved, people_url
from receiver.transport import ConnectionFailed, Unauthenticated
from tests.fakes.forge import TOKEN, FakeForge, Fault
from tests.fakes.github import FakeGitHub
from tests.fakes.gitlab import FakeGitLab

MANIFEST = "spec:\n  memory: 96Mi # until March\n"
FILES = {"apps/shop/orders.yaml": MANIFEST, "apps/cart/cart.yml": "a: 1\n", "README.md": "# hello\n", "apps/shop/logo.png": "x"}
BRANCH = "oomtriage/inc_1"


@pytest.fixture(params=["github", "gitlab"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeForge]:
    """A stand-in of one of them."""
    with (FakeGitHub if request.param == "github" else FakeGitLab)(FILES) as forge:
        yield forge


def client(fake: FakeForge, *, base: str = "main", timeout_s: float = 5.0) -> Forge:
    """What talks to it."""
    kind = "github" if isinstance(fake, FakeGitHub) else "gitlab"
    return make_forge(
        ForgeConfig(kind=kind, repository="acme/deploy", base=base, path="apps/shop", url=fake.url, token=TOKEN, timeout_s=timeout_s)
    )


def written(forge: Forge, text: str = "160Mi") -> str:
    """The branch with its one commit."""
    base = forge.branch("main")
    assert base is not None
    edits = (Edit(path="apps/shop/orders.yaml", text=MANIFEST.replace("96Mi", text)),)
    return forge.write(BRANCH, on=base.commit, message=f"Raise to {text}", edits=edits)


class TestWhatIsDone:
    """From the base to the merged request."""

    def test_texts_below_the_path_are_read(self, fake: FakeForge) -> None:
        """What decides memory, and nothing else."""
        forge = client(fake)
        base = forge.branch("main")

        assert base is not None
        assert forge.files(base.commit) == {"apps/shop/orders.yaml": MANIFEST}
        assert forge.branch("nowhere") is None

    def test_a_branch_is_one_commit_however_often_it_is_written(self, fake: FakeForge) -> None:
        """Written anew upon the newest base, not added to."""
        forge = client(fake)
        written(forge)
        fake.repository.push({"README.md": "# moved on\n"})
        commit = written(forge, "200Mi")

        assert forge.branch(BRANCH) == Branch(commit=commit, message="Raise to 200Mi")
        assert fake.repository.own_commits(BRANCH) == 1
        assert "200Mi # until March" in fake.repository.files(BRANCH)["apps/shop/orders.yaml"]
        assert fake.repository.files(BRANCH)["README.md"] == "# moved on\n"
        assert fake.repository.files() == {**FILES, "README.md": "# moved on\n"}

    def test_a_new_file(self, fake: FakeForge) -> None:
        """A patch where there was none."""
        forge = client(fake)
        base = forge.branch("main")
        assert base is not None
        forge.write(BRANCH, on=base.commit, message="Add", edits=(Edit(path="apps/shop/patch.yaml", text="b: 2\n", is_new=True),))

        assert fake.repository.files(BRANCH)["apps/shop/patch.yaml"] == "b: 2\n"

    def test_a_request_is_opened_found_edited_and_closed(self, fake: FakeForge) -> None:
        """By its branch, and by its number."""
        forge = client(fake)
        written(forge)
        assert forge.find(BRANCH) is None
        opened = forge.open(BRANCH, title="Raise", body="Because")
        with pytest.raises(Moved):
            forge.open(BRANCH, title="Raise", body="Because")
        forge.edit(opened.number, title="Raise more", body="Since")
        for _ in range(2):
            forge.comment(opened.number, "It held.", mark="oomtriage inc_1 fix 1 24h")
        found = forge.find(BRANCH)
        assert found is not None
        forge.close(opened.number)

        assert (found.number, found.state, found.title, found.body) == (opened.number, State.OPEN, "Raise more", "Since")
        assert found.url.endswith(str(opened.number))
        assert fake.repository.requests[0].comments == ["It held.\n\n`oomtriage inc_1 fix 1 24h`"]
        assert forge.get(opened.number).state is State.CLOSED

    def test_a_mark_is_found_on_a_later_page(self, fake: FakeForge) -> None:
        """A lively discussion does not make us repeat ourselves."""
        forge = client(fake)
        written(forge)
        number = forge.open(BRANCH, title="Raise", body="").number
        fake.repository.requests[0].comments += [f"word {n}" for n in range(150)]
        forge.comment(number, "It held.", mark="m")
        fake.repository.requests[0].comments += [f"word {n}" for n in range(50)]
        forge.comment(number, "It held.", mark="m")

        assert sum("It held" in c for c in fake.repository.requests[0].comments) == 1

    def test_a_merge_is_seen(self, fake: FakeForge) -> None:
        """With its time."""
        forge = client(fake)
        written(forge)
        number = forge.open(BRANCH, title="Raise", body="").number
        fake.repository.merge(number)
        merged = forge.get(number)

        assert merged.state is State.MERGED
        assert merged.merged_at is not None
        assert merged.merged_at.hour == 10

    def test_an_open_one_goes_before_a_newer_one(self, fake: FakeForge) -> None:
        """What is open counts."""
        forge = client(fake)
        written(forge)
        first = forge.open(BRANCH, title="1", body="").number
        fake.repository.dismiss(first)
        second = forge.open(BRANCH, title="2", body="").number
        newest_closed = forge.find(BRANCH)

        assert newest_closed is not None
        assert newest_closed.number == second

    def test_what_the_token_may(self, fake: FakeForge) -> None:
        """For doctor."""
        can = client(fake).access()
        fake.may_write = False
        cannot = client(fake, base="nowhere").access()

        assert (can.has_base, can.may_write) == (True, True)
        assert (cannot.has_base, cannot.may_write) == (False, False)


def test_an_address_elsewhere_is_not_shown() -> None:
    """What a forge answers is shown to people as a link only where it leads to that forge."""
    assert people_url("https://github.com/a/b/pull/1", "https://api.github.com") == "https://github.com/a/b/pull/1"
    assert people_url("https://ghe.example/a/b/pull/1", "https://ghe.example/api/v3") == "https://ghe.example/a/b/pull/1"
    for told in ("https://evil.example/1", "javascript:alert(1)", "https://api.github.com.evil.example/1", None):
        assert people_url(told, "https://api.github.com") == ""


class TestRefusals:
    """Each status, on every kind of request, is one kind of error; the token is in none."""

    @pytest.mark.parametrize(
        ("fault", "kind", "is_retried"),
        [
            (Fault(status=401), Unauthenticated, False),
            (Fault(status=403), Forbidden, False),
            (Fault(status=403, headers={"Retry-After": "7"}, body={"message": "You have exceeded a secondary rate limit"}), Throttled, True),
            (Fault(status=404), NotFound, False),
            (Fault(status=409), Moved, True),
            (Fault(status=422, body={"message": "Validation Failed", "errors": [{"message": "it already exists"}]}), Moved, True),
            (Fault(status=422), Rejected, False),
            (Fault(status=429, headers={"Retry-After": "7"}), Throttled, True),
            (Fault(status=502, body="<html>"), Unavailable, True),
            (Fault(kind="lost"), ConnectionFailed, True),
            (Fault(kind="hang"), ConnectionFailed, True),
        ],
    )  # fmt: skip
    def test_each_is_told_apart(self, fake: FakeForge, fault: Fault, kind: type[SourceError], is_retried: bool) -> None:
        """Asked, it is sent once: whoever got no answer looks first."""
        forge = client(fake, timeout_s=0.3 if fault.kind == "hang" else 5.0)
        written(client(fake))
        fake.fail(Fault(**(vars(fault) | {"method": "POST", "path": "pulls|merge_requests"})))
        with pytest.raises(SourceError) as caught:
            forge.open(BRANCH, title="Raise", body="")

        assert type(caught.value) is kind
        assert caught.value.retryable is is_retried
        assert TOKEN not in str(caught.value)
        assert len(fake.repository.requests) == (1 if fault.kind == "lost" else 0)
        if isinstance(caught.value, Throttled):
            assert caught.value.retry_after_s == 7.0

    def test_a_limit_that_names_the_time_of_its_end(self, fake: FakeForge) -> None:
        """A minute at least where it names none."""
        fake.fail(Fault(status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}))
        fake.fail(Fault(status=429))
        waits = []
        for _ in range(2):
            with pytest.raises(Throttled) as caught:
                client(fake).branch("main")
            waits.append(caught.value.retry_after_s)

        assert waits == [1.0, 60.0]

    def test_a_redirect_is_not_followed(self, fake: FakeForge) -> None:
        """The token would go along."""
        with FakeGitHub({}) as elsewhere:
            fake.fail(Fault(kind="redirect", location=elsewhere.url))
            with pytest.raises(Rejected):
                client(fake).branch("main")

        assert elsewhere.asked == []

    def test_a_page_instead_of_an_answer(self, fake: FakeForge) -> None:
        """An address that leads to a login page says so."""
        fake.fail(Fault(status=200, body=["no object"]))
        with pytest.raises(SourceError):
            client(fake).get(1)
