-- Which calls were reported long after they were made, and which too late to be counted?
-- Columns:
--   namespace, source, calls
--   hour_late, day_late: calls that were taken in more than an hour, a day after they were made
--   percent: those an hour late among the calls
--   longest_seconds: between a call and its row
--   too_old: events that were put aside for their age
SELECT coalesce(made.namespace, refused.namespace) AS namespace,
    coalesce(made.source, refused.source) AS source,
    coalesce(made.calls, 0) AS calls,
    coalesce(made.hour_late, 0) AS hour_late,
    coalesce(made.day_late, 0) AS day_late,
    CAST(100.0 * made.hour_late / made.calls AS DECIMAL(7, 4)) AS percent,
    made.longest_seconds,
    coalesce(refused.too_old, 0) AS too_old
FROM (
    SELECT namespace, source,
        count(*) AS calls,
        count(*) FILTER (WHERE ingested_at > occurred_at + INTERVAL '1 hour') AS hour_late,
        count(*) FILTER (WHERE ingested_at > occurred_at + INTERVAL '1 day') AS day_late,
        max((CAST(ingested_at AS BIGINT) - CAST(occurred_at AS BIGINT)) / 1000000)
            AS longest_seconds
    FROM calls
    GROUP BY namespace, source
) AS made
FULL JOIN (
    SELECT namespace, source, count(*) AS too_old
    FROM dead_letters
    WHERE reason = 'too_old' AND replayed_at IS NULL
    GROUP BY namespace, source
) AS refused
    ON made.namespace = refused.namespace AND made.source = refused.source
ORDER BY hour_late DESC, too_old DESC, namespace, source
