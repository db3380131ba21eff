"""Reads usage blocks into disjoint classes: metering notes, section 2, read a second time."""

from fractions import Fraction

from . import responses
from .counts import Invalid, Use, number


def read(event):
    """What an event's usage says; `Invalid` where it is impossible."""
    raw = event.get("usage")
    use = READERS[dialect(event)](event, raw) if raw else Use("unknown_usage")
    if use.status == "complete" and event.get("status") == "aborted":
        use.status = "partial"
    use.tier = tier(event, use)
    use.committed |= (event.get("context") or {}).get("deployment_type") == "provisioned"
    return use


def tier(event, use):
    """The tier that served; a preference is none."""
    served = use.facts.pop("service_tier", None) or event.get("service_tier") or "standard"
    return "standard" if served in ("auto", "default", "standard", "on_demand") else served


def dialect(event):
    provider, api = event["provider"], event["api"].removesuffix(".stream")
    for key in ((provider, api), (provider, None)):
        if key in DIALECTS:
            return DIALECTS[key]
    return "openai"


DIALECTS = {
    ("openai", "responses"): "responses",
    ("openai", "realtime"): "realtime",
    ("openai", "images.generations"): "images",
    ("openai", "audio.transcriptions"): "transcription",
    ("openai", "videos"): "videos",
    ("anthropic", "messages"): "anthropic",
    ("anthropic", "message_batches"): "anthropic",
    ("vertex_ai", "messages"): "anthropic",
    ("vertex_ai", "generateContent"): "gemini",
    ("google", None): "gemini",
    ("bedrock", "converse"): "converse",
    ("bedrock", "invoke_model"): "invoke",
    ("bedrock", "apply_guardrail"): "guardrail",
    ("mistral", "ocr"): "ocr",
    ("mistral", "audio.transcriptions"): "voxtral",
    ("cohere", None): "cohere",
    ("deepseek", None): "deepseek",
    ("xai", "chat.completions"): "xai",
    ("xai", "responses"): "xai_responses",
    ("openrouter", None): "openrouter",
    ("perplexity", None): "perplexity",
    ("moonshot", None): "moonshot",
    ("dashscope", None): "dashscope",
    ("watsonx", None): "watsonx",
    ("litellm_proxy", None): "litellm",
    ("otel", None): "otel",
}


def last(raw, key="usage"):
    """Cumulative chunks: what the last one says of each counter."""
    if not isinstance(raw, list):
        return raw
    merged = {}
    for chunk in raw:
        merged |= {k: v for k, v in (chunk.get(key) or {}).items() if v is not None}
    return merged


def by_response(raw):
    """The elements of an array by the response they belong to: by `id`, or by the nearest one before."""
    if not isinstance(raw, list):
        return [raw]
    groups, current = {}, None
    for one in raw:
        current = one.get("id", current)
        groups.setdefault(current, []).append(one)
    return list(groups.values())


def openai_parts(u, write="cache_write_30m", prompt="prompt_tokens", output="completion_tokens"):
    """The shape that most share: details are subsets of the totals."""
    details = u.get("prompt_tokens_details") or u.get("input_tokens_details") or {}
    split = u.get("completion_tokens_details") or u.get("output_tokens_details") or {}
    total, out = number(u.get(prompt)), number(u.get(output))
    read, written = number(details.get("cached_tokens")), number(details.get("cache_write_tokens"))
    audio = number(details.get("audio_tokens"))
    reasoning, spoken = number(split.get("reasoning_tokens")), number(split.get("audio_tokens"))
    if read + written > total or audio > total or reasoning + spoken > out:
        raise Invalid("a part above its whole")
    text = total - audio - written
    read_text = min(read, text)
    request = {
        "input_text": text - read_text,
        "input_audio": audio - (read - read_text),
        "cache_read_text": read_text,
        "cache_read_audio": read - read_text,
        write: written,
        "output_text": out - reasoning - spoken,
        "output_reasoning": reasoning,
        "output_audio": spoken,
    }
    return request, u


def openai(event, raw):
    blocks = [block for block in map(last, by_response(raw)) if block]
    if not blocks:
        return Use("unknown_usage")
    write = "cache_write_30m" if event["provider"] == "openai" else "cache_write"
    if len(blocks) > 1:
        return Use("complete", [openai_parts(block, write)[0] for block in blocks])
    request, u = openai_parts(blocks[0], write)
    if event["provider"] == "together":
        beside = number(u.get("cached_tokens"))
        if beside > request["input_text"]:
            raise Invalid("more cached than sent")
        request["input_text"] -= beside
        request["cache_read_text"] += beside
    # A self-hosted server that tells no details knows totals only.
    detailed = u.get("prompt_tokens_details") or u.get("completion_tokens_details")
    status = "complete" if detailed or event["provider"] != "openai_compatible" else "totals_only"
    units = tools(event) if event["provider"] == "groq" else {}
    return Use(status, [request], units, facts={"service_tier": u.get("service_tier")})


