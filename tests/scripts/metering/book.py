"""Reads price books (`prices/README.md` has the format) and finds rows: layers, dates, conditions."""

import datetime
import tomllib
import zoneinfo
from fractions import Fraction
from pathlib import Path

LAYERS = {"override": 0, "contract": 1, "list": 2}
UTC = datetime.timezone.utc
BEGINNING = datetime.datetime(1, 1, 1, tzinfo=UTC)
END = datetime.datetime(9999, 1, 1, tzinfo=UTC)


def instant(value, default):
    if value is None:
        return default
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def span(block):
    return instant(block.get("effective_from"), BEGINNING), instant(block.get("effective_to"), END)


def minutes(text):
    hours, rest = text.split(":")
    return int(hours) * 60 + int(rest)


class Hours:
    """Times of day: half-open windows, around midnight too, on some weekdays of a zone."""

    def __init__(self, parts):
        self.parts = parts if isinstance(parts, list) else [parts]

    def cover(self, at):
        return any(self.part_covers(part, at) for part in self.parts)

    @staticmethod
    def part_covers(part, at):
        zone = part.get("zone", "+00:00")
        if zone[0] in "+-":
            sign = -1 if zone[0] == "-" else 1
            local = at + sign * datetime.timedelta(minutes=minutes(zone[1:]))
        else:
            local = at.astimezone(zoneinfo.ZoneInfo(zone))
        now = local.hour * 60 + local.minute
        days = part.get("weekdays", [1, 2, 3, 4, 5, 6, 7])
        for window in part["windows"]:
            start, end = (minutes(text) for text in window.split("-"))
            if start < end:
                if start <= now < end and local.isoweekday() in days:
                    return True
            elif now >= start and local.isoweekday() in days:
                return True
            elif now < end and (local - datetime.timedelta(days=1)).isoweekday() in days:
                return True  # the window began the day before
        return False


class Row:
    """One price: what it is for, when it holds, and an exact rate, or a factor on the standard one."""

    def __init__(self, key, tier, context, block, order, layer, factor=False):
        amount, per = str(block["amounts"][key]), block["per"]
        if "/" in amount:
            amount, per = amount.split("/")
        elif key not in CLASSES:
            per = 1
        self.factor = factor
        self.rate = Fraction(amount.strip()) / (1 if factor else int(per))
        self.order, self.layer = order, LAYERS[layer]
        self.context = context and (context.get("above"), context.get("from"), context.get("to"))
        self.hours = block.get("hours") and Hours(block["hours"])
        self.tenant, self.deployment = block.get("tenant"), block.get("deployment")
        self.currency = block.get("currency", "USD")
        self.undated = "observed" in block
        self.start = instant(block.get("observed", block.get("effective_from")), BEGINNING)
        self.end = instant(block.get("effective_to"), END)

    def holds(self, event, at, assumed=False):
        """Whether it is for this call; `assumed`: although it was observed only later."""
        return (
            (self.undated and at < self.start if assumed else self.start <= at < self.end)
            and (self.tenant is None or self.tenant == event.get("tenant"))
            and (self.deployment is None or self.deployment == event.get("deployment"))
            and (self.hours is None or self.hours.cover(at))
        )

    def in_context(self, prompt):
        above, start, end = self.context
        return (
            (above is None or prompt > above)
            and (start is None or prompt >= start)
            and (end is None or prompt <= end)
        )

    def precedence(self):
        """Smaller comes first: the layer, a time of day before none, the latest date, the later file."""
        return (self.layer, self.hours is None, -self.start.timestamp(), -self.order)


CLASSES = set(
    "input_text input_audio input_image input_video input_tool cache_read_text cache_read_audio "
    "cache_read_image cache_read_video cache_read_text_explicit cache_write cache_write_5m "
    "cache_write_30m cache_write_1h cache_write_12h output_text output_reasoning output_audio "
    "output_image output_video citation".split()
)


class Book:
    """All rows of some files, by provider and model, then by key and tier."""

    def __init__(self, paths):
        self.models, self.multipliers, self.aliases, self.fx = {}, {}, {}, {}
        self.order = 0
        for path in paths:
            document = tomllib.loads(Path(path).read_text())
            layer = document.pop("layer", "list")
            models = document.pop("model", [])
            for one in document.pop("alias", []):
                meaning = (*span(one), one["canonical"])
                self.aliases.setdefault((one["provider"], one["alias"]), []).append(meaning)
            for one in document.pop("fx", []):
                rate = (*span(one), Fraction(one["usd_per_unit"]))
                self.fx.setdefault(one["currency"], []).append(rate)
            for block in models:
                self.add(document | block, layer)

    def add(self, block, layer):
        variants = block.pop("variant", [])
        self.add_rows(block, layer)
        shared = {k: v for k, v in block.items() if k not in ("rates", "tiers", "factors", "multipliers")}
        for variant in variants:
            self.add_rows(shared | variant, layer)

    def add_rows(self, block, layer):
        names = block.get("names") or [block["name"]]
        block.setdefault("per", 1_000_000)
        base, context = block.get("tier", "standard"), block.get("context")
        groups = [(base, block.get("rates", {}), False), (base, block.get("factors", {}), True)]
        groups += [(tier, amounts, False) for tier, amounts in block.get("tiers", {}).items()]
        for name in names:
            rows = self.models.setdefault((block["provider"], name), {})
            for tier, amounts, factor in groups:
                for key in amounts:
                    self.order += 1
                    row = Row(key, tier, context, block | {"amounts": amounts}, self.order, layer, factor)
                    rows.setdefault((key, tier), []).append(row)
                    rows[key, tier].sort(key=Row.precedence)
            self.multipliers.setdefault((block["provider"], name), []).extend(block.get("multipliers", []))

    def usd(self, currency, at):
        if currency == "USD":
            return Fraction(1)
        return in_force(self.fx.get(currency, []), at)

    def alias(self, provider, name, at):
        """What a name stands for then; itself, where it is no alias."""
        return in_force(self.aliases.get((provider, name), []), at) or name


def in_force(dated, at):
    return next((value for start, end, value in dated if start <= at < end), None)
