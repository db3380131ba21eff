-- What did calls cost that gave no full answer?
-- Columns:
--   status, error_type, calls
--   unknown_usage_calls: those whose usage is unknown
--   cost_usd: a lower bound
SELECT status,
    error_type,
    count(*) AS calls,
    count(*) FILTER (WHERE usage_status = 'unknown_usage') AS unknown_usage_calls,
    sum(cost_usd) AS cost_usd
FROM calls
WHERE status <> 'ok'
GROUP BY 1, 2
ORDER BY calls DESC, status, error_type
