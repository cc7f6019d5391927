"""Entries of a webhook body as a stranger may send them: for properties that must hold of whatever is accepted."""

from __future__ import annotations

from hypothesis import strategies as st

times = st.one_of(
    st.datetimes(timezones=st.timezones() | st.none()).map(lambda t: t.isoformat()),
    st.builds(
        lambda date, offset: f"{date}T{'23:59:59' if date[0] == '9' else '00:00:00'}{offset}",
        st.sampled_from(["0001-01-01", "0002-01-01", "1970-01-01", "2999-12-31", "9999-12-31"]),
        st.sampled_from(["Z", "+14:00", "-14:00", "+23:59"]),
    ),
    st.none(),
    st.text(max_size=12),
)
texts = st.text(max_size=12) | st.sampled_from(["\ud800", "\x00", "a" * 3000])
entries = st.fixed_dictionaries(
    {"status": st.sampled_from(["firing", "resolved"]), "labels": st.dictionaries(texts, texts, max_size=5), "startsAt": times},
    optional={"annotations": st.dictionaries(texts, texts, max_size=3), "endsAt": times, "fingerprint": texts, "generatorURL": texts},
)
