-- How much rests on usage that is estimated, partial or not known?
-- Columns:
--   usage_status: `complete`, or what is missing
--   calls, share_of_calls: percent
--   provisional_calls: those that a later event will finalize
--   tokens, share_of_tokens: percent
--   cost_usd, share_of_cost: percent
SELECT usage_status, calls,
    CAST(100.0 * calls / sum(calls) OVER () AS DECIMAL(7, 4)) AS share_of_calls,
    provisional_calls,
    tokens,
    CAST(100.0 * tokens / nullif(sum(tokens) OVER (), 0) AS DECIMAL(7, 4)) AS share_of_tokens,
    cost_usd,
    CAST(100.0 * CAST(cost_usd AS DECIMAL(24, 8))
        / nullif(CAST(sum(cost_usd) OVER () AS DECIMAL(24, 8)), 0) AS DECIMAL(7, 4))
        AS share_of_cost
FROM (
    SELECT usage_status,
        count(*) AS calls,
        count(*) FILTER (WHERE provisional) AS provisional_calls,
        sum(total_input_tokens + total_output_tokens) AS tokens,
        sum(cost_usd) AS cost_usd
    FROM calls
    GROUP BY usage_status
) AS counted
ORDER BY calls DESC, usage_status
