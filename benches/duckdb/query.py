"""Answers the query bench's questions with DuckDB over plain daily Parquet files, and prints the
answers as texts, the CPU seconds of each and the peak of memory, as JSON.

Arguments: the questions as JSON, the folder for the daily files, then the files that hold the rows.
"""

import json
import os
import resource
import subprocess
import sys
from decimal import Decimal

import duckdb

ASK = "--ask"


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def write_days(files, days):
    db = duckdb.connect()
    db.execute("set TimeZone = 'UTC'")
    rows = "select * from read_parquet(?, hive_partitioning = true) order by occurred_at"
    layout = "format parquet, compression zstd, partition_by (date)"
    db.execute(f"copy ({rows}) to '{days}' ({layout})", [files])


def text(value):
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)


def ask(asked, days):
    db = duckdb.connect()
    db.execute("set threads = 2; set TimeZone = 'UTC'; set parquet_metadata_cache = true")
    db.execute(
        "create view calls as select * from"
        f" read_parquet('{days}/*/*.parquet', hive_partitioning = true)"
    )
    answers = []
    for name, sql in asked["questions"]:
        rows = [[text(value) for value in row] for row in db.execute(sql).fetchall()]
        runs, before = 0, cpu_seconds()
        while cpu_seconds() - before < asked["seconds_min"] and runs < asked["runs_max"]:
            db.execute(sql).fetchall()
            runs += 1
        seconds = (cpu_seconds() - before) / runs
        answers.append({"name": name, "cpu_seconds": seconds, "rows": rows})
    # Not `ru_maxrss`, which an earlier program of this process may have set.
    status = open("/proc/self/status", encoding="ascii").read()
    peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps({"answers": answers, "peak_mib": peak}))


if sys.argv[1] == ASK:
    ask(json.loads(sys.argv[2]), sys.argv[3])
else:
    # Another process asks: its memory is that of asking.
    if not os.path.isdir(sys.argv[2]):
        write_days(sys.argv[3:], sys.argv[2])
    subprocess.run([sys.executable, __file__, ASK, *sys.argv[1:3]], check=True)
