-- How new is what is counted, sender by sender?
-- Parameters:
--   at = now: the time that it is compared with
-- Columns:
--   namespace, source, calls
--   last_occurred_at, last_ingested_at: the newest call, and the newest row
--   silent_seconds: since the newest call
--   p50_seconds, p99_seconds: between a call and its row, approximately
SELECT namespace, source,
    count(*) AS calls,
    max(occurred_at) AS last_occurred_at,
    max(ingested_at) AS last_ingested_at,
    (CAST(CAST($1 AS TIMESTAMP) AS BIGINT) / 1000 - CAST(max(occurred_at) AS BIGINT)) / 1000000
        AS silent_seconds,
    CAST(approx_percentile_cont(0.5) WITHIN GROUP (
        ORDER BY (CAST(ingested_at AS BIGINT) - CAST(occurred_at AS BIGINT)) / 1000000
    ) AS BIGINT) AS p50_seconds,
    CAST(approx_percentile_cont(0.99) WITHIN GROUP (
        ORDER BY (CAST(ingested_at AS BIGINT) - CAST(occurred_at AS BIGINT)) / 1000000
    ) AS BIGINT) AS p99_seconds
FROM calls
GROUP BY namespace, source
ORDER BY last_occurred_at DESC, namespace, source
