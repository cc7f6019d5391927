"""The HTTP face: POST /alerts, health, metrics, pages."""
