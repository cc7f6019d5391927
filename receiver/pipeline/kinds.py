"""The kinds of jobs, as state files name them: an older release's rows are still done, so no name is ever given another meaning."""

from __future__ import annotations

COLLECT = "enrich"  # look at the world: pipeline/collect.py
PUBLISH = "publish"  # show what is known already: pipeline/publish.py
DIGEST = "digest"  # bring a storm's messages up to date: pipeline/digest.py
SILENCE = "silence"  # make Alertmanager agree with the newest wish: pipeline/silencer.py
STORM_ACT = "storm_act"  # do to a storm's members what was asked of it: pipeline/storm_acts.py
SHARES = "storm_shares"  # how large a share of the cluster has what a storm's workloads share: pipeline/storm_shares.py
AFTER_STORM = "after_storm"  # give the next workload of a storm that is over a message of its own: pipeline/after_storm.py
RECONCILE = "reconcile"  # find out what was missed: pipeline/reconcile.py
WATCH = "watch"  # see whether something happened to any open incident: pipeline/watch.py
REQUEST = "request"  # propose a change in Git, and follow it: pipeline/change_requests.py
FOLLOW_UP = "followup"  # look whether a fix held: pipeline/collect.py
WEEKLY = "weekly"  # sum up the week: pipeline/weekly.py

EVERYTHING = "all"  # the subject of jobs of which there is one, `watch` and `weekly`
