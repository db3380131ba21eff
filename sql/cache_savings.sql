-- How much of the input comes from the providers' caches, and what does the cache cost?
-- Columns: model, input tokens, those read from a cache, their share in percent, cache_cost_usd.
SELECT coalesce(priced_model, response_model) AS model,
    sum(total_input_tokens) AS input_tokens,
    sum(cache_read_text_tokens) AS cache_read_tokens,
    CAST(100 * sum(cache_read_text_tokens) AS DECIMAL(24, 4)) / nullif(sum(total_input_tokens), 0)
        AS cache_read_share,
    sum(cache_cost_usd) AS cache_cost_usd
FROM calls
GROUP BY 1
ORDER BY cache_read_tokens DESC NULLS LAST, model
