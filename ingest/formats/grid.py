"""Tables of Office documents, whatever program wrote them."""

from __future__ import annotations

from collections.abc import Sequence


def one_header(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a header as one: "Passengers" above "Day" names a column "Passengers Day". What
    a merged cell says in several rows is said once."""
    width = max(map(len, rows), default=0)
    columns = ([row[at].strip() for row in rows if at < len(row)] for at in range(width))
    return [" ".join(dict.fromkeys(name for name in names if name)) for names in columns]
