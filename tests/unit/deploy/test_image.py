"""The image: what its last stage holds, by the Dockerfile and the lock files (no test here can build one)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distribution, requires
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.places import REPO

sys.path.insert(0, str(REPO / "tools"))
import image_check

sys.path.pop(0)

DOCKERFILE = (REPO / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
BUILD, FINAL = re.split(r"(?m)^FROM .*$", DOCKERFILE)[1:]
LOCKS = ("requirements/runtime.txt", "requirements/charts.txt", "requirements/postgres.txt")


@cache
def listed() -> dict[str, Any]:
    command = [sys.executable, str(REPO / "tools" / "sbom.py"), *(str(REPO / lock) for lock in LOCKS)]
    document: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return document


def components() -> dict[str, str]:
    return {each["name"]: each["version"] for each in listed()["components"]}


def needed(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """What an installed distribution asks for, all the way down."""
    found = set()
    for text in requires(name) or ():
        wanted = Requirement(text)
        if any(wanted.marker is None or wanted.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            below = wanted.name.lower().replace("_", "-")
            found |= {below} | needed(below, frozenset(wanted.extras))
    return found


def test_the_environment_holds_what_runs_and_nothing_that_builds() -> None:
    """Made without pip; only the two locks of what runs go into it; the build's own tools stay in the first stage."""
    into_it = [line for line in re.split(r"&&|\nRUN", BUILD) if "pip --python /opt/oomtriage" in line]
    locks = [lock for line in into_it for lock in re.findall(r"-r (\S+)", line)]

    assert "python -m venv --without-pip /opt/oomtriage" in BUILD
    assert locks == list(LOCKS)
    assert all("--require-hashes" in line or "dist/*.whl" in line for line in into_it)
    assert re.findall(r"COPY --from=\S+ (\S+)", FINAL) == ["/opt/oomtriage"]
    assert "rm -rf /usr/local/lib/python3.*/site-packages/pip*" in FINAL


def test_the_locks_are_what_the_package_needs() -> None:
    """Neither more nor less than the distributions that ours asks for, with the chart."""
    assert set(components()) == needed("oomtriage", frozenset({"charts", "postgres"}))


def test_the_readme_counts_them() -> None:
    """With ours, and without the chart's one: what `pip install oomtriage` brings."""
    said = re.search(r"(\d+) Python distributions", (REPO / "README.md").read_text())

    assert said
    assert int(said[1]) == len(needed("oomtriage")) + 1


def test_the_list_of_contents_names_version_and_hashes() -> None:
    """CycloneDX, in the image, made from the locks alone."""
    flask = next(each for each in listed()["components"] if each["name"] == "flask")

    assert (
        "tools/sbom.py requirements/runtime.txt requirements/charts.txt requirements/postgres.txt > /opt/oomtriage/sbom.cdx.json" in BUILD
    )
    assert (listed()["bomFormat"], listed()["metadata"]["component"]["version"]) == ("CycloneDX", distribution("oomtriage").version)
    assert flask["purl"] == f"pkg:pypi/flask@{flask['version']}"
    assert flask["hashes"]
    assert all(each["hashes"] for each in listed()["components"])


def test_it_runs_as_nobody_and_says_how_it_is() -> None:
    """A numeric user, which runAsNonRoot can check; a health check on the port it listens on; labels with the version."""
    assert re.search(r"(?m)^USER 65532:65532$", FINAL)
    assert "/healthz" in FINAL
    assert f'org.opencontainers.image.version="{distribution("oomtriage").version}"' in FINAL


def health_check() -> str:
    found = re.search(r'"-c", "(.*)"\]', FINAL)
    assert found
    return found[1]


@pytest.mark.parametrize(("listen", "is_well"), [("0.0.0.0:{port}", True), ("127.0.0.1:9", False)])
def test_the_health_check_asks_the_port_that_was_set(listen: str, is_well: bool) -> None:
    """The program of the Dockerfile itself, against a server that answers /healthz, and where nobody does."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        environ = {"LISTEN": listen.format(port=server.server_port)}
        done = subprocess.run([sys.executable, "-c", health_check()], env=environ, capture_output=True, check=False, timeout=30)

    assert (done.returncode == 0) is is_well


def test_the_steps_can_be_carried_out_without_a_builder() -> None:
    """`make image-check` knows each instruction of the first stage, and what is copied is there."""
    build, final = image_check.stages(image_check.DOCKERFILE.read_text())

    assert {step.name for step in build} == {"FROM", "WORKDIR", "COPY", "RUN"}
    assert [step.rest for step in final if step.name == "COPY"] == [f"--from=build {image_check.SHIPPED} {image_check.SHIPPED}"]
    for step in build:
        if step.name == "COPY":
            assert [name for name in step.rest.split()[:-1] if not (REPO / name).exists()] == []


def test_the_builder_sees_what_is_copied_and_no_more() -> None:
    """Every COPY is let through by Dockerfile.dockerignore; settings, state and keys in a work tree stay out of the build."""
    lines = (REPO / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    copied = {name for line in re.findall(r"(?m)^COPY (?!--)(.*)$", BUILD) for name in line.split()[:-1]}

    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied
