"""Data only: what the words of docs/architecture.md mean in types. Standard library only, no I/O, no clock."""
