-- What does an operation cost with all its attempts, and how often did it take more than one?
-- Columns:
--   tenant, feature, operations
--   repeated: those with a later attempt, or a call that stood in for another
--   calls, cost_usd
--   usd_per_operation: of operations with a cost
SELECT tenant,
    feature,
    count(*) AS operations,
    count(*) FILTER (WHERE last_attempt > 1 OR fallbacks > 0) AS repeated,
    CAST(sum(calls) AS BIGINT) AS calls,
    sum(cost_usd) AS cost_usd,
    sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_operation
FROM (
    SELECT tenant,
        coalesce(feature, 'unattributed') AS feature,
        namespace,
        operation_id,
        count(*) AS calls,
        max(attempt) AS last_attempt,
        count(fallback_of) AS fallbacks,
        sum(cost_usd) AS cost_usd
    FROM calls
    WHERE operation_id IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS operations
GROUP BY tenant, feature
ORDER BY cost_usd DESC NULLS LAST, tenant, feature
