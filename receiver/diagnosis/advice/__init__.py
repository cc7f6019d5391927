"""What to do about it: limits, patch, autoscaler, real fixes, checklist."""
