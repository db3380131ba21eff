-- Which calls were throttled or failed, and what did the calls cost that stood in for them?
-- Columns:
--   provider, model
--   http_status: 429 is throttled
--   error_type, calls, cost_usd
--   with_fallback: how many had one
--   fallback_usd: what these cost
SELECT c.provider,
    coalesce(c.priced_model, c.response_model) AS model,
    c.http_status,
    c.error_type,
    count(*) AS calls,
    sum(c.cost_usd) AS cost_usd,
    count(fallbacks.fallback_of) AS with_fallback,
    sum(fallbacks.cost_usd) AS fallback_usd
FROM calls AS c
LEFT JOIN (
    SELECT namespace, source, tenant, fallback_of, sum(cost_usd) AS cost_usd
    FROM calls
    WHERE fallback_of IS NOT NULL
    GROUP BY namespace, source, tenant, fallback_of
) AS fallbacks
    ON c.event_id = fallbacks.fallback_of AND c.namespace = fallbacks.namespace
        AND c.source = fallbacks.source AND c.tenant = fallbacks.tenant
WHERE c.status = 'failed' OR c.http_status = 429
GROUP BY 1, 2, 3, 4
ORDER BY calls DESC, provider, model, http_status, error_type
