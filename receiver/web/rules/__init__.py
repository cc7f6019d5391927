"""/rules: what the alerts are doing now, what they go by, whom they call, and what they would have said."""
