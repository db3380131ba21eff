"""Prices normalized usage by a book: model names, fallbacks, context tiers, multipliers, one rounding."""

import datetime
import re
from fractions import Fraction
from urllib.parse import urlsplit

PICO = 10**12
COLUMN_MAX = 10**18  # Decimal(18, 12)
FIRST_PARTY = ("openai", "anthropic", "google", "mistral", "cohere", "deepseek", "xai", "moonshot")


def occurred_at(event):
    at = event["occurred_at"]
    if isinstance(at, int):
        return datetime.datetime.fromtimestamp(at // 1000, datetime.timezone.utc)
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))


def vendor(event, book):
    """Whose prices: the event's provider, or, where that names a dialect, what the payload says."""
    provider, usage, context = event["provider"], event.get("usage") or {}, event.get("context") or {}
    if provider not in ("litellm_proxy", "otel", "openai_compatible") or (
        (provider, event["model"]) in book.models
    ):
        return provider
    said = context.get("custom_llm_provider")
    if said is None and isinstance(usage, dict):
        said = usage.get("gen_ai.provider.name") or usage.get("custom_llm_provider")
    if said is None:
        having = [one for one in FIRST_PARTY if (one, event["model"]) in book.models]
        said = having[0] if len(having) == 1 else None
    return said


def resolved(provider, event, book):
    """The book's name of the model; `None` where no rule leads to one."""
    names = [event["model"]]
    base = (event.get("context") or {}).get("base_model")
    if base:
        names = [base.removeprefix(f"{provider}/"), *names]
    if event.get("request_model"):
        names.append(event["request_model"])
    for name in names:
        for candidate in spellings(provider, name):
            candidate = book.alias(provider, candidate, occurred_at(event))
            if (provider, candidate) in book.models:
                return candidate
    return None


def spellings(provider, name):
    """One name, most literal first."""
    yield name
    while name.startswith(f"{provider}/"):
        name = name.removeprefix(f"{provider}/")
        yield name
    if name.startswith("arn:") and ":inference-profile/" in name:
        name = name.rsplit("/", 1)[1]
        yield name
    if provider == "bedrock" and name.split(".")[0] in ("us", "eu", "jp", "au", "apac", "us-gov"):
        name = name.split(".", 1)[1]
        yield name
    if "@" in name:
        name = name.split("@")[0]
        yield f"{name}@default"
        yield name
    if name.startswith("ft:"):
        name = "ft:" + name.split(":")[1]
        yield name
    dated = re.fullmatch(r"(.+)-(\d{4})-?(\d{2})-?(\d{2})", name)
    if dated:
        yield "-".join(dated.groups())
        yield dated[1] + "-" + "".join(dated.groups()[1:])
        yield dated[1]


def fallbacks(name):
    """A class, then the classes whose rate stands in for its own."""
    yield name
    if name.startswith("cache_read_"):
        medium = name.removeprefix("cache_read_").removesuffix("_explicit")
        if name != "cache_read_text":
            yield "cache_read_text"
        yield f"input_{medium}"
        name = f"input_{medium}"
    elif name.startswith("cache_write"):
        if name != "cache_write":
            yield "cache_write"
        name = "input"
    if name.startswith("input") and name != "input_text":
        yield "input_text"
    if name.startswith("output_") and name != "output_text":
        yield "output_text"


class Rated:
    """One event's status and cost in picodollars, or `None`."""

    def __init__(self, status, cost=None):
        self.status, self.cost = status, cost


class Unpriced(Exception):
    """No row, no rate, or no exchange rate."""


class Pricing:
    """What one event is priced with."""

    def __init__(self, book, event, facts):
        self.book, self.event, self.at = book, event, occurred_at(event)
        self.provider = vendor(event, book)
        model = resolved(self.provider, event, book)
        if model is None:
            raise Unpriced
        self.rows = book.models[self.provider, model]
        self.factor = Fraction(1)
        for one in book.multipliers[self.provider, model]:
            if all(matches(facts.get(k), v) for k, v in one["when"].items()):
                self.factor *= Fraction(one["factor"])

    def find(self, key, tier, prompt):
        """The row of one key; `prompt` is `None` outside of any context range."""
        for assumed in (False, True):
            for row in self.rows.get((key, tier), ()):
                if row.holds(self.event, self.at, assumed):
                    if (row.context is None) if prompt is None else (row.context and row.in_context(prompt)):
                        return row
        return None

    def rate(self, name, tier, prompt):
        """USD per token of a class, most specific step first."""
        steps = [(tier, prompt), ("standard", prompt), ("standard", None)]
        if not any(
            row.context and row.in_context(prompt)
            for rows in self.rows.values() for row in rows if row.holds(self.event, self.at)
        ):
            steps = [(tier, None), ("standard", None)]
        for step_tier, step_prompt in steps:
            for key in fallbacks(name):
                row = self.find(key, step_tier, step_prompt)
                if row and row.factor:
                    return row.rate * self.rate(key, "standard", prompt)
                if row:
                    return self.in_usd(row)
        raise Unpriced

    def in_usd(self, row):
        rate = self.book.usd(row.currency, self.at)
        if rate is None:
            raise Unpriced
        return row.rate * rate

    def unit(self, name):
        row = self.find(name, "standard", None)
        if row is None:
            raise Unpriced
        return self.in_usd(row)


def matches(value, pattern):
    if pattern.startswith("!"):
        return value is not None and value != pattern[1:]
    if pattern.endswith("*"):
        return value is not None and value.startswith(pattern[:-1])
    return value == pattern


def rounded(cost):
    """Half-even, to the picodollar."""
    pico, rest = divmod(cost.numerator * PICO, cost.denominator)
    twice = 2 * rest
    if twice > cost.denominator or (twice == cost.denominator and pico % 2):
        pico += 1
    return pico


def rate(book, event, use):
    """The status and cost of an event whose usage was read as `use`."""
    if event.get("gateway_cache_hit"):
        return Rated("gateway_cache_hit", 0)
    if use.committed:
        return Rated("committed_capacity", 0)
    if use.status == "unknown_usage":
        return Rated("unknown_usage")
    if use.authoritative is not None:
        return Rated("provider_reported", rounded(use.authoritative))
    facts = dict(use.facts)
    host = urlsplit((event.get("context") or {}).get("base_url") or "").hostname
    facts |= {"host": host, "location": (event.get("context") or {}).get("location")}
    try:
        pricing = Pricing(book, event, facts)
        cost, prices = Fraction(0), set()
        for request in use.requests:
            prompt = sum(n for c, n in request.items() if c.startswith(("input_", "cache_")))
            for name, count in request.items():
                if count:
                    price = pricing.rate(name, use.tier, prompt)
                    cost += count * price * pricing.factor
                    prices.add(price)
        for name, count in use.units.items():
            price = pricing.unit(name)
            cost += count * price
            prices.add(price)
    except Unpriced:
        return Rated("unpriced")
    pico = rounded(cost)
    if pico >= COLUMN_MAX:
        return Rated("unpriced")
    return Rated("free" if prices == {0} else "priced", pico)
