"""The kinds of jobs, as state files name them: an older release's rows are still done, so no name is ever given another meaning."""

from __future__ import annotations

COLLECT = "enrich"  # look at the world: pipeline/collect.py
PUBLISH = "publish"  # show what is known already: pipeline/publish.py
DIGEST = "digest"  # bring a storm's messages up to date: pipeline/digest.py
SILENCE = "silence"  # make Alertmanager agree with the newest wish: pipeline/silencer.py
STORM_ACT = "storm_act"  # do to a storm's members what was asked of it: pipeline/storm_acts.py
