-- What was out of the ordinary: the latest revision of each incident that ended after a time?
-- Parameters:
--   since = 1970-01-01: a time
-- Columns:
--   anomaly_id: stable over revisions
--   revision: the highest one
--   state: `open` or `resolved`
--   scope: `tenant` or `tenant_model`
--   tenant, model
--   window_start: the start of the first flagged hour
--   window_end: the end of the last one
--   actual_usd: what was spent in the window
--   expected_usd: what was expected in it
--   threshold_usd: what its first hour went over
--   contributors: who drove the excess, as JSON
--   explanation: one sentence
SELECT anomaly_id, revision, state, scope, tenant, model, window_start, window_end, actual_usd,
    expected_usd, threshold_usd, contributors, explanation
FROM (
    SELECT *, row_number() OVER (PARTITION BY anomaly_id ORDER BY revision DESC) AS place
    FROM anomalies
) AS ranked
WHERE place = 1 AND window_end > CAST($1 AS TIMESTAMP)
ORDER BY window_start DESC, actual_usd DESC, anomaly_id
