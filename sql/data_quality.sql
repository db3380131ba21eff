-- How much of the traffic is priced and named?
-- Columns: calls, those priced, unpriced, of unknown usage, partial, without a tenant; dead letters
-- that nobody has replayed.
SELECT count(*) AS calls,
    count(cost_usd) AS priced,
    count(*) FILTER (WHERE cost_status = 'unpriced') AS unpriced,
    count(*) FILTER (WHERE usage_status = 'unknown_usage') AS unknown_usage,
    count(*) FILTER (WHERE usage_status = 'partial') AS partial,
    count(*) FILTER (WHERE tenant_source = 'none') AS unattributed,
    (
        SELECT count(*) FILTER (WHERE replayed_at IS NULL)
            - count(*) FILTER (WHERE replayed_at IS NOT NULL)
        FROM dead_letters
    ) AS dead_letters
FROM calls
