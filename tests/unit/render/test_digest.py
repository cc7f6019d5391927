"""Storms: one root that fits a phone, pages that name everything."""

from __future__ import annotations

import json
from dataclasses import replace

import jinja2
import pytest

from receiver.domain.incident import CommonFactor, DigestEntry, DigestView, Message
from receiver.domain.reason import reason
from receiver.render import Renderer, slack_environment
from tests.checks.slack_limits import budget_problems, problems
from tests.golden import Golden
from tests.support import said
from tests.unit.render import cases
from tests.unit.render.test_renderer import as_text, assert_good, renderer

BLAMED = CommonFactor(kind="node", name="lab-node-1", count=30, expected=13.3)
CAUSES = ("leak", "startup", "limit_too_low", "not_memory", "unknown")


def entry(i: int, **more: object) -> DigestEntry:
    cause = CAUSES[i % len(CAUSES)]
    fields: dict[str, object] = {
        "incident_id": f"inc_{i}", "subject": cases.subject(f"service-{i:03d}"), "cause": cause, "summary": said(f"{i + 1} kills, {cause}"),
        "kill_count": i + 1, "kills_per_h": float(i), "node": "lab-node-1" if i % 4 else "lab-node-2", "image": f"registry/service-{i}:1",
        "page_url": f"https://oomtriage.example.net/incidents/inc_{i}",
    }  # fmt: skip
    return DigestEntry(**(fields | more))  # type: ignore[arg-type]


def storm(n: int, **more: object) -> DigestView:
    fields: dict[str, object] = {"id": "dig_1", "opened_at": cases.at("00:48"), "now": cases.at("01:13"), "entries": tuple(entry(i) for i in range(n)),
                                 "new_last_5_min": 6, "cluster": "lab", "common": BLAMED}  # fmt: skip
    view = DigestView(**(fields | more))  # type: ignore[arg-type]
    return replace(view, common=replace(view.common, count=sum(e.node == view.common.name for e in view.entries)) if view.common else None)


def test_a_storm_of_forty_reads_as_reviewed(golden: Golden) -> None:
    """Root: count, common factor, causes, the five worst; one page with all."""
    view = storm(40)
    first = replace(view.entries[7], is_never_up=True, subject=cases.subject("model-server"))
    messages = renderer().digest(replace(view, entries=(first, *view.entries[:7], *view.entries[8:])))

    assert_good(messages)
    assert "model-server" in messages[0].full_text.split("Worst first")[1].splitlines()[1]
    golden("slack/i-digest.txt", as_text(messages))


def test_every_workload_of_a_storm_is_named_in_pages_of_ninety_lines() -> None:
    """Three hundred workloads: all findable, each page within its budget, the same page for the same workloads."""
    view = storm(300)
    root, *pages = renderer().digest(view)

    assert_good((root, *pages))
    assert [p.slot for p in pages] == ["digest-page:1", "digest-page:2", "digest-page:3", "digest-page:4"]
    told = "\n".join(p.full_text for p in pages)
    assert all(f"shop/service-{i:03d}" in told for i in range(300))
    assert renderer().digest(replace(view, entries=tuple(reversed(view.entries))))[1:] == tuple(pages)


@pytest.mark.parametrize("page_url", ["", "https://oomtriage.example.net"])
def test_of_ten_thousand_workloads_the_worst_are_named(page_url: str) -> None:
    """As many pages as a channel takes in a quarter of a minute; the root counts all, and says where they are."""
    root, *pages = renderer().digest(storm(10_000, page_url=page_url))

    assert_good((root, *pages))
    assert len(pages) <= 14
    assert "10000 workloads" in root.full_text
    assert "The worst 500 of 10000 are in the thread" in root.full_text
    assert ("all of them on the incidents page" in root.full_text) == bool(page_url)
    told = "\n".join(p.full_text for p in pages)
    assert sum(f"service-{i}" in told for i in range(9_500, 10_000)) == 500
    assert pages[0].text.startswith("The worst 500 of 10000 workloads of this storm, by cause")


def test_a_workload_with_its_own_root_is_counted_not_named_in_the_digest_root() -> None:
    """A workload is named in at most one root."""
    entries = tuple(entry(i, has_own_root=i == 9) for i in range(10))
    root, page = renderer().digest(storm(0, entries=entries))

    assert "service-009" not in root.full_text
    assert "🔴 10 workloads" in root.full_text
    assert "1 of them has its own message" in root.full_text
    assert "service-009 10 kills, unknown (own message)" in page.full_text


def test_what_is_quiet_is_not_among_the_worst() -> None:
    """Whoever opens the channel looks at what still dies first, however bad the others were."""
    entries = tuple(entry(i, is_quiet=i > 30, kills_per_h=float(i)) for i in range(40))
    root = renderer().digest(storm(0, entries=entries))[0].full_text
    worst = [line for line in root.splitlines() if line.startswith("  - ")]

    assert ["(quiet)" in line for line in worst] == [False] * 5


