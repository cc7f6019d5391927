"""`oomtriage demo`: the main job on embedded defaults. Recorded incidents behind stand-ins, everything else real."""
