"""Reads the world: one gatherer a source, each returning what the source answered, or a Missing."""
