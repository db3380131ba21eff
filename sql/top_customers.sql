-- Which customers cost the most?
-- Columns:
--   tenant, customer, calls
--   cost_usd: the first twenty
SELECT coalesce(tenant, 'unattributed') AS tenant,
    coalesce(customer, 'unattributed') AS customer,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1, 2
ORDER BY cost_usd DESC NULLS LAST, tenant, customer
LIMIT 20
