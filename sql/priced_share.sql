-- How much of the traffic has a cost, and how did that come about?
-- Columns:
--   cost_status: `priced`, another way to a cost, or why there is none
--   calls, share_of_calls: percent
--   tokens, share_of_tokens: percent
--   cost_usd: NULL where there is none
SELECT cost_status, calls,
    CAST(100.0 * calls / sum(calls) OVER () AS DECIMAL(7, 4)) AS share_of_calls,
    tokens,
    CAST(100.0 * tokens / nullif(sum(tokens) OVER (), 0) AS DECIMAL(7, 4)) AS share_of_tokens,
    cost_usd
FROM (
    SELECT cost_status,
        count(*) AS calls,
        sum(total_input_tokens + total_output_tokens) AS tokens,
        sum(cost_usd) AS cost_usd
    FROM calls
    GROUP BY cost_status
) AS counted
ORDER BY calls DESC, cost_status
