-- What was paid for answers that nobody got: aborted, failed, or asked again?
-- Columns: why (`aborted`, `failed`, or `retried`: a later attempt of the operation exists), provider,
-- model, calls, output_tokens, cost_usd (a lower bound: aborted calls may be of unknown usage).
SELECT CASE WHEN c.status <> 'ok' THEN c.status ELSE 'retried' END AS why,
    c.provider,
    coalesce(c.priced_model, c.response_model) AS model,
    count(*) AS calls,
    sum(c.total_output_tokens) AS output_tokens,
    sum(c.cost_usd) AS cost_usd
FROM calls AS c
LEFT JOIN (
    SELECT namespace, tenant, operation_id, max(attempt) AS last_attempt
    FROM calls
    WHERE operation_id IS NOT NULL
    GROUP BY namespace, tenant, operation_id
) AS operations
    ON c.namespace = operations.namespace AND c.tenant = operations.tenant
        AND c.operation_id = operations.operation_id
WHERE c.status <> 'ok' OR c.attempt < operations.last_attempt
GROUP BY 1, 2, 3
ORDER BY cost_usd DESC NULLS LAST, why, provider, model
