"""Where messages go: one class a sink, all with the same small interface."""
