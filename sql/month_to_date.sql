-- What was spent this month up to a day, and what will the month come to at that rate?
-- Parameters:
--   day = today: the last UTC day, such as 2026-11-23; it counts as a whole one
-- Columns:
--   tenant, calls, cost_usd
--   run_rate_usd: the cost per day so far times the days of the month
SELECT tenant,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd,
    CAST(sum(cost_usd) AS DECIMAL(26, 12))
        * date_part('day', date_trunc('month', CAST($1 AS DATE)) + INTERVAL '1 month'
            - INTERVAL '1 day')
        / date_part('day', CAST($1 AS DATE)) AS run_rate_usd
FROM calls
WHERE date >= date_trunc('month', CAST($1 AS DATE)) AND date <= CAST($1 AS DATE)
GROUP BY tenant
ORDER BY cost_usd DESC NULLS LAST, tenant
