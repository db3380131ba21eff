"""The work of the benches in DuckDB: read the calls, make disjoint token classes, price them
exactly, hash identity and content, keep a row a call. Prints rows per CPU-second and the cost.

Arguments: the NDJSON file, the rounds, `meter` or `ingest` (which writes the rows as Parquet), then provider,model,class,usd_per_million for each price.
"""

import resource
import sys
from decimal import Decimal

import duckdb

USAGE = [
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens",
    "cache_read_input_tokens", "cache_creation_input_tokens", "promptTokenCount",
    "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount",
]
COLUMNS = {name: "VARCHAR" for name in [
    "event_id", "source", "provider", "api", "model", "operation", "status", "tenant", "team",
    "feature", "environment", "user_id", "trace_id", "provider_response_id",
]} | {name: "BIGINT" for name in ["occurred_at", "http_status", "latency_ms", "ttft_ms"]} | {
    "stream": "BOOLEAN",
    "tags": "MAP(VARCHAR, VARCHAR)",
    "usage": "STRUCT(" + ", ".join(f'"{name}" BIGINT' for name in USAGE)
    + ", prompt_tokens_details STRUCT(cached_tokens BIGINT, audio_tokens BIGINT)"
    + ", completion_tokens_details STRUCT(reasoning_tokens BIGINT, audio_tokens BIGINT,"
    + " accepted_prediction_tokens BIGINT, rejected_prediction_tokens BIGINT)"
    + ", cache_creation STRUCT(ephemeral_5m_input_tokens BIGINT, ephemeral_1h_input_tokens BIGINT)"
    + ", service_tier VARCHAR, trafficType VARCHAR)",
}
CLASSES = [
    "input_text", "cache_read_text", "cache_write_5m", "cache_write_1h", "output_text",
    "output_reasoning",
]

# What a class without a price of its own costs: thoughts are billed as text.
FALLBACK = {"output_reasoning": "output_text"}

KINDS = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
METER = f"""
create or replace table charges as
with classes as (
    select *,
        case provider
            when 'openai' then usage.prompt_tokens
                - coalesce(usage.prompt_tokens_details.cached_tokens, 0)
            when 'anthropic' then usage.input_tokens
            else usage.promptTokenCount - coalesce(usage.cachedContentTokenCount, 0)
        end as input_text,
        coalesce(usage.prompt_tokens_details.cached_tokens, usage.cache_read_input_tokens,
            usage.cachedContentTokenCount, 0) as cache_read_text,
        coalesce(usage.cache_creation.ephemeral_5m_input_tokens, 0) as cache_write_5m,
        coalesce(usage.cache_creation.ephemeral_1h_input_tokens, 0) as cache_write_1h,
        case provider
            when 'openai' then usage.completion_tokens
                - coalesce(usage.completion_tokens_details.reasoning_tokens, 0)
            when 'anthropic' then usage.output_tokens
            else usage.candidatesTokenCount
        end as output_text,
        coalesce(usage.completion_tokens_details.reasoning_tokens, usage.thoughtsTokenCount, 0)
            as output_reasoning
    from read_ndjson(?, columns = {{{KINDS}}})
)
select c.*, make_timestamp(occurred_at * 1000) as occurred,
    sha256('bench' || source || event_id) as identity_hash,
    sha256(concat_ws('|', c.provider, api, c.model, operation, status, tenant, team, feature,
        environment, user_id, trace_id, provider_response_id, http_status, latency_ms, ttft_ms,
        stream, tags::varchar, usage::varchar, occurred_at)) as content_hash,
    input_text * p.usd_input_text as input_cost,
    cache_read_text * p.usd_cache_read_text + cache_write_5m * p.usd_cache_write_5m
        + cache_write_1h * p.usd_cache_write_1h as cache_cost,
    output_text * p.usd_output_text + output_reasoning * p.usd_output_reasoning as output_cost,
    input_cost + cache_cost + output_cost as cost
from classes c left join prices p on p.provider = c.provider and p.model = c.model
    and make_timestamp(occurred_at * 1000) >= p.effective_from
"""


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def fill_prices(db, prices):
    columns = ", ".join(f"usd_{name} decimal(18, 12)" for name in CLASSES)
    key = "provider varchar, model varchar, effective_from timestamp"
    db.execute(f"create table prices ({key}, {columns})")
    books = {}
    for provider, model, token_class, usd in (price.split(",") for price in prices):
        books.setdefault((provider, model), {})[token_class] = Decimal(usd) / 1_000_000
    for (provider, model), rates in books.items():
        row = [rates.get(name, rates.get(FALLBACK.get(name), Decimal(0))) for name in CLASSES]
        marks = ", ".join("?" * len(row))
        insert = f"insert into prices values (?, ?, timestamp '2025-01-01', {marks})"
        db.execute(insert, [provider, model, *row])


def main():
    path, rounds, work, prices = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    db = duckdb.connect()
    db.execute("set threads = 1")
    fill_prices(db, prices)
    best = 0.0
    for _ in range(rounds):
        before = cpu_seconds()
        db.execute(METER, [path])
        if work == "ingest":
            db.execute(f"copy charges to '{path}.parquet' (format parquet, compression zstd)")
        rows, cost = db.execute("select count(*), sum(cost) from charges").fetchone()
        best = max(best, rows / (cpu_seconds() - before))
    print(f"{best:.0f} {format(cost, 'f').rstrip('0').rstrip('.')}")


main()
