#!/usr/bin/env python3
"""Recounts generated call events by a second reading of the metering rules and compares `tokenmeter
meter`, row by row and in sum: status, classes, units, reported and exact cost. Nothing but Python 3.11.

    recount_meter.py TOKENMETER [EVENTS] [SEED]

Prints `equal: ROWS rows, TOTAL USD, ...`, or the first disagreements of each kind with their events.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

from metering import events, rating, usage
from metering.book import Book
from metering.counts import Invalid

HERE = Path(__file__).parent / "metering"
BOOKS = [HERE / f"{name}.toml" for name in ("book", "observed", "contract", "override")]
PICO = rating.PICO
SHOWN = 2


def expected(book, event):
    """What the rules make of an event, as `meter` prints it; numbers exact."""
    try:
        use = usage.read(event)
    except Invalid:
        return {"usage_status": "invalid_usage", "cost_status": None, "tokens": {}, "units": {}, "cost_usd": None}
    rated = rating.rate(book, event, use)
    reported = use.reported if use.reported is not None else event.get("reported_cost")
    return {
        "reported_cost_usd": None if reported is None else Fraction(reported),
        "usage_status": use.status,
        "cost_status": rated.status,
        "tokens": use.tokens(),
        "units": {name: Fraction(count) for name, count in use.units.items()},
        "cost_usd": None if rated.cost is None else Fraction(rated.cost, PICO),
    }


def metered(line):
    row = json.loads(line)
    for key in ("cost_usd", "reported_cost_usd"):
        row[key] = None if row[key] is None else Fraction(row[key])
    row["units"] = {name: Fraction(count) for name, count in row["units"].items()}
    return row


class Sums:
    """Exact cost in total, per tenant and per status."""

    def __init__(self):
        self.total, self.tenants, self.statuses = 0, defaultdict(int), Counter()

    def add(self, event, row):
        cost = row["cost_usd"]
        pico = 0 if cost is None else cost.numerator * (PICO // cost.denominator)
        self.total += pico
        self.tenants[event.get("tenant")] += pico
        self.statuses[row["cost_status"] or row["usage_status"]] += 1

    def all(self):
        return self.total, dict(self.tenants), dict(self.statuses)


def main():
    tokenmeter, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 4
    book, ours, theirs, differing, shown = Book(BOOKS), Sums(), Sums(), Counter(), defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.ndjson"
        with file.open("w") as out:
            for event in events.generated(count, seed):
                out.write(json.dumps(event) + "\n")
        command = [tokenmeter, "meter", str(file)]
        for path in BOOKS:
            command += ["--prices", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        rows = 0
        for text, line in zip(file.open(), process.stdout, strict=True):
            event, row = json.loads(text), metered(line)
            want = expected(book, event)
            rows += 1
            ours.add(event, want)
            theirs.add(event, row)
            wrong = [key for key, value in want.items() if row[key] != value]
            if wrong:
                kind = (event["provider"], event["api"], tuple(wrong), want["cost_status"], row["cost_status"])
                differing[kind] += 1
                if len(shown[kind]) < SHOWN:
                    shown[kind].append((text, want, line))
        assert process.wait() == 0, f"`tokenmeter meter` failed: {process.returncode}"
    for kind, times in differing.most_common():
        print(f"\n{times} x {kind}")
        for text, want, line in shown[kind]:
            print(f"  event    {text.strip()}\n  recount  {json.dumps(want, default=decimal)}\n  metered  {line.strip()}")
    if differing or ours.all() != theirs.all() or rows != count:
        sys.exit(f"\n{sum(differing.values())} of {rows} rows differ; {ours.all()} against {theirs.all()}")
    statuses = ", ".join(f"{n} {status}" for status, n in sorted(ours.statuses.items()))
    total = decimal(Fraction(ours.total, PICO))
    print(f"equal: {rows} rows, {total} USD, {len(ours.tenants)} tenants; {statuses}")


def decimal(number):
    whole, rest = divmod(number.numerator * PICO // number.denominator, PICO)
    return f"{whole}.{rest:012}".rstrip("0").rstrip(".")


main()
