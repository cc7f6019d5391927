"""Who ended it, and how we know."""
