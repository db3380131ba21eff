-- How much is spent outside production?
-- Columns:
--   environment, calls, cost_usd
--   percent: of all cost
SELECT environment, calls, cost_usd,
    CAST(100.0 * CAST(cost_usd AS DECIMAL(24, 8))
        / nullif(CAST(sum(cost_usd) OVER () AS DECIMAL(24, 8)), 0) AS DECIMAL(7, 4)) AS percent
FROM (
    SELECT coalesce(environment, 'unattributed') AS environment,
        count(*) AS calls,
        sum(cost_usd) AS cost_usd
    FROM calls
    GROUP BY 1
) AS summed
ORDER BY cost_usd DESC NULLS LAST, environment