def test_who_has_a_message_of_its_own_is_not_waited_for() -> None:
    """The storm's buttons do not reach it: all the others acknowledged is all acknowledged, and the button goes."""
    entries = tuple(entry(i, has_own_root=i == 0, is_acknowledged=i > 0, acknowledged_by="Ines" if i else "") for i in range(12))
    root = renderer().digest(storm(0, entries=entries, has_buttons=True))[0]

    assert "Acknowledged by Ines. " in root.full_text + " "
    assert "of 12)" not in root.full_text
    assert "Acknowledge all" not in str(root.blocks)


@pytest.mark.wording
def test_what_is_shared_beyond_chance_is_what_to_look_at_first() -> None:
    """With what chance would have given; nothing that stands out is said as well, and nothing where the cluster is not known."""

    def said_of(common: CommonFactor | None, *, is_known: bool = True) -> str:
        root = renderer().digest(storm(40, common=common, is_common_known=is_known))[0]
        return next(line for line in root.full_text.splitlines() if line.startswith("Do ")).removeprefix("Do").strip()

    assert said_of(BLAMED) == "Look at node lab-node-1 first: 30 of 40 run there (by chance about 13)."
    assert said_of(CommonFactor(kind="image", name="lab-node-1", count=30, expected=0.4)) == (
        "Look at image lab-node-1 first: 30 of 40 run it (by chance none)."
    )
    assert said_of(None) == "Start with the worst below. No node, image or namespace stands out."
    assert said_of(None, is_known=False) == "Start with the worst below."


@pytest.mark.wording
def test_an_inventory_is_no_news(golden: Golden) -> None:
    """What was dying before there was a receiver: the worst first, and what follows."""
    messages = renderer().digest(storm(12, is_inventory=True, common=None))

    assert_good(messages)
    assert messages[0].text == "📋 Already dying when oomtriage was installed: 12 workloads. lab"
    assert messages[1].text == "All 12 workloads of this inventory, by cause"
    golden("slack/i-inventory.txt", as_text(messages))


class TestWhatLeadsFurther:
    """Until a workload has a message of its own its line leads to what is known of it."""

    def test_a_page_where_there_are_pages(self) -> None:
        """Links, and no commands."""
        root, page = renderer().digest(storm(12))

        assert "kubectl" not in root.full_text + page.full_text
        assert json.dumps(page.blocks).count("https://oomtriage.example.net/incidents/") == 12

    def test_else_a_command_to_copy(self) -> None:
        """In each line of the pages, and of the root as far as it fits a phone's screen; not for who has its own message."""
        entries = tuple(entry(i, page_url="", has_own_root=i == 3) for i in range(12))
        root, page = renderer().digest(storm(0, entries=entries))

        assert_good((root, page))
        commands = [line.partition("kubectl ")[2] for line in page.full_text.splitlines() if "kubectl" in line]
        assert len(commands) == 11
        assert commands[0] == f"oomtriage {entries[0].subject.pod} -n shop"
        assert root.full_text.count("kubectl oomtriage") >= 2

    def test_a_name_that_is_no_name_is_no_command(self) -> None:
        """What somebody copies into a shell holds nothing but names of Kubernetes."""
        hostile = replace(cases.subject("x"), pod="x; rm -rf ~", namespace="$(id)")
        root, page = renderer().digest(storm(0, entries=(entry(0, page_url="", subject=hostile), entry(1, page_url=""))))

        assert "rm -rf" not in root.full_text + page.full_text
        assert page.full_text.count("kubectl") == 1


def test_a_storm_that_is_over_says_who_is_quiet_and_does_not_call_anybody() -> None:
    """The last edit counts the quiet and the still firing ones, and quiet is not called fixed."""
    entries = tuple(entry(i, is_quiet=i < 31) for i in range(40))
    root = renderer().digest(storm(0, entries=entries, ended_at=cases.at("01:40"), mention="<!here>"))[0]

    assert problems(root.body()) == []
    assert "Storm over: 31 of 40 workloads quiet, 9 still firing" in root.full_text
    assert "fixed" not in root.full_text


@pytest.mark.wording
def test_a_storm_that_is_over_says_where_the_rest_is_told() -> None:
    """Each that still fires gets its own message; when all have, that is said."""
    entries = tuple(entry(i, is_quiet=i < 31) for i in range(40))

    def next_of(**more: object) -> str:
        root = renderer().digest(storm(0, entries=entries, ended_at=cases.at("01:13"), **more))[0]
        return next(line for line in root.full_text.splitlines() if line.startswith("Next ")).removeprefix("Next").strip()

    assert next_of(released_by=cases.at("01:15")) == (
        "9 still firing: each gets its own message below, worst first, the last by 01:15 UTC."
    )
    assert next_of() == "9 still firing, each with its own message."


def test_long_names_keep_a_digest_within_its_budget() -> None:
    """Names of 253 characters are shortened in the middle."""
    entries = tuple(entry(i, subject=cases.subject("x" * 240 + f"-{i:03d}"), summary=said("y" * 500)) for i in range(120))
    messages = renderer().digest(storm(0, entries=entries))

    assert_good(messages)


