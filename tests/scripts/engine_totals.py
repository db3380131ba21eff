"""Asks an engine questions about the Delta table `calls`, and prints the answers in one plain form.

engine_totals.py (duckdb|polars|spark) TABLE QUESTIONS.tsv

A line of QUESTIONS is a name and a statement, separated by a tab. A line that is printed is the
question's name and a row's cells.
"""

import sys
from datetime import datetime, timezone

from plain import read, shown


def duckdb(table):
    import duckdb
    from duckdb_extensions import import_extension

    import_extension("delta")
    connection = duckdb.connect()
    connection.execute("LOAD delta")
    connection.execute("SET TimeZone = 'UTC'")
    connection.sql("SELECT * FROM delta_scan($1)", params=[table]).create_view("calls")
    return lambda sql: connection.execute(sql).fetchall()


def polars(table):
    import polars

    context = polars.SQLContext(calls=polars.scan_delta(table))
    return lambda sql: context.execute(sql).collect().rows()


def spark(table):
    from pyspark.sql import SparkSession

    settings = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.read.format("delta").load(table).createOrReplaceTempView("calls")
    return lambda sql: [map(in_utc, row) for row in session.sql(sql).collect()]


def in_utc(cell):
    """Spark gives times in its machine's zone, which is UTC here, and does not say so."""
    return cell.replace(tzinfo=timezone.utc) if isinstance(cell, datetime) else cell


def main():
    engine, table, path = sys.argv[1:]
    ask = {"duckdb": duckdb, "polars": polars, "spark": spark}[engine](table)
    for name, sql, _ in read(path):
        for row in ask(sql):
            print("\t".join([name, *map(shown, row)]))


main()
