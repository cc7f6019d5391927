"""The rules by which `kill.RULES` decides, by what they look at first."""
