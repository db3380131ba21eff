-- What does each feature of each product cost, and what a call of it?
-- Columns:
--   product, feature, calls, cost_usd
--   usd_per_call: of priced calls
SELECT coalesce(product, 'unattributed') AS product,
    coalesce(feature, 'unattributed') AS feature,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd,
    sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_call
FROM calls
GROUP BY 1, 2
ORDER BY cost_usd DESC NULLS LAST, product, feature
