-- What does each feature cost, and what a call of it?
-- Columns:
--   feature, calls, cost_usd
--   usd_per_call: of priced calls
--   percent: of all cost
SELECT feature, calls, cost_usd, usd_per_call,
    CAST(100.0 * CAST(cost_usd AS DECIMAL(24, 8))
        / nullif(CAST(sum(cost_usd) OVER () AS DECIMAL(24, 8)), 0) AS DECIMAL(7, 4)) AS percent
FROM (
    SELECT coalesce(feature, 'unattributed') AS feature,
        count(*) AS calls,
        sum(cost_usd) AS cost_usd,
        sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_call
    FROM calls
    GROUP BY 1
) AS summed
ORDER BY cost_usd DESC NULLS LAST, feature
