"""The durable store: alerts, incidents, jobs and messages as desired state."""
