"""Counts as providers write them, and what a usage block comes to."""

from fractions import Fraction


class Invalid(Exception):
    """The usage is impossible: a rejection."""


def number(value):
    """A count: absent is none of it, text and whole floats are read, the rest is impossible."""
    if value is None:
        return 0
    try:
        exact = Fraction(str(value))
    except ValueError:
        raise Invalid(f"not a number: {value}") from None
    if exact < 0 or exact.denominator != 1 or isinstance(value, bool):
        raise Invalid(f"not a count: {value}")
    return exact.numerator


class Use:
    """Classes of each request (a context tier is one request's), units of them all, and facts."""

    def __init__(self, status, requests=(), units=None, facts=None, reported=None):
        self.status, self.requests = status, list(requests)
        self.units = {k: v for k, v in (units or {}).items() if v}
        self.facts = {k: v for k, v in (facts or {}).items() if v is not None}
        self.reported, self.authoritative = reported, None
        self.tier, self.committed = "standard", False

    def tokens(self):
        """The classes of all requests, zeros left out."""
        sums = {}
        for request in self.requests:
            for name, count in request.items():
                if count:
                    sums[name] = sums.get(name, 0) + count
        return sums
