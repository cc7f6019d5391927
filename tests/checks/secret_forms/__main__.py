"""How many secrets of each corpus the redactor finds, and how many look-alikes it keeps: `python -m tests.checks.secret_forms`.

`--show development` lists what is missed and what is wrongly taken there. There is no such list for the held-out corpus.
"""

from __future__ import annotations

import sys
from collections import Counter

from receiver.evidence.redaction import Redactor
from tests.checks.secret_forms import benign, forms


def main() -> None:
    """Print the counts."""
    redact = Redactor().redact
    for corpus in ("development", "heldout"):
        found: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for form in forms(corpus):
            shown, _ = redact(form.text)
            total[form.section] += 1
            found[form.section] += form.is_hidden_in(shown)
            if "--show" in sys.argv and corpus == "development" and not form.is_hidden_in(shown):
                print(f"  missed {form.line} {form.section}: {form.text!r}\n      -> {shown!r}")
        lines = benign(corpus)
        kept = 0
        for line in lines:
            shown, _ = redact(line)
            kept += shown == line
            if "--show" in sys.argv and corpus == "development" and shown != line:
                print(f"  taken: {line!r}\n      -> {shown!r}")
        print(f"{corpus}: {found.total()} of {total.total()} found, {kept} of {len(lines)} benign kept")
        print("   " + ", ".join(f"{s} {found[s]}/{n}" for s, n in total.items()))


if __name__ == "__main__":
    main()
