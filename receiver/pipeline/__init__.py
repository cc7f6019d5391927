"""One incident from its alerts to its messages: fold, gather, judge, render, and one transaction that says so."""
