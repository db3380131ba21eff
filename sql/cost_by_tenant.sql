-- What does each tenant cost?
-- Columns:
--   tenant: `unattributed` where nobody is named
--   calls
--   unpriced_calls: those whose model has no price
--   cost_usd
SELECT coalesce(tenant, 'unattributed') AS tenant,
    count(*) AS calls,
    count(*) FILTER (WHERE cost_status = 'unpriced') AS unpriced_calls,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1
ORDER BY cost_usd DESC NULLS LAST, tenant
