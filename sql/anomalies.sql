-- What was out of the ordinary: the latest revision of each incident that ended after a time?
-- Parameters:
--   since = 1970-01-01: a time
-- Columns:
--   anomaly_id, revision
--   state: open, closed or retracted
--   scope: total, tenant, or tenant and model
--   tenant, model
--   window_start, window_end: the hours that it spans
--   actual_usd: what was spent in them
--   expected_usd: what was to be expected at most
--   threshold_usd: above which it is an incident
--   contributors: what the excess consists of, as JSON
--   explanation: the same in a sentence
SELECT anomaly_id, revision, state, scope, tenant, model, window_start, window_end, actual_usd,
    expected_usd, threshold_usd, contributors, explanation
FROM (
    SELECT *, row_number() OVER (PARTITION BY anomaly_id ORDER BY revision DESC) AS place
    FROM anomalies
) AS ranked
WHERE place = 1 AND window_end > CAST($1 AS TIMESTAMP)
ORDER BY window_start DESC, actual_usd DESC, anomaly_id
