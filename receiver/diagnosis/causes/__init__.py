"""The leaves of the decision tree."""
