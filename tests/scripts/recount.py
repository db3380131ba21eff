"""Counts the events of an NDJSON file again: another language, its own rates (`metering/demo.toml`) and its
own reading of the rules. Then compares with the Delta table `calls` as DuckDB, Polars and delta-rs read it.

    recount.py EVENTS.ndjson TABLE [--without=EVENT_ID] [key=value storage option...]

Prints `equal: ROWS rows, TOTAL USD` or fails saying what differs.
"""

import json
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from metering import rating, usage
from metering.book import Book
from readers import by_delta_rs, by_duckdb, by_polars

BOOK = Book([Path(__file__).parent / "metering" / "demo.toml"])


def cost(event):
    pico = rating.rate(BOOK, event, usage.read(event)).cost
    return None if pico is None else Decimal(pico).scaleb(-12)


def recount(path, without):
    tenants, ids = defaultdict(Decimal), {}
    for line in open(path):
        event = json.loads(line)
        if event["event_id"] in ids or event["event_id"] == without:
            continue
        ids[event["event_id"]] = amount = cost(event)
        tenants[event["tenant"]] += amount or Decimal(0)
    return ids, tenants


def main():
    events, table = sys.argv[1:3]
    options = dict(pair.split("=", 1) for pair in sys.argv[3:])
    ids, tenants = recount(events, options.pop("--without", None))
    tenants_rs, ids_rs = by_delta_rs(table, options)
    missing = set(ids) - set(ids_rs)
    assert not missing, f"{len(missing)} ids are missing, such as {sorted(missing)[:3]}"
    assert len(ids_rs) == len(set(ids_rs)), f"{len(ids_rs) - len(set(ids_rs))} rows are there twice"
    assert set(ids_rs) == set(ids), "ids that were never sent"
    readers = {"delta-rs": (tenants_rs, len(ids_rs)), "Polars": by_polars(table, options)}
    if not options:
        readers["DuckDB"] = by_duckdb(table, options)
    for name, (sums, rows) in readers.items():
        assert rows == len(ids), f"{name}: {rows} rows, not {len(ids)}"
        for tenant, expected in tenants.items():
            assert sums[tenant] == expected, f"{name}: {tenant} costs {sums[tenant]}, not {expected}"
        assert set(sums) == set(tenants), f"{name}: tenants {sorted(sums)}"
    print(f"equal: {len(ids)} rows, {sum(tenants.values()).normalize():f} USD by {', '.join(sorted(readers))}")


main()
