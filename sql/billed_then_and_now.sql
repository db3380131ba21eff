-- What was known at a time of each tenant's and model's cost, and what is known now of those calls?
-- Parameters:
--   at: a time; calls taken in after it are left out
-- Columns:
--   tenant, response_model: as they were, or are
--   calls_then, then_usd, calls_now, now_usd
--   difference_usd: now less then
WITH changed AS (
    SELECT tenant, response_model, cost_usd, identity_hash,
        row_number() OVER (PARTITION BY identity_hash ORDER BY revision, changed_at) AS place
    FROM call_revisions
    WHERE side = 'before' AND changed_at > CAST($1 AS TIMESTAMP)
        AND ingested_at <= CAST($1 AS TIMESTAMP)
),
sides AS (
    SELECT tenant, response_model, 1 AS calls_then, cost_usd AS then_usd, 0 AS calls_now,
        CAST(NULL AS DECIMAL(18, 12)) AS now_usd
    FROM changed
    WHERE place = 1
    UNION ALL
    SELECT tenant, response_model, 1, cost_usd, 0, CAST(NULL AS DECIMAL(18, 12))
    FROM calls
    WHERE ingested_at <= CAST($1 AS TIMESTAMP)
        AND identity_hash NOT IN (SELECT identity_hash FROM changed)
    UNION ALL
    SELECT tenant, response_model, 0, CAST(NULL AS DECIMAL(18, 12)), 1, cost_usd
    FROM calls
    WHERE ingested_at <= CAST($1 AS TIMESTAMP)
)
SELECT tenant, response_model, sum(calls_then) AS calls_then, sum(then_usd) AS then_usd,
    sum(calls_now) AS calls_now, sum(now_usd) AS now_usd,
    coalesce(sum(now_usd), 0) - coalesce(sum(then_usd), 0) AS difference_usd
FROM sides
GROUP BY tenant, response_model
ORDER BY tenant, response_model