def tools(event):
    """Fees of the Responses API are items of the output."""
    context = event.get("context") or {}
    items = context.get("output_item_types") or []
    units = {name: items.count(name) for name in ("web_search_call", "file_search_call")}
    units["browser_open"] = items.count("browser.open")
    if "code_interpreter_call" in items:
        units["code_interpreter_session"] = len(set(context["container_ids"]))
    return units


def openai_responses(event, raw):
    request, u = openai_parts(raw, prompt="input_tokens", output="output_tokens")
    return Use("complete", [request], tools(event), facts={"service_tier": u.get("service_tier")})


def realtime(event, raw):
    """`response.done` events, one per response: a sum, each tiered by itself."""
    requests, heard = [], {}
    for one in raw if isinstance(raw, list) else [raw]:
        if "transcription" in one["type"]:
            # Another model wrote down what was heard; its name is not told, so nothing prices it.
            said = one["usage"]
            heard = {"transcript_seconds": Fraction(str(said.get("seconds", 0)))} | {
                f"transcript_{side}_token": number(said.get(f"{side}_tokens")) for side in ("input", "output")
            }
            continue
        u = one["response"]["usage"]
        sent, out = u["input_token_details"], u["output_token_details"]
        cached = sent.get("cached_tokens_details") or {}
        request = {}
        for medium in ("text", "audio", "image"):
            read = number(cached.get(f"{medium}_tokens"))
            request[f"cache_read_{medium}"] = read
            request[f"input_{medium}"] = number(sent.get(f"{medium}_tokens")) - read
        reasoning = number(out.get("reasoning_tokens"))
        request["output_reasoning"] = reasoning
        request["output_text"] = number(out.get("text_tokens")) - reasoning
        request["output_audio"] = number(out.get("audio_tokens"))
        requests.append(request)
    return Use("complete", requests, heard)


def images(event, raw):
    sent, out = raw["input_tokens_details"], raw.get("output_tokens_details")
    made = number(raw["output_tokens"])
    request = {"input_text": number(sent["text_tokens"]), "input_image": number(sent["image_tokens"])}
    if out:
        request |= {"output_text": number(out["text_tokens"]), "output_image": number(out["image_tokens"])}
    else:
        request["output_image"] = made
    return Use("complete", [request])


def transcription(event, raw):
    if raw["type"] == "duration":
        return Use("complete", units={"audio_seconds": Fraction(str(raw["seconds"]))})
    sent = raw["input_token_details"]
    request = {
        "input_text": number(sent["text_tokens"]),
        "input_audio": number(sent["audio_tokens"]),
        "output_text": number(raw["output_tokens"]),
    }
    return Use("complete", [request])


def videos(event, raw):
    return Use("complete", units={"video_seconds": number(raw["seconds"])})


def invoke(event, raw):
    if "inputTextTokenCount" in raw:
        return Use("complete", [{"input_text": number(raw["inputTextTokenCount"])}])
    return responses.anthropic(event, raw)


def guardrail(event, raw):
    """Policy units, flat names."""
    names = {
        "topicPolicyUnits": "topic", "contentPolicyUnits": "content", "wordPolicyUnits": "word",
        "sensitiveInformationPolicyUnits": "pii", "sensitiveInformationPolicyFreeUnits": "pii_free",
        "contextualGroundingPolicyUnits": "grounding",
    }
    return Use("complete", units={f"guardrail_{n}": number(raw.get(k)) for k, n in names.items()})


def ocr(event, raw):
    annotated = (event.get("context") or {}).get("annotation")
    return Use("complete", units={"annotated_pages" if annotated else "pages": number(raw["pages_processed"])})


def voxtral(event, raw):
    """One basis: seconds, though tokens are told."""
    return Use("complete", units={"audio_seconds": number(raw["prompt_audio_seconds"])})


def cohere(event, raw):
    billed = (raw.get("meta") or raw)["billed_units"]
    request = {"input_text": number(billed.get("input_tokens")), "output_text": number(billed.get("output_tokens"))}
    return Use("complete", [request], {"search_units": number(billed.get("search_units"))})


def deepseek(event, raw):
    u = last(raw)
    request, _ = openai_parts(u)
    hit = number(u.get("prompt_cache_hit_tokens"))
    if hit > request["input_text"]:
        raise Invalid("more hits than sent")
    request["input_text"] -= hit
    request["cache_read_text"] += hit
    return Use("complete", [request])


def ticks(u):
    return None if u.get("cost_in_usd_ticks") is None else Fraction(u["cost_in_usd_ticks"], 10**10)