def buttons(message: Message) -> list[object]:
    """What can be pressed; a menu is a list."""
    elements = [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]
    return [[o["text"]["text"] for o in e["options"]] if "options" in e else e["text"]["text"] for e in elements]


def acted(n: int, *, acknowledged: int = 0, silenced: int = 0, **more: object) -> DigestView:
    """A storm in which people acknowledged and silenced the first so many."""
    entries = tuple(
        entry(
            i, is_acknowledged=i < acknowledged, acknowledged_by="Ines" if i else "Otto", silenced_by="Otto",
            silenced_until=cases.at("05:13") if i < silenced else None,
        )
        for i in range(n)
    )  # fmt: skip
    return replace(storm(0, entries=entries, has_buttons=True, can_silence=True), **more)  # type: ignore[arg-type]


class TestButtons:
    """A storm is acknowledged and silenced as a whole."""

    def test_a_storm_with_buttons_reads_as_reviewed(self, golden: Golden) -> None:
        """Who did what to how many; Acknowledge again for those that joined later."""
        root = renderer().digest(acted(46, acknowledged=40, silenced=40))[0]

        assert_good((root,))
        golden("slack/i-digest-acted.txt", as_text((root,)))
        golden("slack/i-digest-acted.json", json.dumps(root.body()["blocks"][-1], ensure_ascii=False, indent=1))

    def test_what_can_be_pressed(self) -> None:
        """Acknowledge while some workload that fires has no owner; silences where there is an Alertmanager; nothing unsigned."""
        menu = ["Silence 4 h", "Undo silence"]

        assert buttons(renderer().digest(acted(12))[0]) == ["Acknowledge", "Silence 1 h", menu]
        assert buttons(renderer().digest(acted(12, acknowledged=11))[0]) == ["Acknowledge", "Silence 1 h", menu]
        assert buttons(renderer().digest(acted(12, acknowledged=12))[0]) == ["Silence 1 h", menu]
        assert buttons(renderer().digest(acted(12, can_silence=False))[0]) == ["Acknowledge"]
        assert buttons(renderer().digest(acted(12, has_buttons=False))[0]) == []
        assert all(buttons(page) == [] for page in renderer().digest(acted(12))[1:])

    def test_a_storm_that_is_quiet_needs_nobody(self) -> None:
        """Unless a silence of it is still on, which somebody may want to undo."""
        quiet = tuple(replace(e, is_quiet=True) for e in acted(12).entries)
        silent = tuple(replace(e, is_quiet=True) for e in acted(12, silenced=1).entries)

        assert buttons(renderer().digest(acted(0, entries=quiet))[0]) == []
        assert buttons(renderer().digest(acted(0, entries=silent))[0]) == ["Silence 1 h", ["Silence 4 h", "Undo silence"]]

    def test_everybody_who_did_something_and_what_failed(self) -> None:
        """Many people, many ends, an Alertmanager that refuses some, one who may not: within the budget."""
        entries = tuple(
            replace(
                e, is_acknowledged=True, acknowledged_by=f"{i}".rjust(40, "n"), silenced_by=f"{i}".rjust(40, "s"),
                silenced_until=cases.at(f"{2 + i % 20:02}:13") if i % 2 else None, not_silenced=None if i % 2 else said("Alertmanager answered 400: " + "y" * 160),
            )
            for i, e in enumerate(acted(300).entries)
        )  # fmt: skip
        view = acted(0, entries=entries, refused=reason("incident.log.refused", by="mallory", what="quiet"))
        root = renderer().digest(view)[0]

        assert_good((root,))
        assert "and 298 more" in root.full_text


def test_a_storm_that_has_doubled_is_said_aloud_in_a_few_lines() -> None:
    """How large, and what to do; with the mention, and without what stands in the root anyway."""
    message = renderer().grown(storm(40, mention="<!here>"))

    assert_good((message,), mention="<!here>")
    assert message.is_broadcast
    assert message.text.endswith("<!here>")
    assert [line.split()[0] for line in message.full_text.splitlines()] == ["🔴", "Do", "Next"]


def test_a_page_is_as_large_as_it_is_shown() -> None:
    """Summaries of only blanks are shown with a dot to part them, which counts: found by hypothesis at 6,010 characters."""
    entries = tuple(entry(i, subject=cases.subject("x" * 60 + f"{i:03d}"), summary=said("\t\t")) for i in range(177))

    assert_good(renderer().digest(storm(0, entries=entries)))


def test_a_broken_digest_template_still_tells_the_storm() -> None:
    """Without a usable template the count and the pages go out."""
    broken = Renderer(slack_environment(jinja2.DictLoader({"digest/root.j2": "header: {{ nonsense }}"})))
    root, *pages = broken.digest(storm(12))
    grown = broken.grown(storm(12))

    assert problems(grown.body()) == []
    assert "12 workloads with memory alerts" in grown.full_text
    assert problems(root.body()) == []
    assert budget_problems("root", root.body()) == []
    assert "12 workloads with memory alerts" in root.full_text
    assert len(pages) == 1
