-- How much of the input comes from the providers' caches, and what does that save?
-- Columns:
--   provider, model, calls, input_tokens
--   cached_tokens: read from a cache, or written to one
--   cache_read_tokens
--   cache_read_share: percent of the input tokens
--   cache_cost_usd: what reading and writing cost
--   without_cache_usd: what the cached tokens of priced calls would have cost at the model's
--     average price of a token that is not cached; NULL where there is no such token
--   saved_usd: that, less cache_cost_usd; negative where writing cost more than reading saved
SELECT provider, model, calls, input_tokens, cached_tokens, cache_read_tokens,
    CAST(100.0 * cache_read_tokens / nullif(input_tokens, 0) AS DECIMAL(7, 4)) AS cache_read_share,
    cache_cost_usd,
    CAST(priced_cached_tokens * uncached_usd_per_token AS DECIMAL(28, 12)) AS without_cache_usd,
    CAST(priced_cached_tokens * uncached_usd_per_token AS DECIMAL(28, 12)) - cache_cost_usd
        AS saved_usd
FROM (
    SELECT provider, model,
        count(*) AS calls,
        sum(total_input_tokens) AS input_tokens,
        sum(cached) AS cached_tokens,
        sum(cache_read) AS cache_read_tokens,
        sum(cached) FILTER (WHERE cost_usd IS NOT NULL) AS priced_cached_tokens,
        sum(cache_cost_usd) AS cache_cost_usd,
        CAST(sum(input_cost_usd) AS DECIMAL(26, 12))
            / nullif(sum(total_input_tokens - cached) FILTER (WHERE cost_usd IS NOT NULL), 0)
            AS uncached_usd_per_token
    FROM (
        SELECT provider,
            coalesce(priced_model, response_model) AS model,
            total_input_tokens, cost_usd, input_cost_usd, cache_cost_usd,
            coalesce(cache_read_text_tokens, 0) AS cache_read,
            coalesce(cache_read_text_tokens, 0) + coalesce(cache_write_tokens, 0)
                + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)
                + coalesce(other_tokens['cache_read_audio'], 0)
                + coalesce(other_tokens['cache_read_image'], 0)
                + coalesce(other_tokens['cache_read_video'], 0)
                + coalesce(other_tokens['cache_read_text_explicit'], 0)
                + coalesce(other_tokens['cache_write_30m'], 0)
                + coalesce(other_tokens['cache_write_12h'], 0) AS cached
        FROM calls
    ) AS counted
    GROUP BY provider, model
) AS summed
ORDER BY cache_read_tokens DESC NULLS LAST, model, provider
