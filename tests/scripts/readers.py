"""The Delta table `calls` as DuckDB, Polars and delta-rs read it: cost by tenant, and how many rows."""

from collections import defaultdict
from decimal import Decimal


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
