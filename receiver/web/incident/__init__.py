"""The page of one incident: what it is made from, its routes, and what can be pressed on it."""
