"""Generates call events from a seed: every dialect, every kind of price row, edges more often than not."""

import datetime
import random

UTC = datetime.timezone.utc
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)
SECOND = datetime.timedelta(seconds=1)
DAYS = 320
CHANGES = [  # instants at which some row of the books begins or ends
    datetime.datetime(2026, *day, tzinfo=UTC)
    for day in ((2, 1), (3, 1), (5, 1), (6, 10), (7, 1), (8, 15), (9, 1))
]
TENANTS = ["acme", "globex", "initech", "umbrella", None]


def generated(count, seed):
    """`count` events, the same ones for the same seed."""
    r = random.Random(seed)
    kinds, weights = zip(*KINDS)
    for number, kind in enumerate(r.choices(kinds, weights, k=count)):
        event = {"event_id": f"rc-{number}", "source": "recount", "occurred_at": moment(r)}
        event |= {k: v for k, v in kind(r).items() if v is not None}
        tenant = r.choice(TENANTS)
        if tenant:
            event["tenant"] = tenant
        if chance(r, 0.01):
            event["gateway_cache_hit"] = True
        if chance(r, 0.02):
            event["reported_cost"] = r.choice(["0.0123", 1, "12"])
        if chance(r, 0.01):
            event["usage"] = r.choice([None, {}, []])
            event.pop("gateway_cache_hit", None)
        if chance(r, 0.01):
            event["model"] = "rc-not-in-any-book"
            event.pop("context", None)
        yield event


def chance(r, share):
    return r.random() < share


def moment(r):
    """An instant of 2026, as text or as milliseconds; around changes and the hours' edges too."""
    if chance(r, 0.2):
        at = r.choice(CHANGES) + r.choice([-1, 0, 1]) * SECOND
    elif chance(r, 0.2):
        at = START + datetime.timedelta(days=r.randrange(DAYS), minutes=30 * r.randrange(48) + r.choice([0, 15]))
        at -= r.choice([0, 1]) * SECOND
    else:
        at = START + datetime.timedelta(seconds=r.randrange(DAYS * 86400))
    return int(at.timestamp()) * 1000 if chance(r, 0.3) else at.isoformat().replace("+00:00", "Z")


def some(r, most=9000):
    """A count: none, few or many."""
    return r.choice([0, 1, r.randrange(20), r.randrange(most), r.randrange(most)])


def part(r, whole):
    return r.choice([0, whole, r.randint(0, whole), r.randint(0, whole)])


def prompt(r, *edges):
    """A prompt's length, often at the edge of a context tier."""
    if edges and chance(r, 0.3):
        return r.choice(edges) + r.choice([-1, 0, 1, 1000])
    return 1 + some(r, 60000)


def maybe(r, value, share=0.5):
    return value if chance(r, share) else None


def chat(r, total, cached=True, reasoning=True, written=False):
    """The usage of OpenAI's chat completions."""
    out, read = some(r), part(r, total) if cached else 0
    usage = {"prompt_tokens": total, "completion_tokens": out, "total_tokens": total + out}
    details = {"cached_tokens": read} if read or chance(r, 0.5) else None
    if written:
        details = (details or {}) | {"cache_write_tokens": part(r, total - read)}
    if details or chance(r, 0.3):
        usage["prompt_tokens_details"] = details
    if reasoning and chance(r, 0.5):
        usage["completion_tokens_details"] = {"reasoning_tokens": part(r, out), "accepted_prediction_tokens": part(r, out)}
    return usage


def openai_chat(r):
    base = r.choice(["https://api.openai.com/v1", "https://eu.api.openai.com/v1", "https://us.api.openai.com/v1"])
    tier = r.choice([None, "default", "auto", "flex", "priority", "batch"])
    usage = chat(r, prompt(r, 272000), written=chance(r, 0.3))
    served = tier
    if tier and chance(r, 0.5):
        usage["service_tier"], served = tier, None
    return {
        "provider": "openai", "api": "chat.completions", "usage": usage, "service_tier": served,
        "model": r.choice(["rc-gpt", "rc-gpt", "rc-gpt-latest", "rc-gpt-2026-05-05", "rc-gpt-20260505", "openai/rc-gpt"]),
        "context": maybe(r, {"base_url": base, "requested_service_tier": "priority"} if tier else {"base_url": base}),
    }


