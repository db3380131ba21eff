"""Counts the events of an NDJSON file again: another language, its own rates and its own reading of the
rules, exact decimals. Then compares with the Delta table `calls` as DuckDB, Polars and delta-rs read it.

    recount.py EVENTS.ndjson TABLE [--without=EVENT_ID] [key=value storage option...]

Prints `equal: ROWS rows, TOTAL USD` or fails saying what differs.
"""

import json
import sys
from collections import defaultdict
from decimal import Decimal

# USD per million tokens, as the providers publish them.
RATES = {
    "gpt-4o-mini": {"input": "0.15", "read": "0.075", "output": "0.60"},
    "gpt-5-mini": {"input": "0.25", "read": "0.025", "output": "2"},
    "gpt-5": {"input": "1.25", "read": "0.125", "output": "10"},
    "claude-sonnet-4-5": {"input": "3", "read": "0.30", "write_5m": "3.75", "write_1h": "6", "output": "15"},
    "claude-haiku-4-5": {"input": "1", "read": "0.10", "write_5m": "1.25", "write_1h": "2", "output": "5"},
    "gemini-2.5-flash": {"input": "0.30", "read": "0.03", "output": "2.50"},
}


def classes(event):
    """Disjoint counts of one event; None where nothing is known."""
    u, provider = event.get("usage"), event["provider"]
    if not u:
        return None
    if provider == "anthropic":
        split = u.get("cache_creation") or {}
        hour = split.get("ephemeral_1h_input_tokens", 0)
        written = u.get("cache_creation_input_tokens", 0)
        return {
            "input": u["input_tokens"],
            "read": u.get("cache_read_input_tokens", 0),
            "write_5m": written - hour,
            "write_1h": hour,
            "output": u["output_tokens"],
        }
    if provider == "google":
        read = u.get("cachedContentTokenCount", 0)
        output = u.get("candidatesTokenCount", 0) + u.get("thoughtsTokenCount", 0)
        return {"input": u["promptTokenCount"] - read, "read": read, "output": output}
    if event["api"] == "responses":
        read = (u.get("input_tokens_details") or {}).get("cached_tokens", 0)
        return {"input": u["input_tokens"] - read, "read": read, "output": u["output_tokens"]}
    read = (u.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    written = u.get("cache_creation_input_tokens", 0)
    return {
        "input": u["prompt_tokens"] - read - written,
        "read": read,
        "write_5m": written,
        "output": u["completion_tokens"],
    }


def cost(event):
    rates, counts = RATES.get(event["model"]), classes(event)
    if rates is None or counts is None:
        return None
    return sum(Decimal(n) * Decimal(rates[c]) for c, n in counts.items() if n) / Decimal(1_000_000)


def recount(path, without):
    tenants, ids = defaultdict(Decimal), {}
    for line in open(path):
        event = json.loads(line)
        if event["event_id"] in ids or event["event_id"] == without:
            continue
        ids[event["event_id"]] = amount = cost(event)
        tenants[event["tenant"]] += amount or Decimal(0)
    return ids, tenants


def by_duckdb(table, options):
    import duckdb
    from duckdb_extensions import import_extension

    import_extension("delta")
    con = duckdb.connect()
    con.execute("LOAD delta")
    rows = con.execute(
        "SELECT tenant, sum(cost_usd), count(*) FROM delta_scan(?) GROUP BY tenant", [table]
    ).fetchall()
    return {t: c or Decimal(0) for t, c, _ in rows}, sum(n for _, _, n in rows)


def by_polars(table, options):
    import polars as pl

    rows = (
        pl.scan_delta(table, storage_options=options or None)
        .group_by("tenant")
        .agg(pl.col("cost_usd").sum(), pl.len().alias("n"))
        .collect()
    )
    return dict(zip(rows["tenant"], rows["cost_usd"])), sum(rows["n"])


def by_delta_rs(table, options):
    from deltalake import DeltaTable
    import pyarrow as pa

    read = DeltaTable(table, storage_options=options or None).to_pyarrow_table(
        columns=["tenant", "cost_usd", "event_id"]
    )
    tenants, ids = defaultdict(Decimal), []
    for tenant, amount, event_id in zip(*(read[c].to_pylist() for c in read.column_names)):
        tenants[tenant] += amount or Decimal(0)
        ids.append(event_id)
    return tenants, ids


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
    print(f"equal: {len(ids)} rows, {sum(tenants.values()):f} USD by {', '.join(sorted(readers))}")


main()
