"""Only the same user finds the receiver beside it, and only one that asks the same sources."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.app import local_pass
from receiver.settings import load_settings
from receiver.web import auth


def test_a_pass_is_found_by_its_user(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    local, note = local_pass.leave(8080, {"kube_api_url": "x"}, folder=folder)

    assert list(local_pass.found(folder=folder)) == [local]
    assert note is not None
    assert (note.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert local.word not in repr(local)


def test_what_a_killed_receiver_left_behind_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _, note = local_pass.leave(8080, {}, folder=folder)
    assert note is not None
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    note.write_text(json.dumps(json.loads(note.read_text()) | {"pid": gone.pid}))

    assert list(local_pass.found(folder=folder)) == []
    assert not note.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_others_can_enter_is_not_trusted(tmp_path: Path, mode: int) -> None:
    """In /tmp anybody may have made it first."""
    folder = tmp_path / "notes"
    local_pass.leave(8080, {}, folder=folder)
    folder.chmod(mode)

    assert list(local_pass.found(folder=folder)) == []
    assert local_pass.leave(8081, {}, folder=folder)[1] is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "notes").symlink_to(tmp_path / "real")

    assert local_pass.leave(8080, {}, folder=tmp_path / "notes")[1] is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', "\x00"])
def test_a_note_that_is_none_is_passed_over(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "notes"
    folder.mkdir(mode=0o700)
    (folder / "1.json").write_text(content)

    assert list(local_pass.found(folder=folder)) == []


def test_only_what_is_set_otherwise_keeps_a_command_from_asking() -> None:
    """A pod's command has the API's address of the kubelet and nothing of the receiver's file."""
    usual = load_settings({})
    of_receiver = local_pass.digests(load_settings({"KUBE_API_URL": "http://api", "PROMETHEUS_URL": "http://prometheus"}), usual)
    local = local_pass.LocalPass(port=1, word="w", settings=of_receiver)

    assert local.serves(local_pass.digests(load_settings({"KUBE_API_URL": "http://api"}), usual))
    assert not local.serves(local_pass.digests(load_settings({"KUBE_API_URL": "http://other"}), usual))
    assert not local.serves(local_pass.digests(load_settings({"KUBE_API_URL": "http://api", "CLUSTER_NAME": "b"}), usual))
    assert "http" not in str(of_receiver)


def test_both_sides_call_the_header_alike() -> None:
    assert local_pass.HEADER == auth.LOCAL
