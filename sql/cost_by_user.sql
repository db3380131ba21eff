-- What does each person cost?
-- Columns:
--   tenant
--   user_id: opaque
--   calls, cost_usd
SELECT tenant,
    coalesce(user_id, 'unattributed') AS user_id,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1, 2
ORDER BY cost_usd DESC NULLS LAST, tenant, user_id
