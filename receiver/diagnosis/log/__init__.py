"""What the log says: lines stripped once, memory errors, runtimes."""
