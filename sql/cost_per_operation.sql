-- What does an operation cost with all its attempts, and how often did it take more than one?
-- Columns: tenant, feature, operations, those with more than one call, calls, cost_usd,
-- usd_per_operation.
SELECT tenant,
    feature,
    count(*) AS operations,
    count(*) FILTER (WHERE calls > 1) AS repeated,
    CAST(sum(calls) AS BIGINT) AS calls,
    sum(cost_usd) AS cost_usd,
    sum(cost_usd) / nullif(count(cost_usd), 0) AS usd_per_operation
FROM (
    SELECT tenant,
        coalesce(feature, 'unattributed') AS feature,
        operation_id,
        count(*) AS calls,
        sum(cost_usd) AS cost_usd
    FROM calls
    WHERE operation_id IS NOT NULL
    GROUP BY 1, 2, 3
) AS operations
GROUP BY tenant, feature
ORDER BY cost_usd DESC NULLS LAST, tenant, feature
