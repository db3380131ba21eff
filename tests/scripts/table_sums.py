"""What the Delta table `calls` holds, as DuckDB, Polars and delta-rs read it.

    table_sums.py TABLE

Prints one JSON object: rows, the total and each tenant's cost in USD; fails where the readers differ
or an event id is there twice.
"""

import json
import sys

from readers import by_delta_rs, by_duckdb, by_polars


def plain(amount):
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def main():
    table = sys.argv[1]
    tenants, ids = by_delta_rs(table, {})
    assert len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} rows are there twice"
    for name, reader in {"DuckDB": by_duckdb, "Polars": by_polars}.items():
        sums, rows = reader(table, {})
        assert rows == len(ids), f"{name}: {rows} rows, not {len(ids)}"
        assert sums == dict(tenants), f"{name}: {sums}, not {dict(tenants)}"
    told = {"rows": len(ids), "total": plain(sum(tenants.values()))}
    told["tenants"] = {tenant: plain(cost) for tenant, cost in sorted(tenants.items())}
    print(json.dumps(told))


main()