def openai_stream(r):
    usage = chat(r, prompt(r))
    chunks = [{"usage": None}] * r.randrange(3) + [{"usage": usage}]
    event = {"provider": "openai", "api": "chat.completions.stream", "model": "rc-gpt-mini", "usage": chunks}
    if chance(r, 0.1):
        event |= {"usage": [{"usage": None}] * 2, "status": "aborted"}
    return event


def openai_batch(r):
    """The lines of a batch: a response each, tiered each."""
    usage = [{"id": f"chatcmpl-{n}", "usage": chat(r, prompt(r, 272000))} for n in range(r.randint(2, 5))]
    return {"provider": "openai", "api": "batch", "model": "rc-gpt", "usage": usage, "service_tier": "batch"}


def openai_response(r):
    total, out = prompt(r, 272000), some(r)
    items = r.choices(["message", "web_search_call", "file_search_call", "reasoning"], k=r.randrange(5))
    context = {"output_item_types": items}
    if chance(r, 0.2):
        context = {"output_item_types": items + ["code_interpreter_call"] * 2, "container_ids": r.choices(["c1", "c2"], k=2)}
    usage = {
        "input_tokens": total, "output_tokens": out, "total_tokens": total + out,
        "input_tokens_details": {"cached_tokens": part(r, total)},
        "output_tokens_details": {"reasoning_tokens": part(r, out)},
    }
    tier = r.choice([None, "default", "flex", "priority"])
    return {"provider": "openai", "api": "responses", "model": "rc-gpt", "usage": usage, "context": context, "service_tier": tier}


def openai_audio(r):
    total, out = prompt(r), some(r)
    usage = {
        "prompt_tokens": total, "completion_tokens": out, "total_tokens": total + out,
        "prompt_tokens_details": {"audio_tokens": part(r, total), "cached_tokens": part(r, total)},
        "completion_tokens_details": {"audio_tokens": part(r, out), "reasoning_tokens": 0},
    }
    return {"provider": "openai", "api": "chat.completions", "model": "rc-gpt-audio", "usage": usage}


def realtime(r):
    def one(number):
        sent = {f"{medium}_tokens": some(r) for medium in ("text", "audio", "image")}
        cached = {key: part(r, count) for key, count in sent.items()}
        text, spoken = some(r), some(r)
        usage = {
            "input_tokens": sum(sent.values()), "output_tokens": text + spoken,
            "total_tokens": sum(sent.values()) + text + spoken,
            "input_token_details": sent | {"cached_tokens": sum(cached.values()), "cached_tokens_details": cached},
            "output_token_details": {"text_tokens": text, "audio_tokens": spoken, "reasoning_tokens": part(r, text)},
        }
        return {"type": "response.done", "response": {"id": f"resp_{number}", "usage": usage}}

    def transcript():
        kind = "conversation.item.input_audio_transcription.completed"
        if chance(r, 0.5):
            return {"type": kind, "usage": {"type": "duration", "seconds": r.randint(1, 400) / 4}}
        heard, out = some(r), some(r)
        usage = {"type": "tokens", "input_tokens": heard, "output_tokens": out, "total_tokens": heard + out,
                 "input_token_details": {"audio_tokens": heard, "text_tokens": 0}}
        return {"type": kind, "usage": usage}

    usage = [one(n) for n in range(r.randint(2, 4))] if chance(r, 0.4) else one(0)
    if isinstance(usage, list) and chance(r, 0.3):
        usage.insert(r.randint(0, len(usage)), transcript())
    return {"provider": "openai", "api": "realtime", "model": "rc-realtime", "usage": usage}


def openai_image(r):
    text, image, seen, made = some(r), some(r), some(r), some(r)
    usage = {
        "input_tokens": text + image, "output_tokens": seen + made, "total_tokens": text + image + seen + made,
        "input_tokens_details": {"text_tokens": text, "image_tokens": image},
    }
    if chance(r, 0.5):
        usage["output_tokens_details"] = {"text_tokens": seen, "image_tokens": made}
    return {"provider": "openai", "api": "images.generations", "model": "rc-image", "usage": usage}


