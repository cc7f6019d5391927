"""Requests that nobody means well: generated, with fixed seeds in `make test`, and for longer with others in `make fuzz`."""
