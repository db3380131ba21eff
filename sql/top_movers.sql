-- Whose cost changed the most between the seven days up to a day and the seven days before?
-- Parameters:
--   day = today: the last UTC day, such as 2026-11-23
-- Columns:
--   tenant, feature, model, before_usd, after_usd
--   change_usd: the twenty largest, up or down
SELECT tenant, feature, model, before_usd, after_usd, after_usd - before_usd AS change_usd
FROM (
    SELECT tenant,
        coalesce(feature, 'unattributed') AS feature,
        coalesce(priced_model, response_model) AS model,
        coalesce(sum(cost_usd) FILTER (WHERE date <= CAST($1 AS DATE) - INTERVAL '7 days'), 0)
            AS before_usd,
        coalesce(sum(cost_usd) FILTER (WHERE date > CAST($1 AS DATE) - INTERVAL '7 days'), 0)
            AS after_usd
    FROM calls
    WHERE date > CAST($1 AS DATE) - INTERVAL '14 days' AND date <= CAST($1 AS DATE)
    GROUP BY 1, 2, 3
) AS moved
ORDER BY abs(after_usd - before_usd) DESC, tenant, feature, model
LIMIT 20
