-- What was spent that nobody is named for, and where does it come from?
-- Columns:
--   source, api_key, calls, cost_usd
--   share_of_cost: percent of all cost
SELECT source, api_key, calls, cost_usd,
    CAST(100.0 * CAST(cost_usd AS DECIMAL(24, 8)) / nullif(CAST(all_usd AS DECIMAL(24, 8)), 0)
        AS DECIMAL(7, 4)) AS share_of_cost
FROM (
    SELECT source, api_key, calls, cost_usd, sum(sender_usd) OVER () AS all_usd
    FROM (
        SELECT source,
            api_key,
            count(*) FILTER (WHERE tenant = 'unattributed') AS calls,
            sum(cost_usd) FILTER (WHERE tenant = 'unattributed') AS cost_usd,
            sum(cost_usd) AS sender_usd
        FROM calls
        GROUP BY source, api_key
    ) AS summed
) AS shared
WHERE calls > 0
ORDER BY cost_usd DESC NULLS LAST, source, api_key
