-- What does each customer of each tenant cost?
-- Columns:
--   tenant, customer, calls
--   cost_usd: of priced calls, as everywhere
--   usd_per_call: of priced calls
SELECT tenant,
    coalesce(customer, 'unattributed') AS customer,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd,
    sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_call
FROM calls
GROUP BY 1, 2
ORDER BY cost_usd DESC NULLS LAST, tenant, customer
