-- What was spent that nobody is named for, and where does it come from?
-- Columns:
--   source, api_key, calls, cost_usd
--   share_of_cost: percent of all cost
SELECT source, api_key, count(*) AS calls, sum(cost_usd) AS cost_usd,
    CAST(100.0 * CAST(sum(cost_usd) AS DECIMAL(24, 8))
        / (SELECT nullif(CAST(sum(cost_usd) AS DECIMAL(24, 8)), 0) FROM calls) AS DECIMAL(7, 4))
        AS share_of_cost
FROM calls
WHERE tenant = 'unattributed'
GROUP BY source, api_key
ORDER BY cost_usd DESC NULLS LAST, source, api_key
