"""Anthropic, Google and Bedrock: where the counters of the input stand beside each other."""

from .counts import Invalid, Use, number


def anthropic(event, raw):
    u = merged(raw) if isinstance(raw, list) else raw
    requests = [anthropic_request(one) for one in u.get("iterations") or [u]]
    if u.get("iterations") and not any("output_tokens_details" in one for one in u["iterations"]):
        # The split of the output is told for the last pass only.
        requests[-1] = anthropic_request(u["iterations"][-1] | {
            "output_tokens_details": u.get("output_tokens_details")
        })
    used = u.get("server_tool_use") or {}
    units = {
        "web_search_call": number(used.get("web_search_requests")),
        "web_fetch_call": number(used.get("web_fetch_requests")),
    }
    facts = {k: u.get(k) for k in ("service_tier", "inference_geo", "speed")}
    use = Use("complete", requests, units, facts)
    kinds = [one.get("type") for one in raw] if isinstance(raw, list) else []
    if "message_start" in kinds and "message_delta" not in kinds:
        use.status = "partial"
    return use


def merged(events):
    """A stream: the delta is cumulative, nulls say nothing, the larger count is the later one."""
    u = {}
    for event in events:
        said = (event.get("message") or event).get("usage") or {}
        for key, value in said.items():
            if value is None:
                continue
            if isinstance(value, int) and isinstance(u.get(key), int):
                value = max(value, u[key])
            u[key] = value
    return u


def anthropic_request(u):
    """Uncached, read and written are disjoint; lifetimes split what was written."""
    written = number(u.get("cache_creation_input_tokens"))
    split = u.get("cache_creation")
    if split:
        short, long = (number(split.get(f"ephemeral_{ttl}_input_tokens")) for ttl in ("5m", "1h"))
        rest = written - short - long
        if rest < 0:
            raise Invalid("the lifetimes exceed what was written")
    else:
        short, long, rest = written, 0, 0
    out = number(u.get("output_tokens"))
    thinking = number((u.get("output_tokens_details") or {}).get("thinking_tokens"))
    if thinking > out:
        raise Invalid("more thinking than output")
    return {
        "input_text": number(u.get("input_tokens")),
        "cache_read_text": number(u.get("cache_read_input_tokens")),
        "cache_write_5m": short,
        "cache_write_1h": long,
        "cache_write": rest,
        "output_text": out - thinking,
        "output_reasoning": thinking,
    }


MEDIA = {"TEXT": "text", "AUDIO": "audio", "IMAGE": "image", "VIDEO": "video", "DOCUMENT": "image"}


def by_medium(details, total):
    """Counts by medium; without details all is text."""
    if not details:
        return {"text": total}
    counts = {}
    for one in details:
        medium = MEDIA[one["modality"]]
        counts[medium] = counts.get(medium, 0) + number(one.get("tokenCount"))
    counts["text"] = counts.get("text", 0) + total - sum(counts.values())
    return counts


def gemini(event, raw):
    u = raw
    if isinstance(raw, list):
        u = {}
        for chunk in raw:
            u |= chunk.get("usageMetadata") or {}
    prompt, tool = number(u.get("promptTokenCount")), number(u.get("toolUsePromptTokenCount"))
    cached, thoughts = number(u.get("cachedContentTokenCount")), number(u.get("thoughtsTokenCount"))
    out = number(u.get("candidatesTokenCount", u.get("responseTokenCount")))
    if cached > prompt:
        raise Invalid("more cached than sent")
    sent = by_medium(u.get("promptTokensDetails"), prompt)
    if u.get("cacheTokensDetails"):
        read = by_medium(u["cacheTokensDetails"], cached)
    else:
        read, left = {}, cached
        for medium in ("text", *[medium for medium in sent if medium != "text"]):
            read[medium] = min(left, sent.get(medium, 0))
            left -= read[medium]
    made = by_medium(u.get("candidatesTokensDetails") or u.get("responseTokensDetails"), out)
    if thoughts and "totalTokenCount" in u and prompt + out + tool == number(u["totalTokenCount"]):
        made["text"] -= thoughts  # the older shape: thoughts are part of the candidates
    request = {"output_reasoning": thoughts}
    for medium in set(sent) | set(read):
        request[f"cache_read_{medium}"] = read.get(medium, 0)
        request[f"input_{medium}"] = sent.get(medium, 0) - read.get(medium, 0)
    request |= {f"output_{medium}": count for medium, count in made.items()}
    units = grounding(event)
    if not units:
        request["input_tool"] = tool
    if any(count < 0 for count in request.values()):
        raise Invalid("a part above its whole")
    use = Use("complete", [request], units)
    traffic = u.get("trafficType", "ON_DEMAND")
    use.committed = traffic == "PROVISIONED_THROUGHPUT"
    if traffic.startswith("ON_DEMAND_"):
        use.facts["service_tier"] = traffic.removeprefix("ON_DEMAND_").lower()
    return use


def grounding(event):
    """Search and maps fees: per grounded prompt up to Gemini 2.x, per query from 3."""
    context = event.get("context") or {}
    per_query = "gemini-3" in event["model"]
    units = {}
    for key, name in (("web_search_queries", "web_search"), ("maps_queries", "maps")):
        count = number(context.get(key))
        if count:
            units[f"{name}_query" if per_query else f"{name}_prompt"] = count if per_query else 1
    return units


def converse(event, raw):
    """Disjoint; only OpenAI's family counts the cache inside its input."""
    sent, read, written = (
        number(raw.get(key)) for key in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )
    family = "openai." in event["model"]
    if family and sent >= read + written:
        sent -= read + written
    long = sum(number(one["inputTokens"]) for one in raw.get("cacheDetails") or [] if one["ttl"] == "1h")
    short = sum(number(one["inputTokens"]) for one in raw.get("cacheDetails") or [] if one["ttl"] == "5m")
    if not raw.get("cacheDetails"):
        short = written
    if short + long > written:
        raise Invalid("the lifetimes exceed what was written")
    request = {
        "input_text": sent,
        "cache_read_text": read,
        "cache_write_30m" if family else "cache_write_5m": short,
        "cache_write_1h": long,
        "cache_write": written - short - long,
        "output_text": number(raw.get("outputTokens")),
    }
    return Use("complete", [request])