def openai_transcription(r):
    event = {"provider": "openai", "api": "audio.transcriptions"}
    if chance(r, 0.5):
        return event | {"model": "rc-whisper", "usage": {"type": "duration", "seconds": 1 + some(r)}}
    text, audio, out = some(r), some(r), some(r)
    usage = {
        "type": "tokens", "input_tokens": text + audio, "output_tokens": out, "total_tokens": text + audio + out,
        "input_token_details": {"text_tokens": text, "audio_tokens": audio},
    }
    return event | {"model": "rc-transcribe", "usage": usage}


def openai_rest(r):
    """Embeddings, videos, fine-tuned names, free rows, missing rates, fine digits, a cost too large."""
    sent = prompt(r)
    return {"provider": "openai", "api": "chat.completions"} | r.choice([
        {"api": "embeddings", "model": "rc-embed", "usage": {"prompt_tokens": sent, "total_tokens": sent}},
        {"api": "videos", "model": "rc-video", "usage": {"seconds": r.choice([4, 8, 12]), "size": "1280x720"}},
        {"model": r.choice(["ft:rc-gpt-mini:acme::AbC", "ft:rc-gpt-mini:acme:x:AbC:ckpt-step-40"]), "usage": chat(r, sent),
         "service_tier": r.choice([None, "batch"])},
        {"model": "ft:rc-gpt:acme::AbC", "usage": chat(r, sent)},
        {"model": "rc-free", "usage": chat(r, sent)},
        {"model": "rc-input-only", "usage": chat(r, sent)},
        {"model": "rc-fine", "usage": chat(r, sent)},
        {"model": "rc-huge", "usage": chat(r, r.choice([1, 2]), cached=False)},
        {"model": "rc-renamed", "request_model": "rc-gpt-mini", "usage": chat(r, sent)},
        {"model": "rc-newest", "usage": chat(r, sent)},
        {"model": "rc-observed", "usage": chat(r, sent), "service_tier": r.choice([None, "batch"])},
    ])


