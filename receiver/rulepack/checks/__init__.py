"""One kind of problem a file; `receiver.rulepack.check` runs them all. Each takes a pack and yields problems."""
