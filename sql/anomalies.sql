-- What was out of the ordinary: the latest revision of each incident that ended after $1?
-- Parameters: $1, an RFC 3339 time. Columns: as the table `anomalies` has them.
SELECT anomaly_id, revision, state, scope, tenant, model, window_start, window_end, actual_usd,
    expected_usd, threshold_usd, contributors, explanation
FROM (
    SELECT *, row_number() OVER (PARTITION BY anomaly_id ORDER BY revision DESC) AS place
    FROM anomalies
) AS ranked
WHERE place = 1 AND window_end > CAST($1 AS TIMESTAMP)
ORDER BY window_start DESC, actual_usd DESC, anomaly_id
