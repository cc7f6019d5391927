"""PromQL as text, words and a tree: read and quoted here for every other package. Pure; promtool says what is valid."""