def impossible(r):
    usage = chat(r, 1000, cached=False, reasoning=False)
    usage |= r.choice([
        {"prompt_tokens": -5}, {"completion_tokens": 200.5}, {"completion_tokens": -1},
        {"prompt_tokens_details": {"cached_tokens": 1001}},
        {"prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 500}},
        {"completion_tokens_details": {"reasoning_tokens": 9001}},
    ])
    return {"provider": "openai", "api": "chat.completions", "model": "rc-gpt", "usage": usage}


def lenient(r):
    usage = {"prompt_tokens": str(some(r)), "completion_tokens": float(some(r))}
    return {"provider": "openai_compatible", "api": "chat.completions", "model": "my-org/rc-llama", "usage": usage}


def azure(r):
    event = {"provider": "azure", "api": "chat.completions", "usage": chat(r, prompt(r)), "model": "rc-azure"}
    kind = r.randrange(4)
    if kind == 0:
        event |= {"model": "gpt-prod", "deployment": "gpt-prod", "context": {"base_model": "azure/rc-azure"}}
    elif kind == 1:
        event["deployment"] = "dep-1"
    elif kind == 2:
        event["context"] = {"deployment_type": "provisioned"}
    return event


def claude_usage(r, edges=(200000,)):
    sent, read, written = some(r), part(r, prompt(r, *edges)), some(r)
    if chance(r, 0.2):
        sent = max(0, r.choice(edges) + r.choice([0, 1]) - read - written)
    out = some(r)
    usage = {
        "input_tokens": sent, "output_tokens": out,
        "cache_read_input_tokens": read, "cache_creation_input_tokens": written,
    }
    if chance(r, 0.5):
        long = part(r, written)
        short = part(r, written - long) if chance(r, 0.2) else written - long
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    if chance(r, 0.4):
        usage["output_tokens_details"] = {"thinking_tokens": part(r, out)}
    return usage


def anthropic(r):
    usage = claude_usage(r)
    usage |= {k: v for k, v in {
        "inference_geo": r.choice([None, "us", "global"]), "speed": r.choice([None, "standard", "fast"]),
        "service_tier": r.choice([None, "standard", "batch"]),
        "server_tool_use": maybe(r, {"web_search_requests": r.randrange(4), "web_fetch_requests": r.randrange(3)}),
    }.items() if v is not None}
    if chance(r, 0.03):
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": usage["cache_creation_input_tokens"] + 1, "ephemeral_1h_input_tokens": 0}
    batch = usage.get("service_tier") == "batch"
    return {
        "provider": "anthropic", "model": "rc-claude", "usage": usage,
        "api": "message_batches" if batch else "messages", "service_tier": "batch" if batch else None,
    }


def anthropic_compaction(r):
    usage = {"input_tokens": some(r), "output_tokens": some(r), "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    first = {"type": "compaction", "input_tokens": prompt(r, 200000), "output_tokens": some(r)}
    usage["iterations"] = [first, {"type": "message", "input_tokens": usage["input_tokens"], "output_tokens": usage["output_tokens"]}]
    return {"provider": "anthropic", "api": "messages", "model": "rc-claude", "usage": usage}


def anthropic_stream(r):
    final = claude_usage(r)
    final.pop("output_tokens_details", None)
    first = final | {"output_tokens": min(1, final["output_tokens"])}
    start = {"type": "message_start", "message": {"id": "msg_1", "usage": first}}
    event = {"provider": "anthropic", "api": "messages.stream", "model": "rc-claude"}
    kind = r.randrange(6)
    if kind == 5:  # a line for each block of content, all of one message
        return event | {"api": "messages", "usage": [{"id": "msg_1", "usage": final}] * r.randint(2, 4)}
    delta = {"output_tokens": final["output_tokens"]}
    if kind == 0:
        return event | {"usage": [start], "status": "aborted"}
    if kind == 1:
        delta = final
    if kind == 2:
        delta |= {"input_tokens": None, "cache_read_input_tokens": None}
    if kind == 3:
        delta |= {"input_tokens": final["input_tokens"] + some(r)}
    chunks = [start, {"type": "message_delta", "usage": delta}]
    if kind == 4:
        half = {"type": "message_delta", "usage": {"output_tokens": final["output_tokens"] // 2}}
        chunks.insert(1, half | {"usage": {"output_tokens": max(half["usage"]["output_tokens"], first["output_tokens"])}})
    return event | {"usage": chunks}


def vertex_claude(r):
    location = r.choice([None, "global", "europe-west4"])
    usage = claude_usage(r)
    usage.pop("cache_creation", None)
    return {
        "provider": "vertex_ai", "api": "messages", "usage": usage,
        "model": r.choice(["rc-claude-v@20260101", "rc-claude-w@20260202", "rc-claude-w"]),
        "context": {"location": location} if location else None,
    }


def split(r, total, *media):
    """Details by modality that sum to the total."""
    details = []
    for medium in media[:-1]:
        count = part(r, total)
        total -= count
        details.append({"modality": medium, "tokenCount": count})
    return [*details, {"modality": media[-1], "tokenCount": total}]


def gemini_usage(r, *edges):
    total, out, thoughts = prompt(r, *edges), some(r), r.choice([0, some(r)])
    usage = {"promptTokenCount": total, "candidatesTokenCount": out}
    cached = part(r, total) if chance(r, 0.5) else 0
    if cached:
        usage["cachedContentTokenCount"] = cached
    if chance(r, 0.4):
        usage["promptTokensDetails"] = split(r, total, *r.choice([("TEXT", "AUDIO"), ("IMAGE", "TEXT"), ("TEXT", "DOCUMENT")]))
        if cached and chance(r, 0.5):
            usage["cacheTokensDetails"] = cached_split(r, usage["promptTokensDetails"], cached)
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    usage["totalTokenCount"] = total + out + thoughts
    if thoughts and thoughts <= out and chance(r, 0.2):
        usage["totalTokenCount"] -= thoughts
    return usage


def cached_split(r, sent, cached):
    details = []
    for number, one in enumerate(sent):
        rest = sum(other["tokenCount"] for other in sent[number + 1:])
        count = r.randint(max(0, cached - rest), min(cached, one["tokenCount"]))
        details.append({"modality": one["modality"], "tokenCount": count})
        cached -= count
    return details


def google(r):
    event = {"provider": "google", "api": "generateContent", "model": r.choice(["gemini-2.5-recount", "gemini-3-recount"])}
    usage = gemini_usage(r, 200000)
    kind = r.randrange(6)
    if kind == 0:
        context = {"web_search_queries": r.randint(1, 4)}
        if chance(r, 0.4):
            context["maps_queries"] = r.randint(1, 3)
        event["context"] = context
    if kind <= 1:
        usage["toolUsePromptTokenCount"] = tool = some(r)
        usage["totalTokenCount"] += tool
    if kind == 2:
        event |= {"api": "batch", "service_tier": "batch"}
    if kind == 3:
        first = usage | {"candidatesTokenCount": usage["candidatesTokenCount"] // 2}
        first.pop("thoughtsTokenCount", None)
        event["api"] = "generateContent.stream"
        usage = [{"usageMetadata": first}, {"usageMetadata": usage}]
    return event | {"usage": usage}


def google_live(r):
    sent, out = prompt(r), some(r)
    usage = {
        "promptTokenCount": sent, "responseTokenCount": out, "totalTokenCount": sent + out,
        "promptTokensDetails": split(r, sent, "TEXT", "AUDIO"),
        "responseTokensDetails": split(r, out, "TEXT", "AUDIO"),
    }
    return {"provider": "google", "api": "live", "model": "gemini-3-recount", "usage": usage}


def vertex_gemini(r):
    usage = gemini_usage(r)
    usage["trafficType"] = r.choice(["ON_DEMAND", "ON_DEMAND_PRIORITY", "ON_DEMAND_FLEX", "PROVISIONED_THROUGHPUT"])
    return {
        "provider": "vertex_ai", "api": "generateContent", "model": "gemini-3-recount", "usage": usage,
        "context": maybe(r, {"location": r.choice(["global", "us-east5"])}),
    }


def bedrock(r):
    sent, read, written, out = some(r), some(r), some(r), some(r)
    usage = {
        "inputTokens": sent, "outputTokens": out, "cacheReadInputTokens": read, "cacheWriteInputTokens": written,
        "totalTokens": sent + read + written + out,
    }
    event = {"provider": "bedrock", "api": "converse", "usage": usage}
    if chance(r, 0.3) and written:
        long = part(r, written)
        usage["cacheDetails"] = [{"ttl": "1h", "inputTokens": long}, {"ttl": "5m", "inputTokens": written - long}]
    kind = r.randrange(5)
    if kind == 0:
        usage.pop("cacheDetails", None)
        usage |= {"inputTokens": sent + read + written, "totalTokens": sent + 2 * (read + written) + out}
        return event | {"model": "us.openai.rc-gpt"}
    if kind == 1:
        arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/"
        system = arn.replace("application-", "") + "global.anthropic.rc-claude-v1:0"
        return event | {"model": r.choice([arn + "recount", arn + "opaque", system])}
    if kind == 2:
        return event | {"api": "invoke_model", "model": "anthropic.rc-claude-v1:0", "usage": claude_usage(r, (1000,))}
    if kind == 3 and chance(r, 0.5):
        return event | {"api": "invoke_model", "model": "amazon.titan-embed-recount", "usage": {"inputTextTokenCount": 1 + sent}}
    if kind == 3:
        units = {"topicPolicyUnits": 1 + some(r, 5), "contentPolicyUnits": some(r, 5), "sensitiveInformationPolicyFreeUnits": some(r, 5)}
        return event | {"api": "apply_guardrail", "model": "guardrails-recount", "usage": units}
    return event | {"model": r.choice(["anthropic.rc-claude-v1:0", "global.anthropic.rc-claude-v1:0", "eu.anthropic.rc-claude-v1:0", "us.anthropic.rc-claude-v9:0"])}


def mistral(r):
    return {"provider": "mistral"} | r.choice([
        {"api": "chat.completions", "model": "rc-mistral", "usage": chat(r, prompt(r), reasoning=False)},
        {"api": "agents", "model": "rc-mistral", "usage": chat(r, prompt(r), cached=False, reasoning=False) | {"prompt_audio_seconds": {}}},
        {"api": "audio.transcriptions", "model": "rc-voxtral",
         "usage": {"prompt_audio_seconds": 1 + some(r), "prompt_tokens": 4, "completion_tokens": 60, "total_tokens": 3264}},
        {"api": "ocr", "model": "rc-ocr", "usage": {"pages_processed": 1 + some(r, 50), "doc_size_bytes": 1},
         "context": maybe(r, {"annotation": True})},
    ])


def cohere(r):
    billed, out = 1 + some(r), some(r)
    units = {"input_tokens": billed, "output_tokens": out}
    return {"provider": "cohere"} | r.choice([
        {"api": "chat", "model": "rc-command", "usage": {"billed_units": units, "tokens": {"input_tokens": billed + 70, "output_tokens": out}}},
        {"api": "chat", "model": "rc-command", "usage": {"meta": {"billed_units": units}}},
        {"api": "rerank", "model": "rc-rerank", "usage": {"billed_units": {"search_units": r.randint(1, 5)}}},
    ])


def deepseek(r):
    usage = chat(r, prompt(r), cached=False)
    usage.pop("prompt_tokens_details", None)
    hit = part(r, usage["prompt_tokens"])
    usage |= {"prompt_cache_hit_tokens": hit, "prompt_cache_miss_tokens": usage["prompt_tokens"] - hit}
    return {"provider": "deepseek", "api": "chat.completions", "model": "rc-deepseek", "usage": usage}


def xai(r):
    total, out, reasoning = prompt(r, 200000), some(r), some(r)
    if chance(r, 0.3):
        usage = {
            "input_tokens": total, "output_tokens": out + reasoning, "total_tokens": total + out + reasoning,
            "input_tokens_details": {"cached_tokens": part(r, total)},
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "server_side_tool_usage_details": {"web_search_calls": r.randrange(4)},
        }
        return {"provider": "xai", "api": "responses", "model": "rc-grok", "usage": usage}
    usage = {
        "prompt_tokens": total, "completion_tokens": out, "total_tokens": total + out + reasoning,
        "prompt_tokens_details": {"cached_tokens": part(r, total), "text_tokens": total},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    if chance(r, 0.5):
        usage["cost_in_usd_ticks"] = some(r, 10**9)
    return {"provider": "xai", "api": "chat.completions", "model": "rc-grok", "usage": usage}


def like_openai(r):
    """Groq, Cerebras, Together, Fireworks and self-hosted servers."""
    usage = chat(r, prompt(r), cached=False, reasoning=False)
    chunks = [{"usage": usage | {"completion_tokens": n, "total_tokens": usage["prompt_tokens"] + n}}
              for n in sorted({0, usage["completion_tokens"] // 2, usage["completion_tokens"]})]
    beside = dict(usage, cached_tokens=part(r, usage["prompt_tokens"]))
    beside.pop("prompt_tokens_details", None)
    return {"api": "chat.completions"} | r.choice([
        {"provider": "groq", "model": "openai/rc-oss", "usage": chat(r, prompt(r), reasoning=False)}
        | ({"context": {"output_item_types": ["browser.open"] * r.randint(1, 3)}} if chance(r, 0.3) else {}),
        {"provider": "cerebras", "model": "rc-oss", "usage": usage},
        {"provider": "together", "model": "openai/rc-oss", "usage": beside},
        {"provider": "fireworks", "model": "accounts/fireworks/models/rc-kimi", "api": "chat.completions.stream", "usage": chunks},
        {"provider": "openai_compatible", "model": "my-org/rc-llama", "usage": usage},
        {"provider": "openai_compatible", "model": "my-org/rc-llama", "api": "chat.completions.stream", "usage": chunks},
    ])


def openrouter(r):
    usage = chat(r, prompt(r), written=chance(r, 0.4))
    kind = r.randrange(3)
    if kind:
        usage["cost"] = round(r.random() / 10, 6)
        usage["is_byok"] = kind == 2
        usage["cost_details"] = {"upstream_inference_cost": usage["cost"] if kind == 1 else round(r.random() / 10, 6)}
    return {"provider": "openrouter", "api": "chat.completions", "usage": usage, "model": "vendor/rc-router"}


def perplexity(r):
    usage = chat(r, prompt(r), cached=False, reasoning=False)
    usage.pop("prompt_tokens_details", None)
    size = r.choice(["low", "medium", "high", None])
    if size:
        usage["search_context_size"] = size
    if chance(r, 0.4):
        usage |= {"citation_tokens": some(r), "reasoning_tokens": some(r, 80000)}
    if chance(r, 0.3):
        usage["cost"] = {"total_cost": round(r.random(), 6)}
    if not size and chance(r, 0.3):
        usage["cost"] = {"total_cost": 0.000123, "request_cost": 0}
    return {"provider": "perplexity", "api": "chat.completions", "model": "rc-sonar", "usage": usage}


def moonshot(r):
    return {"provider": "moonshot", "api": "chat.completions", "model": "rc-kimi",
            "usage": chat(r, prompt(r), reasoning=False, written=chance(r, 0.5))}


def dashscope(r):
    usage = chat(r, prompt(r, 256000))
    if usage.get("prompt_tokens_details") and chance(r, 0.5):
        usage["prompt_tokens_details"]["cache_type"] = "ephemeral"
    return {"provider": "dashscope", "api": "chat.completions", "model": "rc-qwen", "usage": usage}


def watsonx(r):
    usage = {"input_token_count": 1 + some(r), "generated_token_count": some(r)}
    return {"provider": "watsonx", "api": "text.generation", "model": "ibm/rc-granite", "usage": usage}


def litellm(r):
    total, out = prompt(r, 200000), some(r)
    read = part(r, total)
    written = part(r, total - read)
    usage = {
        "prompt_tokens": total, "completion_tokens": out, "total_tokens": total + out,
        "prompt_tokens_details": {"cached_tokens": read, "cache_creation_tokens": written},
        "cache_read_input_tokens": read, "cache_creation_input_tokens": written,
    }
    if chance(r, 0.3):
        usage.pop(r.choice(["cache_read_input_tokens", "prompt_tokens_details"]))
    return {
        "provider": "litellm_proxy", "api": "chat.completions", "model": "rc-claude", "usage": usage,
        "context": maybe(r, {"custom_llm_provider": "anthropic"}, 0.9),
    }


def otel(r):
    read, written, out = 1 + some(r), some(r), some(r)
    inclusive = chance(r, 0.6)
    sent = some(r) + (read + written if inclusive else 0)
    usage = {"gen_ai.usage.input_tokens": sent, "gen_ai.usage.output_tokens": out}
    if chance(r, 0.9):
        usage["gen_ai.provider.name"] = "anthropic"
    if chance(r, 0.1):
        pass  # an exporter that leaves the cache out
    elif inclusive:
        usage |= {"gen_ai.usage.cache_read.input_tokens": read, "gen_ai.usage.cache_creation.input_tokens": written}
    else:
        usage |= {"gen_ai.usage.cache_read_input_tokens": read, "gen_ai.usage.cache_creation_input_tokens": written}
    return {"provider": "otel", "api": "span", "model": "rc-claude", "usage": usage}


KINDS = [
    (openai_chat, 12), (openai_stream, 3), (openai_batch, 2), (openai_response, 6), (openai_audio, 2), (realtime, 3),
    (openai_image, 2), (openai_transcription, 2), (openai_rest, 8), (impossible, 1), (lenient, 1), (azure, 4),
    (anthropic, 12), (anthropic_compaction, 2), (anthropic_stream, 5), (vertex_claude, 2), (google, 10),
    (google_live, 2), (vertex_gemini, 4), (bedrock, 7), (mistral, 3), (cohere, 2), (deepseek, 4), (xai, 4),
    (like_openai, 6), (openrouter, 3), (perplexity, 2), (moonshot, 2), (dashscope, 3), (watsonx, 1),
    (litellm, 4), (otel, 3),
]
