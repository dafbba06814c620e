"""What a cancellation row and its order line share, as one short text each, the same in every file.

A mapping says which columns those are; some of them (a customer, say) are no columns of an order line and would be
gone once a file is read, so their digest is kept beside the keys of the lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd

_APART = "\x1f"  # no cell holds it: control characters are refused


def owner_digests(values: pd.DataFrame, names: Sequence[str]) -> pd.Series[str]:
    """Return one digest per row of the text in its columns, named as the mapping names them.

    Examples
    --------
    >>> rows = pd.DataFrame({"match 0": ["ann", "bob", "ann"]})
    >>> digests = owner_digests(rows, ["customer"])
    >>> bool(digests[0] == digests[2]), bool(digests[0] == digests[1])
    (True, False)
    """
    group = values.groupby(list(values.columns), sort=False, dropna=False).ngroup()
    first = values[~group.duplicated().to_numpy()]
    texts = [_APART.join((*names, *map(str, row))) for row in first.itertuples(index=False, name=None)]
    digests = pd.Series([_digest(text) for text in texts], dtype="str")
    return digests.iloc[group.to_numpy()].set_axis(values.index)


def cancellation_digests(cancels: pd.DataFrame, owner: pd.Series[str]) -> pd.Series[str]:
    """Return one digest per cancellation row: what it says, and which of several that say the same it is in its file.

    Line numbers are left out, because the same row of a longer export has another one.

    Parameters
    ----------
    cancels : DataFrame
        ``order_id``, ``placed_at``, ``quantity``.
    owner : Series
        Digest of the columns a cancellation shares with its order.
    """
    facts = pd.DataFrame(
        {
            "order_id": cancels["order_id"].astype("str"),
            "placed_at": cancels["placed_at"].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "quantity": cancels["quantity"].round(9).map(repr),
            "owner": owner,
        }
    )
    facts["which"] = facts.groupby(list(facts.columns), sort=False).cumcount().astype("str")
    texts = [_digest(_APART.join(row)) for row in facts.itertuples(index=False, name=None)]
    return pd.Series(texts, index=cancels.index, dtype="str")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
