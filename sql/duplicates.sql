-- How often was a call sent again that was counted already?
-- Columns:
--   namespace, source
--   duplicates: events that were put aside
--   calls: those that were counted
--   percent: the duplicates among both
--   last_received_at: when the last one came
SELECT again.namespace, again.source, again.duplicates, coalesce(once.calls, 0) AS calls,
    CAST(100.0 * again.duplicates / (again.duplicates + coalesce(once.calls, 0)) AS DECIMAL(7, 4))
        AS percent,
    again.last_received_at
FROM (
    SELECT namespace, source, count(*) AS duplicates, max(received_at) AS last_received_at
    FROM dead_letters
    WHERE reason = 'duplicate' AND replayed_at IS NULL
    GROUP BY namespace, source
) AS again
LEFT JOIN (
    SELECT namespace, source, count(*) AS calls FROM calls GROUP BY namespace, source
) AS once
    ON again.namespace = once.namespace AND again.source = once.source
ORDER BY again.duplicates DESC, again.namespace, again.source