def xai(event, raw):
    """Chat: reasoning stands beside the completion."""
    split = raw.get("completion_tokens_details") or {}
    reasoning = number(split.get("reasoning_tokens"))
    request, u = openai_parts(raw | {"completion_tokens_details": None})
    request["output_reasoning"] = reasoning
    return Use("complete", [request], reported=ticks(u))


def xai_responses(event, raw):
    request, u = openai_parts(raw, prompt="input_tokens", output="output_tokens")
    used = raw.get("server_side_tool_usage_details") or {}
    return Use("complete", [request], {"web_search_call": number(used.get("web_search_calls"))}, reported=ticks(u))


def openrouter(event, raw):
    u = last(raw)
    request, _ = openai_parts(u, write="cache_write")
    use = Use("complete", [request])
    if u.get("cost") is not None:
        use.reported = use.authoritative = Fraction(str(u["cost"]))
        if u.get("is_byok"):
            use.authoritative += Fraction(str(u["cost_details"]["upstream_inference_cost"]))
            use.reported = use.authoritative
    return use


def perplexity(event, raw):
    split = raw.get("completion_tokens_details") or {}
    request, _ = openai_parts(raw | {"completion_tokens_details": None})
    request["citation"] = number(raw.get("citation_tokens"))
    request["output_reasoning"] = number(raw.get("reasoning_tokens", split.get("reasoning_tokens")))
    size, fee = raw.get("search_context_size"), (raw.get("cost") or {}).get("request_cost")
    # Sonar models search even where nothing is asked for, unless nothing was charged: the default.
    searched = size or ("sonar" in event["model"] and fee != 0)
    units = {f"search_request_{size or 'low'}": 1} if searched else {}
    if raw.get("num_search_queries"):
        units["search_queries"] = number(raw["num_search_queries"])
    cost = (raw.get("cost") or {}).get("total_cost")
    return Use("complete", [request], units, reported=None if cost is None else Fraction(str(cost)))


def moonshot(event, raw):
    return Use("complete", [openai_parts(raw, write="cache_write")[0]])


def dashscope(event, raw):
    request, _ = openai_parts(raw)
    if (raw.get("prompt_tokens_details") or {}).get("cache_type") == "ephemeral":
        request["cache_read_text_explicit"] = request.pop("cache_read_text")
    return Use("complete", [request])


def watsonx(event, raw):
    request = {"input_text": number(raw["input_token_count"]), "output_text": number(raw["generated_token_count"])}
    return Use("complete", [request])


def litellm(event, raw):
    """OpenAI's shape with Anthropic's keys, which are parts of the prompt here; either may be left out."""
    u = last(raw)
    details = u.get("prompt_tokens_details") or {}
    request, _ = openai_parts(u | {"prompt_tokens_details": None})
    read = number(u.get("cache_read_input_tokens", details.get("cached_tokens")))
    written = number(u.get("cache_creation_input_tokens", details.get("cache_creation_tokens")))
    if read + written > request["input_text"]:
        raise Invalid("more cache than prompt")
    request["input_text"] -= read + written
    request["cache_read_text"], request["cache_write_5m"] = read, written
    return Use("complete", [request])


def otel(event, raw):
    """Inclusive by the convention; older spellings, and what cannot be inclusive, are exclusive."""
    raw = {k.removeprefix("gen_ai.usage."): v for k, v in raw.items()}
    old = "cache_read_input_tokens" in raw
    names = ("cache_read_input_tokens", "cache_creation_input_tokens")
    names = names if old else ("cache_read.input_tokens", "cache_creation.input_tokens")
    read, written = (number(raw.get(name)) for name in names)
    sent = number(raw["input_tokens"])
    if not old and sent >= read + written:
        sent -= read + written
    reasoning = number(raw.get("reasoning.output_tokens"))
    request = {
        "input_text": sent,
        "cache_read_text": read,
        "cache_write_5m": written,
        "output_text": number(raw["output_tokens"]) - reasoning,
        "output_reasoning": reasoning,
    }
    detailed = {*names, "reasoning.output_tokens"} & raw.keys()
    return Use("complete" if detailed else "totals_only", [request])


READERS = {
    "openai": openai, "responses": openai_responses, "realtime": realtime, "images": images,
    "transcription": transcription, "videos": videos, "anthropic": responses.anthropic,
    "gemini": responses.gemini, "converse": responses.converse, "invoke": invoke,
    "guardrail": guardrail, "ocr": ocr, "voxtral": voxtral, "cohere": cohere, "deepseek": deepseek,
    "xai": xai, "xai_responses": xai_responses, "openrouter": openrouter, "perplexity": perplexity,
    "moonshot": moonshot, "dashscope": dashscope, "watsonx": watsonx, "litellm": litellm, "otel": otel,
}
