-- What does each product cost, and what a call of it?
-- Columns:
--   product, calls, cost_usd
--   usd_per_call: of priced calls
--   percent: of all cost
SELECT product, calls, cost_usd, usd_per_call,
    CAST(100.0 * CAST(cost_usd AS DECIMAL(24, 8))
        / nullif(CAST(sum(cost_usd) OVER () AS DECIMAL(24, 8)), 0) AS DECIMAL(7, 4)) AS percent
FROM (
    SELECT coalesce(product, 'unattributed') AS product,
        count(*) AS calls,
        sum(cost_usd) AS cost_usd,
        sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_call
    FROM calls
    GROUP BY 1
) AS summed
ORDER BY cost_usd DESC NULLS LAST, product
