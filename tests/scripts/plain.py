"""Questions as a file has them, and cells of answers in one plain form."""

import datetime
import decimal
import json


def read(path):
    for line in open(path, encoding="utf-8"):
        name, sql, *parameters = line.rstrip("\n").split("\t")
        yield name, sql, [value(*parameter.split("=", 1)) for parameter in parameters]


def value(kind, text):
    if kind == "timestamp":
        return datetime.datetime.fromisoformat(text)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    return {"text": str, "bigint": int, "numeric": decimal.Decimal}[kind](text)


def shown(cell):
    if cell is None:
        return "\\N"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        raise TypeError(f"a float: {cell}")
    if isinstance(cell, decimal.Decimal):
        text = format(cell, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(cell, datetime.datetime):
        assert cell.tzinfo is not None, "a time without a zone"
        cell = cell.astimezone(datetime.timezone.utc)
        micros = cell.microsecond
        part = "" if not micros else f".{micros:06}" if micros % 1000 else f".{micros // 1000:03}"
        return cell.strftime("%Y-%m-%dT%H:%M:%S") + part + "Z"
    if isinstance(cell, (bytes, memoryview)):
        return bytes(cell).hex()
    if isinstance(cell, dict):
        return json.dumps(cell, separators=(",", ":"), sort_keys=True)
    return str(cell)
