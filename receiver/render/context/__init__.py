"""What templates see of an incident: `model` says what there is, `build` makes it of the incident and its report."""
