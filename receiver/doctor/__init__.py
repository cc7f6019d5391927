"""`oomtriage doctor`: what is wrong with this installation, and what to do about it.

`checks.ALL` names the checks, `site.Site` is all that they may ask, `run.examine` runs them under one deadline. What they find is data
(`receiver/domain/finding.py`); its sentences are in `receiver/render/wording/doctor.py`.
"""
