"""The diagnosing core: facts in, a report out. Pure: no clock, environment, network, files or logging."""
