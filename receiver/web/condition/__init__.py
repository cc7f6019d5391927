"""/health and /doctor: how the receiver itself is, and how its installation is."""
