"""Asks questions as a Python driver does, and prints the answers in one plain form.

postgres_clients.py (psycopg|psycopg-binary|asyncpg) PORT KEY QUESTIONS.tsv

A line of QUESTIONS is a name, a statement and its parameters (`type=value`), separated by tabs. A line
that is printed is the question's name and a row's cells.
"""

import asyncio
import json
import sys

import asyncpg
import psycopg

from plain import read, shown


def with_psycopg(port, key, questions, binary):
    where = f"host=127.0.0.1 port={port} user=analyst dbname=tokenmeter"
    with psycopg.connect(where, password=key) as connection:
        with psycopg.RawCursor(connection) as cursor:
            for name, sql, parameters in questions:
                # The third time a statement is prepared under a name.
                for _ in range(3):
                    cursor.execute(sql, parameters, binary=binary, prepare=True)
                    rows = cursor.fetchall()
                yield from ((name, row) for row in rows)


async def with_asyncpg(port, key, questions):
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user="analyst", password=key, database="tokenmeter", ssl=False
    )
    await connection.set_type_codec(
        "json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )
    answers = []
    for name, sql, parameters in questions:
        answers += [(name, tuple(row)) for row in await connection.fetch(sql, *parameters)]
    sql = "SELECT count(*) FROM calls WHERE team = ANY($1)"
    assert await connection.fetchval(sql, ["search", "chat"]) > 0, "an array"
    async with connection.transaction(readonly=True):
        sql = "SELECT event_id FROM calls WHERE source_index >= $1 ORDER BY event_id"
        cursor = [row[0] async for row in connection.cursor(sql, 0, prefetch=7)]
    assert cursor == [row[0] for row in await connection.fetch(sql, 0)], "a portal in parts"
    await connection.close()
    return answers


def main():
    driver, port, key, path = sys.argv[1:]
    questions = list(read(path))
    if driver == "asyncpg":
        answers = asyncio.run(with_asyncpg(int(port), key, questions))
    else:
        answers = with_psycopg(port, key, questions, driver == "psycopg-binary")
    for name, row in answers:
        print("\t".join([name, *map(shown, row)]))


main()
