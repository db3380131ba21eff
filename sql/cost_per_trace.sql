-- What does one request of a user cost, over all the calls that it made?
-- Columns:
--   tenant, trace_id, calls
--   models: how many
--   first_at, last_at
--   cost_usd: the fifty dearest traces
SELECT tenant,
    trace_id,
    count(*) AS calls,
    count(DISTINCT coalesce(priced_model, response_model)) AS models,
    min(occurred_at) AS first_at,
    max(occurred_at) AS last_at,
    sum(cost_usd) AS cost_usd
FROM calls
WHERE trace_id IS NOT NULL
GROUP BY tenant, trace_id
ORDER BY cost_usd DESC NULLS LAST, tenant, trace_id
LIMIT 50
