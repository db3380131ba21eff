-- How much of the traffic is priced and named, in one line?
-- Columns:
--   calls
--   priced: those with a cost
--   unpriced: those whose model has no price
--   unknown_usage, partial, estimated: those whose usage is not fully known
--   unattributed: those without a tenant
--   dead_letters: events that were put aside and that nobody has replayed
SELECT count(*) AS calls,
    count(cost_usd) AS priced,
    count(*) FILTER (WHERE cost_status = 'unpriced') AS unpriced,
    count(*) FILTER (WHERE usage_status = 'unknown_usage') AS unknown_usage,
    count(*) FILTER (WHERE usage_status = 'partial') AS partial,
    count(*) FILTER (WHERE usage_status = 'estimated') AS estimated,
    count(*) FILTER (WHERE tenant_source = 'none') AS unattributed,
    (
        SELECT count(*) FILTER (WHERE replayed_at IS NULL)
            - count(*) FILTER (WHERE replayed_at IS NOT NULL)
        FROM dead_letters
    ) AS dead_letters
FROM calls
