-- What was paid for answers that nobody got: aborted, failed, or asked again?
-- Columns:
--   why: `aborted`, `failed`, or `retried`: a later attempt of the operation's same step exists
--   provider, model, calls, output_tokens
--   cost_usd: a lower bound, since aborted calls may be of unknown usage
SELECT CASE WHEN c.status <> 'ok' THEN c.status ELSE 'retried' END AS why,
    c.provider,
    coalesce(c.priced_model, c.response_model) AS model,
    count(*) AS calls,
    sum(c.total_output_tokens) AS output_tokens,
    sum(c.cost_usd) AS cost_usd
FROM calls AS c
LEFT JOIN (
    SELECT namespace, tenant, operation_id, coalesce(step, '') AS step, max(attempt) AS last_attempt
    FROM calls
    WHERE operation_id IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS steps
    ON c.namespace = steps.namespace AND c.tenant = steps.tenant
        AND c.operation_id = steps.operation_id AND coalesce(c.step, '') = steps.step
WHERE c.status <> 'ok' OR c.attempt < steps.last_attempt
GROUP BY 1, 2, 3
ORDER BY cost_usd DESC NULLS LAST, why, provider, model
